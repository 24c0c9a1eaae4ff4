/**
 * The handle on a network namespace: its calls, in the caller's terms.
 *
 * What a call takes is checked and put together in create-requests.ts and requests.ts, the order is
 * kept in operations.ts, what the kernel is asked is the native side's. Every method is async and
 * awaits, so that V8 can follow a failure's stack back to the caller.
 */
import type { NativeAddon, NativeOutcome } from "./addon.js";
import { argumentError } from "./check.js";
import {
  createBridgeRequest,
  createMacvtapRequest,
  createTapRequest,
  createVethRequest,
} from "./create-requests.js";
import type {
  BridgeLink,
  Link,
  LinkBase,
  LinkOfKind,
  LinkReference,
  MacvtapLink,
  TapLink,
  VethLink,
} from "./link.js";
import { LinkWatch } from "./link-watch.js";
import { loadAddon } from "./load-addon.js";
import { linkOf } from "./native-link.js";
import { Operations } from "./operations.js";
import type {
  AttachOptions,
  CreateBridgeOptions,
  CreateMacvtapOptions,
  CreateTapOptions,
  CreateVethOptions,
  DeleteOptions,
  DeleteResult,
  Ephemeral,
  LinkChanges,
  ListKindOptions,
  ListOptions,
  MoveOptions,
  NamespaceOptions,
  NamespaceTarget,
  OpenMacvtapOptions,
  OpenNamespaceOptions,
  OperationOptions,
  Persistent,
  ReadOptions,
  SetOptions,
  WatchOptions,
} from "./options.js";
import { DeviceQueue, type EphemeralTap, ephemeralTap } from "./queue.js";
import {
  attachRequest,
  deleteLinksRequests,
  deleteRequest,
  detachRequest,
  findRequest,
  getLinkRequest,
  listRequest,
  moveRequest,
  namespaceOptions,
  openMacvtapRequest,
  openNamespaceOptions,
  openNamespaceRequest,
  openTapRequest,
  setRequest,
  watchRequest,
} from "./requests.js";
import { signalOf } from "./shared-options.js";
import { tagPrefix } from "./tag.js";

/** The operations of a handle, for what the package builds on it beside its calls. */
export let operationsOf: (namespace: NetworkNamespace) => Operations;

/**
 * A network namespace, with a native thread and a socket of its own.
 *
 * Calls run in the order in which they were made, one after the other. Calls that wait keep the
 * process alive; an idle handle does not.
 *
 * Wrong arguments are a TypeError or RangeError, before anything is sent. Else a call rejects with a
 * {@link FlintapError}; below stand the reasons that are a call's own. Any may have `"no-permission"`,
 * `"closed"`, `"outcome-unknown"`, `"aborted"` and `"kernel"`; one that names a link `"no-such-link"`
 * and `"other-namespace"`; one that makes a device `"name-taken"`, `"alt-name-taken"`,
 * `"index-taken"`, `"invalid-mac"`, `"mtu-out-of-range"`, `"kind-unsupported"` and
 * `"setting-ignored"`. One that fails has left nothing, but for what the error's `leftBehind` names.
 */
export class NetworkNamespace implements AsyncDisposable {
  /** Whose devices these are; see {@link NamespaceOptions.owner}. */
  readonly owner: string;
  readonly #addon: NativeAddon;
  readonly #operations: Operations;
  /** The number of the namespace, where it is not the process's own. */
  #number?: number;
  /** The number of the process's own, when a call had to know it. */
  #asked?: Promise<number>;

  static {
    operationsOf = (namespace) => namespace.#operations;
  }

  /** @internal */
  constructor(addon: NativeAddon, owner: string) {
    this.owner = owner;
    this.#addon = addon;
    this.#operations = new Operations(addon, owner);
  }

  /**
   * A new handle on the process's own namespace. Throws a FlintapError where the native addon
   * cannot be loaded.
   */
  static current(options: NamespaceOptions = {}): NetworkNamespace {
    const place = { call: "NetworkNamespace.current", argument: "options" };
    const { owner = "flintap" } = namespaceOptions(options, place);
    return new NetworkNamespace(loadAddon(), owner);
  }

  /**
   * A handle on another network namespace: only its own thread enters it, nothing else of the
   * process does. Takes CAP_SYS_ADMIN in the user namespace that owns it, and in one's own.
   *
   * The handle keeps the namespace alive: it goes on working when the name is unmounted or the last
   * process in it ends, and the links go when the handle is closed. Rejects with reason
   * `"no-such-namespace"`, `"not-a-namespace"` or `"no-permission"`; then nothing is open.
   */
  static async open(
    target: NamespaceTarget,
    options: OpenNamespaceOptions = {},
  ): Promise<NetworkNamespace> {
    const call = "NetworkNamespace.open";
    const request = openNamespaceRequest(target, { call, argument: "target" });
    const { owner = "flintap" } = openNamespaceOptions(options, { call, argument: "options" });
    const namespace = new NetworkNamespace(loadAddon(), owner);
    try {
      const opened = await namespace.#operations.run(
        "NetworkNamespace.open",
        request,
        signalOf(options),
      );
      namespace.#number = opened.namespace;
    } catch (error) {
      await namespace.close();
      throw error;
    }
    return namespace;
  }

  /**
   * Makes a macvtap. Its guest must use the link's `mac`. Rejects with `"no-such-parent"`,
   * `"parent-busy"`, `"parent-unusable"`, `"parent-wireless"`, `"duplicate-mac"`, `"mtu-above-parent"`,
   * `"proc-sys-read-only"` and, for a parent elsewhere, `"namespace-not-open"`.
   */
  async createMacvtap(options: CreateMacvtapOptions): Promise<MacvtapLink> {
    const request = createMacvtapRequest(options);
    const { links } = await this.#operations.create("createMacvtap", request, signalOf(options));
    return linkOf(links[0]);
  }

  /** Makes a tap that goes when the last of its queues is closed; they are handed out. */
  createTap(options: CreateTapOptions & Ephemeral): Promise<EphemeralTap>;
  /** Makes a tap that stays until it is deleted. */
  createTap(options?: CreateTapOptions & Persistent): Promise<TapLink>;
  /**
   * Makes a tap; only one that is not persistent has queues. Rejects with `"tun-device-missing"`,
   * `"tun-not-allowed"`, `"no-such-bridge"`, `"not-a-bridge"`, `"bridge-full"`, `"too-many-queues"`
   * and `"proc-sys-read-only"`.
   */
  createTap(options: CreateTapOptions): Promise<TapLink | EphemeralTap>;
  async createTap(options: CreateTapOptions = {}): Promise<TapLink | EphemeralTap> {
    const request = createTapRequest(options);
    const { links, fds } = await this.#operations.create("createTap", request, signalOf(options));
    const queues = fds.map((fd) => this.#queue(fd, links[0]));
    const link = linkOf<TapLink>(links[0]);
    return queues.length === 0 ? link : ephemeralTap(link, queues);
  }

  /**
   * Makes a bridge. By default it has a MAC of its own, no spanning tree and no forward delay, and
   * is deaf to router advertisements. Rejects with `"setting-unsupported"` and
   * `"proc-sys-read-only"`.
   */
  async createBridge(options: CreateBridgeOptions = {}): Promise<BridgeLink> {
    const request = createBridgeRequest(options);
    const { links } = await this.#operations.create("createBridge", request, signalOf(options));
    return linkOf(links[0]);
  }

  /** Makes a veth pair; gives both ends, the peer second. */
  async createVeth(options: CreateVethOptions = {}): Promise<[VethLink, VethLink]> {
    const request = createVethRequest(options);
    const { links } = await this.#operations.create("createVeth", request, signalOf(options));
    return [linkOf(links[0]), linkOf(links[1])];
  }

  /**
   * Makes a link a port of a bridge, with the port settings named. A port of another master stays
   * there, unless forced. Rejects with `"no-such-bridge"`, `"not-a-bridge"`, `"bridge-full"`,
   * `"other-master"`, `"cannot-be-port"`, `"setting-unsupported"` and `"setting-ignored"`.
   */
  async attachToBridge(
    link: LinkReference,
    bridge: LinkReference,
    options: AttachOptions = {},
  ): Promise<Link> {
    const request = attachRequest(link, bridge, options);
    const { links } = await this.#operations.run("attachToBridge", request, signalOf(options));
    return linkOf(links[0]);
  }

  /**
   * Takes a link out of the bridge of which it is a port; one that is none stays as it is. Rejects
   * with `"not-a-bridge"`.
   */
  async detachFromBridge(link: LinkReference, options: OperationOptions = {}): Promise<Link> {
    const request = detachRequest(link, options);
    const { links } = await this.#operations.run("detachFromBridge", request, signalOf(options));
    return linkOf(links[0]);
  }

  /**
   * Deletes a link that has this handle's owner in its tag, or, forced, any but a physical one.
   * Rejects with `"not-ours"` and `"physical-link"`.
   *
   * Settles when the kernel tells that the link is gone, after about a millisecond (a bridge: some
   * 20): its name can be used again. The kernel goes on cleaning up for 15 to 20 ms, on a thread of
   * the handle's, which `close()` waits for.
   *
   * Deletes that are called right after each other go to the kernel together, as `deleteLinks` does.
   */
  async deleteLink(link: LinkReference, options: DeleteOptions = {}): Promise<void> {
    const request = deleteRequest(link, options, tagPrefix(this.owner));
    await this.#operations.run("deleteLink", request, signalOf(options));
  }

  /**
   * Changes a link: everything that is named, or nothing. What fails in the middle is put back.
   *
   * A link that flintap made is addressed by its identity, also by who holds it under its old name.
   * Only a new name goes by index, as the kernel has it: whose index it is, is looked at in the same
   * send right before, and another link that was renamed all the same gets its name back.
   *
   * What the kernel keeps beside a value is not put back: that a bridge's MAC and MTU were set by
   * hand, addresses that closing took, the MTU of links that stand on it. A process that is killed in
   * the middle has made some of the changes; closed before it is up again, a link is even then.
   *
   * Rejects with `"tagged"`, `"name-taken"`, `"alt-name-taken"`, `"no-such-alt-name"`,
   * `"invalid-name"`, `"invalid-mac"`, `"duplicate-mac"`, `"mtu-above-parent"`,
   * `"mtu-out-of-range"`, `"link-is-up"`, `"no-ipv6"`, `"proc-sys-read-only"` and
   * `"setting-ignored"`.
   */
  async setLink(
    link: LinkReference,
    changes: LinkChanges,
    options: SetOptions = {},
  ): Promise<Link> {
    const request = setRequest(link, changes, options);
    const { links } = await this.#operations.run("setLink", request, signalOf(options));
    return linkOf(links[0]);
  }

  /**
   * Moves a link that has this handle's owner in its tag, or, forced, any, to the namespace of
   * another handle, and gives it as it is there: up if it was, with the same marks, and with the
   * host's IPv6 as it was. On this handle the held link is ENODEV from then on.
   *
   * A port has to be detached first: the kernel would take it out of its bridge without a word. It
   * refuses to move `lo` and bridges (reason `"cannot-move"`), and where the name, an alt name or the
   * index is taken there; a link that flintap has not made gets another index instead. An open queue
   * goes on working. The addresses and routes of the host on the link are gone, as the kernel has
   * it. What fails is moved back. Takes CAP_SYS_ADMIN, as `NetworkNamespace.open` does. Rejects with
   * `"not-ours"`, `"physical-link"`, `"other-master"`, `"name-taken"`, `"alt-name-taken"`,
   * `"index-taken"` and `"proc-sys-read-only"` as well.
   */
  async moveLink(
    link: LinkReference,
    target: NetworkNamespace,
    options: MoveOptions = {},
  ): Promise<Link> {
    if (!(target instanceof NetworkNamespace)) {
      const place = { call: "moveLink", argument: "target" };
      throw argumentError("ERR_INVALID_ARG_TYPE", "a NetworkNamespace", place, target);
    }
    const request = moveRequest(link, options, tagPrefix(this.owner));
    const number = target.#whichOne();
    const letGo = target.#operations.hold();
    try {
      const { links } = await this.#operations.runWith(
        number,
        "moveLink",
        (known) => ({ ...request, target: known }),
        signalOf(options),
      );
      return linkOf(links[0]);
    } finally {
      letGo();
    }
  }

  /**
   * Deletes links, and tells of each what became of it, in the order in which they were named. One
   * that can't be deleted keeps no other from it. Each is settled as by `deleteLink`.
   *
   * They go to the kernel in chunks of up to 128, each as one link group, so that it cleans up once
   * for all of them. For that they are put into a group of which nobody else knows: a random number from
   * 2,147,483,648 up. A link that another program puts into that group in the same moment is
   * deleted as well; a process that is killed in it leaves links there, with their tags. One that
   * cannot be deleted is put back into the group in which it was.
   *
   * When the signal fires, the chunk that has begun is finished, and the links of later ones stay.
   *
   * A link that is named twice is deleted once, and not there the second time. A link that goes with
   * another one, such as a veth's other end, counts as deleted if both are in the same chunk.
   */
  async deleteLinks(
    links: readonly LinkReference[],
    options: DeleteOptions = {},
  ): Promise<DeleteResult[]> {
    const requests = deleteLinksRequests(links, options, tagPrefix(this.owner));
    const named = [...links];
    // V8 keeps ten frames of an error's stack: a function more in between would lose the caller.
    const outcomes = await Promise.allSettled(
      requests.map((request) => this.#operations.run("deleteLink", request, signalOf(options))),
    );
    return outcomes.map((outcome, at) => {
      const link = named[at] as LinkReference;
      return outcome.status === "fulfilled"
        ? { link, deleted: true }
        : { link, deleted: false, error: outcome.reason };
    });
  }

  /** Reads one link. */
  async getLink(link: LinkReference, options: ReadOptions = {}): Promise<Link> {
    const request = getLinkRequest(link, options);
    const { links } = await this.#operations.run("getLink", request, signalOf(options));
    return linkOf(links[0]);
  }

  /**
   * Finds links by their names and alt names, all in one send: what it costs does not grow with the
   * links that there are. A name that nobody has is left out; a link comes once.
   */
  async findLinks(names: readonly string[], options: OperationOptions = {}): Promise<Link[]> {
    const request = findRequest(names, options);
    const { links } = await this.#operations.run("findLinks", request, signalOf(options));
    const byIndex = new Map(links.map((link) => [link.index, link]));
    return [...byIndex.values()].map((link) => linkOf<Link>(link));
  }

  /** Lists the links of one of the kinds that flintap knows. */
  listLinks<Kind extends Link["kind"]>(options: ListKindOptions<Kind>): Promise<LinkOfKind<Kind>[]>;
  /** Lists the links for which everything named holds. */
  listLinks(options?: ListOptions): Promise<Link[]>;
  async listLinks(options: ListOptions = {}): Promise<Link[]> {
    const { request, matches } = listRequest(options);
    const { links } = await this.#operations.run("listLinks", request, signalOf(options));
    return links.map((link) => linkOf<Link>(link)).filter(matches);
  }

  /**
   * Watches the links of the namespace, on a thread and a socket of its own. It begins at once and
   * goes on when the handle is closed; {@link LinkWatch.ready} says when nothing is missed any
   * more.
   *
   * Told of is what rtnetlink tells of: everything that a link has but its counters. The host's
   * IPv6 is told of when it is opened, not when it is closed. Of a link that is down, the kernel
   * keeps some changes to itself (alias, alt names, group, port settings, details) until something
   * else of it changes, at the latest when it is set up. A port that leaves its bridge is a change,
   * a link that moves to another namespace a removal.
   */
  watchLinks(options: WatchOptions = {}): LinkWatch {
    const request = watchRequest(options);
    this.#operations.requireOpen("watchLinks");
    return new LinkWatch(this.#addon, { ...request, owner: this.owner, namespace: this.#number });
  }

  /**
   * Opens a queue of a macvtap, verified to be this link's. Each open is one more queue over which
   * the kernel spreads the guest's frames, so a second one in this process is refused unless it
   * is asked for. What other processes have open cannot be seen. Rejects with `"not-a-macvtap"`,
   * `"queue-already-open"`, `"mknod-not-allowed"`, `"device-not-allowed"`, `"sysfs-foreign"` and
   * `"too-many-queues"`.
   */
  async openMacvtap(link: LinkReference, options: OpenMacvtapOptions = {}): Promise<DeviceQueue> {
    const request = openMacvtapRequest(link, options);
    return this.#onlyQueue(await this.#operations.run("openMacvtap", request, signalOf(options)));
  }

  /**
   * Opens a queue of a tap, verified to be this link's. Rejects with `"not-a-tap"`, `"tap-held"`,
   * `"too-many-queues"`, `"tun-device-missing"` and `"tun-not-allowed"`.
   */
  async openTap(link: LinkReference, options: OperationOptions = {}): Promise<DeviceQueue> {
    const request = openTapRequest(link, options);
    return this.#onlyQueue(await this.#operations.run("openTap", request, signalOf(options)));
  }

  /**
   * Finishes what was called before, then ends the thread. Devices stay, and so do open queues;
   * these can still be closed.
   */
  async close(): Promise<void> {
    await this.#operations.close();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The number of the namespace, asked for once. A failure is that of the call that asked. */
  #whichOne(): number | Promise<number> {
    this.#operations.requireOpen("moveLink");
    if (this.#number !== undefined) return this.#number;
    this.#asked ??= this.#operations.namespace().catch((thrown: unknown) => {
      this.#asked = undefined;
      throw thrown;
    });
    return this.#asked;
  }

  #queue(fd: number, link: LinkBase | undefined): DeviceQueue {
    const device = link?.name ?? "a device";
    return new DeviceQueue(fd, device, (open) => this.#operations.closeFd(open, device));
  }

  #onlyQueue({ fds: [fd], links: [link] }: NativeOutcome): DeviceQueue {
    if (fd === undefined) throw new Error("The addon gave no descriptor.");
    return this.#queue(fd, link);
  }
}
