/**
 * The boundary to the C++ addon: its operations, what each takes and gives, how one fails.
 *
 * The native side checks every field again by its own tables (native/core/operations/), so a
 * mistake here is a TypeError, never a wrong request to the kernel.
 */
import type { BridgePort, BridgePortSettings, HostIPv6, LinkBase, LinkIPv6 } from "./link.js";

/**
 * A link, as the native side looks one up: by identity, by index (and name), or by name. Beside an
 * identity, the name is only what an error calls it.
 */
export interface NativeReference {
  /** Address by this alt name, atomically. */
  identity?: string;
  /** Address by index; with `name` too, the link must have both. */
  index?: number;
  /** Address by name or alt name. */
  name?: string;
  /** Where the link was when it was read; it is not looked for elsewhere. */
  namespace?: number;
}

/** What may be set on a link when it is made. Names are those of {@link LinkBase}. */
export interface NativeSettings {
  /** The kernel's word for the kind; decides what `details` may hold. */
  kind: "macvtap" | "tun" | "bridge" | "veth";
  name: string;
  /** Beside the identity, which the native side draws. */
  altNames?: string[];
  alias: string;
  /** Absent: the parent's, for a macvtap in mode `"passthru"`. */
  mac?: string;
  /** Absent: the library draws one. */
  index?: number;
  /** Absent: the parent's for a macvtap, the kernel's default for the others. */
  mtu?: number;
  /** Absent: the parent's for a macvtap, the kernel's default for the others. */
  txQueueLength?: number;
  up: boolean;
  /** The kind's own settings, by the names of its details type. */
  details?: Record<string, unknown>;
}

/** What of a link may be changed. Names are those of {@link LinkBase}. */
export interface NativeChanges {
  name?: string;
  alias?: string;
  mac?: string;
  mtu?: number;
  txQueueLength?: number;
  up?: boolean;
  promiscuous?: boolean;
}

/** What a device can hang on. In mode passthru, a wireless parent will do. */
export type PlaceRole = "parent" | "passthruParent" | "bridge";

/** What each operation takes. */
export interface NativeRequests {
  createMacvtap: { parent: NativeReference; link: NativeSettings; hostIPv6: HostIPv6 };
  createTap: {
    bridge?: NativeReference;
    port?: BridgePortSettings;
    link: NativeSettings;
    hostIPv6: HostIPv6;
    persistent: boolean;
    multiQueue: boolean;
    vnetHeader: boolean;
    /** Bytes of the virtio-net header: 10 or 12. Absent: the kernel's default. */
    vnetHeaderSize?: number;
    /** How many queues to hand out; 0 unless not persistent. */
    queues: number;
    uid?: number;
    gid?: number;
  };
  createBridge: { link: NativeSettings; acceptRouterAdvertisements: boolean };
  createVeth: { link: NativeSettings; peer: NativeSettings; hostIPv6: HostIPv6 };
  attachToBridge: {
    link: NativeReference;
    bridge: NativeReference;
    port?: BridgePortSettings;
    force: boolean;
  };
  detachFromBridge: { link: NativeReference };
  /** `tagPrefix`: the alias must begin with it, unless `force`. */
  deleteLink: { link: NativeReference; tagPrefix: string; force: boolean };
  /**
   * What is named is made so. `tagMark`: an alias that begins with it is left alone, unless `force`.
   */
  setLink: {
    link: NativeReference;
    changes: NativeChanges;
    addAltNames?: string[];
    removeAltNames?: string[];
    hostIPv6?: HostIPv6;
    tagMark: string;
    force: boolean;
  };
  /** `target`: the number of a namespace on which a handle is open in this process. */
  moveLink: {
    link: NativeReference;
    target: number;
    name?: string;
    tagPrefix: string;
    force: boolean;
  };
  getLink: { link: NativeReference; statistics: boolean; unknown: boolean };
  /** Links for which everything named holds; the kernel's own filters are checked again. */
  listLinks: {
    kind?: string;
    master?: NativeReference;
    parent?: NativeReference;
    /** How the alias begins. */
    aliasPrefix?: string;
    /**
     * What stands between semicolons in the alias, all of it; of an entry that has semicolons itself,
     * one of the texts between them.
     */
    aliasFields?: string[];
    statistics: boolean;
    unknown: boolean;
  };
  /** Those links that have one of these names or alt names; a link that has two comes twice. */
  findLinks: { names: string[] };
  /** What a device hangs on, where one can. */
  getPlace: { link: NativeReference; role: PlaceRole };
  openMacvtap: { link: NativeReference; additionalQueue: boolean };
  openTap: { link: NativeReference };
  /** Gives a descriptor that has a name in the network namespace; refused where another has it. */
  claimName: { name: string };
  /** Fails where a process has a queue of the tap or macvtap open. */
  requireUnheld: { link: NativeReference };
  /** Closes a queue's fd on the operation thread: the last close of a tap waits for the kernel. */
  closeQueue: { fd: number };
  /** Facts for tags and stable addresses, read off the JavaScript thread. */
  describeHost: Record<string, never>;
  /** Moves the handle's thread; before anything else. One of the three. */
  "NetworkNamespace.open": { path?: string; pid?: number; fd?: number };
}

/** The name of an operation. */
export type OperationName = keyof NativeRequests;

/** What running an operation took. */
export interface NativeWork {
  /** Sends to the kernel by netlink; each is one system call, and may hold many requests. */
  sends: number;
  /** Milliseconds in the queue. */
  waited: number;
  /** Milliseconds on the operation thread. */
  ran: number;
}

/** What an operation gives back; each fills what applies to it. */
export interface NativeOutcome {
  /** The links made, changed or read; see `completeLink`. */
  links: LinkBase[];
  /** File descriptors, now owned by the caller. */
  fds: number[];
  /** `describeHost`: the kernel's boot id (`/proc/sys/kernel/random/boot_id`). */
  bootId?: string;
  /** `describeHost`: `/etc/machine-id`, absent where there is none. */
  machineId?: string;
  /** `NetworkNamespace.open` and `describeHost`: the number of the namespace. */
  namespace?: number;
  work?: NativeWork;
}

/** Who has what was asked for: a process or a link. */
export type NativeHolder =
  | {
      pid: number;
      /** Its command; empty where that cannot be read. */
      name: string;
    }
  | {
      name: string;
      /** The kernel's word; empty for a physical link. */
      kind: string;
      /** Empty where there is none. */
      alias: string;
    };

/** What a rejected operation carries: the facts, without words for people. */
export interface NativeFailure {
  /** The kernel's error number; 0 where the library refused by itself. */
  errno: number;
  /** One of the addon's `reasons`. */
  reason: string;
  /** The operation's name. */
  operation: string;
  /** The step that failed, such as "create", "attach", "open /dev/net/tun". */
  step: string;
  /** The device the step was about. */
  device?: string;
  /** The kernel's own text (`NLMSGERR_ATTR_MSG`), if it gave one. */
  kernelMessage?: string;
  /** For `setting-ignored`: which field, what was asked, what is there. */
  attribute?: string;
  expected?: string;
  actual?: string;
  /** The parent or the bridge on which the device was to be. */
  on?: string;
  /** For `no-such-bridge` and `no-such-parent`: the names of those that there are, sorted. */
  existing?: string[];
  /** How many there are beside those named. */
  existingMore?: number;
  /** Who has it, as far as that can be told: a name, an index, a MAC, a tap; or a link itself. */
  holder?: NativeHolder;
  /** What could not be undone. */
  leftBehind?: string[];
  /** Absent where it was never queued. */
  work?: NativeWork;
}

/**
 * How an operation ended, as `NativeHandle.take` gives it: its outcome, its failure, or what is wrong
 * with its request; or, with `more`, a part of its links.
 */
export interface NativeSettled extends Partial<NativeOutcome> {
  /** Which operation; absent with `late`. */
  number?: number;
  /** It has not settled: these are some of its links. */
  more?: boolean;
  failure?: NativeFailure;
  wrong?: string;
  /** What went wrong with an operation after it had settled. */
  late?: NativeFailure;
}

/**
 * Operations, one behind the other: of each its number, from 1, its name and its request. The number is
 * what it settles by and is cancelled by.
 */
export type NativeCalls = (number | OperationName | NativeRequests[OperationName])[];

/** Some of what has settled. */
export interface NativeBatch {
  /** {@link NativeSettled}s, in JSON. */
  settled: string;
  /** There is more to take, which the event loop is given back before. */
  more: boolean;
}

/**
 * A native thread with a netlink socket in one network namespace.
 *
 * Requests and outcomes cross as JSON: V8 writes and parses it faster than C++ can take objects apart
 * and put them together, and on its side C++ does it on the native thread.
 */
export interface NativeHandle {
  /** Is called when there is something to take, and not again before all of it was taken. */
  onSettled: () => void;
  /** Queues {@link NativeCalls}, in JSON. */
  submit(calls: string): void;
  /** Takes some of what has settled; nothing when the process exits. */
  take(): NativeBatch | undefined;
  /**
   * Gives an operation up. True: it had not begun, and never will. False: it runs, and is undone at
   * its end where it can be; or it has settled. What was given up fails with reason "aborted".
   */
  cancel(number: number): boolean;
  /** Finishes what is queued, then ends the thread, which settles by this number. */
  close(number: number): void;
}

/** What has happened to one link since it was last told of. */
export interface NativeLinkNews {
  index: number;
  /** It was there when the watch began. */
  initial: boolean;
  /** What was told of is gone; a `link` besides is another one with its index. */
  removed: boolean;
  link?: LinkBase;
  /** What of it changed, where that is all that the kernel said. */
  port?: BridgePort;
  ipv6?: LinkIPv6;
}

/** A part of what has happened. */
export interface NativeLinkBatch {
  /** Oldest first, merged per link; none when the watch was closed. */
  news: NativeLinkNews[];
  /** More is to come that became news no later than this: what one link is may depend on it. */
  more: boolean;
}

/** A native thread that watches the links of one network namespace. */
export interface NativeLinkWatch {
  /**
   * What has happened. Waits until something has, and until all links were listed once. One call
   * at a time. Rejects with a {@link NativeFailure}.
   */
  next(): Promise<NativeLinkBatch>;
  /** Ends the thread. */
  close(): Promise<void>;
}

/** What came by a socket; without bytes, the other end is closed. */
export interface NativeFdMessage {
  data: Uint8Array;
  /** Now owned by the caller, who closes them by `closeQueue`. */
  fds: number[];
}

/**
 * A native thread that sends and receives by a unix stream socket. All reject with a
 * {@link NativeFailure}; `number`, from 1, is what `cancel` calls a call by.
 */
export interface NativeFdSocket {
  /** Connects a new socket to an address, as `sun_path` has it. */
  connect(address: Uint8Array, number: number): Promise<void>;
  /** The descriptors stay open, and the caller's, who must not close them before it has settled. */
  send(data: Uint8Array, fds: readonly number[], number: number): Promise<void>;
  receive(maxBytes: number, maxDescriptors: number, number: number): Promise<NativeFdMessage>;
  /** Gives a call up: it rejects with reason "aborted", or has settled. */
  cancel(number: number): void;
  /** Fails what waits, closes the socket, ends the thread. */
  close(): Promise<void>;
}

/** For {@link NativeSeam.arm}: what fails beside the one call. */
export interface NativeFaults {
  /** A second call, later than the first, that fails in the same way. */
  andAt?: number;
  /** Every call after the first fails, too. */
  fromThenOn?: boolean;
  /** The first call of each of these names fails, too. */
  firstOf?: string[];
  /** The name of a system call that is always refused with EPERM, and not counted. */
  refused?: string;
  /** The thread stands still before this call until `resume`, or until its handle's end. */
  pauseAt?: number;
}

/** Only in the test build: makes system calls of the core fail, or kills the process there. */
export interface NativeSeam {
  /**
   * The `at`-th system call (from 1) made by operations after this call fails with `errno`, or
   * with `errno` 0 the process is killed there by SIGKILL. At 0: none, but for what `more` names.
   */
  arm(at: number, errno: number, more?: NativeFaults): void;
  /** Disarms, and tells how many calls were made since `arm`, and the names of those that failed. */
  disarm(): { calls: number; struck: string[] };
  /** Whether a thread stands still at `pauseAt`. */
  isPaused(): boolean;
  /** Lets it go on. */
  resume(): void;
}

/** The addon's exports. */
export interface NativeAddon {
  /** Opens a handle, in the namespace of the process until `NetworkNamespace.open` says otherwise. */
  Handle: new () => NativeHandle;
  /**
   * Begins to watch: the process's own namespace, or that with this number, on which a handle is
   * open. `receiveBuffer`: bytes for events that the thread has not read yet.
   */
  LinkWatch: new (settings: {
    namespace?: number;
    receiveBuffer: number;
  }) => NativeLinkWatch;
  /**
   * A new socket, or one of this descriptor, which it closes. `isOwned`: it is one that the caller was
   * handed by the addon, and gives back.
   */
  FdSocket: new (
    fd?: number,
    isOwned?: boolean,
  ) => NativeFdSocket;
  /** The numbers of two connected sockets, now owned by the caller. */
  socketPair(): [number, number];
  /** Every reason a failure can carry. */
  reasons: string[];
  /**
   * Ends the threads of all handles: what runs is undone where it can be, what is queued is dropped,
   * and no promise settles any more. For the exit of the process.
   */
  endAll(): void;
  seam?: NativeSeam;
}
