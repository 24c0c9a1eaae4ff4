/**
 * What each reason of a failure means, and what to do about it: the source of the errors'
 * messages and hints, and of docs/errors.md.
 *
 * Knows nothing of how errors are made (error.ts). Has type imports only, so that
 * scripts/errors-page.mjs can read it without building the package.
 */
import type { NativeFailure } from "./addon.js";

/** What a hint may depend on. */
export type FailureFacts = Partial<
  Pick<NativeFailure, "operation" | "step" | "device" | "attribute" | "kernelMessage">
>;

/** One reason. */
export interface ReasonEntry {
  /** What went wrong, as a clause that follows "createTap fltap0:". */
  summary: string;
  /** What to do. */
  hint: string | ((failure: FailureFacts) => string);
  /** The code, where it is always the library's own; otherwise it is the errno's name. */
  code?: string;
  /** The errnos that it usually comes with. */
  errnos?: readonly string[];
}

/** The operations for which docs/errors.md gives the hints of their own. */
export const hintedOperations = [
  "NetworkNamespace.open",
  "moveLink",
  "setLink",
  "openTap",
  "createBridge",
  "FdSocket.send",
  "FdSocket.receive",
] as const;

/** The kernel module that the kind of link of an operation needs. */
const modules: Readonly<Record<string, string>> = {
  createMacvtap: "macvtap",
  createTap: "tun",
  createBridge: "bridge",
  createVeth: "veth",
  attachToBridge: "bridge",
};

/** How to come by CAP_NET_ADMIN. */
const netAdmin =
  "Root of the user namespace that owns the network namespace has it; others get it by AmbientCapabilities=CAP_NET_ADMIN (a systemd service), --cap-add=NET_ADMIN (podman and docker run) or securityContext.capabilities.add: [NET_ADMIN] with runAsUser: 0 (Kubernetes).";

const tapOwners =
  "A tap is opened by the user and the group it was made for (uid, gid or anyUser of createTap), or with CAP_NET_ADMIN.";

/** The kernel's text (`br_add_if`) for what says of itself that it is no port: Wi-Fi stations. */
const notForBridges = "Device does not allow enslaving to a bridge";

/** How a container comes by a setting of its namespace, and by settings that can be written. */
const sysctl = "--sysctl of podman and docker run, securityContext.sysctls of a Kubernetes pod";
const writable =
  "podman run --security-opt=unmask=/proc/sys, docker run --security-opt=systempaths=unconfined, no ProtectKernelTunables= in a systemd unit";

/** The reasons that the native side gives. */
export const reasons = {
  "no-such-link": {
    summary: "there is no such link",
    hint: "The link was deleted, renamed or moved to another namespace, or never was here. A held link is addressed by its identity, so another link with the same name or index is not taken for it.",
    errnos: ["ENODEV"],
  },
  "no-such-parent": {
    summary: "the parent does not exist",
    hint: "Check the name of the parent interface, and that the handle is on the namespace in which it is.",
    errnos: ["ENODEV"],
  },
  "no-such-bridge": {
    summary: "the bridge does not exist",
    hint: "Make the bridge first (createBridge), and check that the handle is on the namespace in which it is.",
    errnos: ["ENODEV"],
  },
  "not-a-bridge": {
    summary: "the master is not a bridge",
    hint: "Attach to a link of kind 'bridge', and detach from one. A guest on an ordinary interface takes a macvtap with that interface as its parent.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "name-taken": {
    summary: "a link of that name exists already",
    hint: ({ operation = "" }) =>
      operation === "moveLink"
        ? "Give the link another name there (option name), or delete the link that has it. Nothing was done to that link."
        : operation === "setLink"
          ? "Choose another name; the step says which one it is. Nothing was done to the link that has it."
          : "Leave the name out and the library chooses a free one, or delete the link that has it. Nothing was done to that link.",
    errnos: ["EEXIST"],
  },
  "alt-name-taken": {
    summary: "the name is taken, since names and alternative names are unique together",
    hint: "Choose another name, or take it from the link that has it (setLink with removeAltNames, or with another name). Nothing was done to that link.",
    errnos: ["EEXIST"],
  },
  "index-taken": {
    summary: "a link with that index exists already",
    hint: ({ operation = "" }) =>
      operation === "moveLink"
        ? "The link keeps its index when it moves. Delete the link that has it there, or make this one there."
        : "Leave the index out and the library chooses a free one.",
    errnos: ["EEXIST"],
  },
  "invalid-name": {
    summary: "the kernel does not take that name",
    hint: "A name has 1 to 15 bytes without '/', ':', '%' and white space, and is not '.' or '..'.",
    errnos: ["EINVAL", "ERANGE"],
  },
  "duplicate-mac": {
    summary: "another macvtap that is up on the same parent, or the parent itself, has that MAC",
    hint: "Give each guest a MAC of its own, or leave it out and the library chooses one. The link that has it may be a leftover: listLinks({ kind: 'macvtap', parent }).",
    errnos: ["EADDRINUSE"],
  },
  "invalid-mac": {
    summary: "the kernel does not take that MAC",
    hint: "A device's MAC is a unicast one (the first byte is even) and not zero.",
    errnos: ["EADDRNOTAVAIL"],
  },
  "mtu-above-parent": {
    summary: "the MTU is above the parent's",
    hint: ({ operation = "" }) =>
      operation === "setLink"
        ? "Raise the parent's MTU first."
        : "Raise the parent's MTU first, or leave mtu out: then it is the parent's.",
    errnos: ["EINVAL"],
  },
  "mtu-out-of-range": {
    summary: "the driver does not take that MTU",
    hint: "Stay between the link's minMtu and maxMtu.",
    errnos: ["EINVAL", "ERANGE"],
  },
  "bridge-full": {
    summary: "the bridge has no free port",
    hint: "A bridge holds 1,023 ports. Spread the guests over several bridges (a list as bridgeName of the host's config, otherBridges of a tap that is wanted), and look for leftovers: listLinks({ master }).",
    errnos: ["EXFULL"],
  },
  "other-master": {
    summary: "the link is a port of a master",
    hint: ({ operation = "" }) =>
      operation === "moveLink"
        ? "Detach it first (detachFromBridge): a bridge and its ports are in one namespace."
        : "Detach it there first (detachFromBridge), or say force: true to take it from there.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "cannot-be-port": {
    summary: "the link cannot be a port of a bridge",
    hint: ({ kernelMessage }) =>
      kernelMessage === notForBridges
        ? "This is most likely a wireless interface: the access point takes frames of the interface's own MAC only, so the kernel lets no station be a port. Use a wired interface; or leave the bridge without one and have the host route between it and the wireless interface."
        : "A macvtap, the parent of a macvtap, a bridge, a loopback link and a wireless station cannot be ports: something else takes their frames, or they send only frames of their own. A guest on a bridge needs a tap.",
    errnos: ["EBUSY", "ELOOP", "EOPNOTSUPP", "EINVAL"],
  },
  "parent-busy": {
    summary: "something else takes the parent's frames",
    hint: "The parent is a port of a bridge or a bond, has a macvtap in mode 'passthru', or has other macvtaps and cannot take one in that mode. Take the bridge or the bond itself as the parent, or free the interface.",
    errnos: ["EBUSY", "EINVAL"],
  },
  "parent-unusable": {
    summary: "the kernel does not take this link as a parent",
    hint: "A macvtap stands on an Ethernet-like link: a wired interface, a bond, a veth, a bridge. Not on 'lo'.",
    errnos: ["EINVAL"],
  },
  "parent-wireless": {
    summary: "the parent is a wireless interface, whose access point drops frames of any other MAC",
    hint: "Take a wired parent. On a wireless one, mode: 'passthru' gives one guest the interface's own MAC, and no other; several guests go on a bridge of their own (createBridge, createTap), from which the host routes or masquerades.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "no-permission": {
    summary: "the process may not do that",
    hint: ({ operation = "", step = "" }) => {
      if (operation === "NetworkNamespace.open" || step === "enter the network namespace")
        return "Entering another network namespace takes CAP_SYS_ADMIN (--cap-add=SYS_ADMIN for a container), both in the user namespace that owns it and in one's own; through a process of another user also CAP_SYS_PTRACE. Be root, or run the program in it (ip netns exec, nsenter --net) with CAP_NET_ADMIN and use the functions of the module.";
      return operation === "openTap"
        ? `${tapOwners} ${netAdmin}`
        : `It needs CAP_NET_ADMIN. ${netAdmin}`;
    },
    errnos: ["EPERM", "EACCES"],
  },
  "kind-unsupported": {
    summary: "the kernel has no links of this kind",
    hint: ({ operation = "" }) => {
      const module = modules[operation];
      return module === undefined
        ? "Load the kernel module of the kind (macvtap, tun, bridge or veth), or use a kernel that has it."
        : `Load the kernel module: modprobe ${module}. If there is none, this kernel was built without it.`;
    },
    errnos: ["EOPNOTSUPP", "ENODEV", "ENXIO"],
  },
  "setting-unsupported": {
    summary: "the kernel does not support a setting of the request",
    hint: "The kernel's own text, where there is one, names the setting: leave it out, or use a kernel that was built with it (vlanFiltering needs CONFIG_BRIDGE_VLAN_FILTERING). Without such a text it may be the kind of link that the kernel does not know.",
    errnos: ["EOPNOTSUPP"],
  },
  "setting-ignored": {
    summary: "the kernel accepted the request and ignored a setting",
    hint: ({ attribute = "the setting" }) =>
      `This kernel does not know or not allow ${attribute} here. Leave it out, or use a kernel that has it.`,
    code: "ERR_FLINTAP_IGNORED",
  },
  "proc-sys-read-only": {
    summary:
      "the host's IPv6 on the device cannot be set as asked, since /proc/sys is read-only or hidden",
    hint: ({ operation }) =>
      operation === "createBridge"
        ? `Three ways out: have the namespace's default deaf already (net.ipv6.conf.default.accept_ra=0: ${sysctl}); give the process a writable /proc/sys (${writable}); or say acceptRouterAdvertisements: true, with which a router advertisement gives the host an address and a route on the bridge.`
        : operation === "moveLink"
          ? `Two ways out: have the target namespace's default closed already (net.ipv6.conf.default.disable_ipv6=1: ${sysctl}); or give the process a writable /proc/sys (${writable}).`
          : operation === "setLink"
            ? `Give the process a writable /proc/sys (${writable}). On a link that is open, hostIPv6: 'reduced' needs none. An MTU of 1,280 and more makes IPv6 anew where there was none, so it is refused too, unless the namespace's default is closed (net.ipv6.conf.default.disable_ipv6=1: ${sysctl}).`
            : `Three ways out: have the namespace's default closed already (net.ipv6.conf.default.disable_ipv6=1: ${sysctl}); give the process a writable /proc/sys (${writable}); or say hostIPv6: 'reduced', with which a router advertisement still gives the host an address and a route on the device.`,
    errnos: ["EROFS", "EACCES", "ENOENT"],
  },
  "tun-device-missing": {
    summary: "/dev/net/tun is not there, or is not the tun device",
    hint: "Load the module (modprobe tun). In a container, pass the device in: --device=/dev/net/tun for podman and docker run, a device plugin in Kubernetes. A mount of a path that the host lacks (-v /dev/net/tun) makes a folder of that name.",
    errnos: ["ENOENT", "ENODEV", "ENXIO", "EISDIR", "ENOTDIR", "ENOTTY"],
  },
  "tun-not-allowed": {
    summary: "/dev/net/tun may not be opened",
    hint: "With EACCES, the file's mode keeps this user out: chmod 666 /dev/net/tun, the mode that udev gives it, which by itself lets nobody have a tap that has an owner. With EPERM, the device cgroup does: --device=/dev/net/tun for podman and docker run, a device plugin in Kubernetes (a hostPath volume brings the file alone), DeviceAllow=/dev/net/tun for a systemd service.",
    errnos: ["EACCES", "EPERM"],
  },
  "tap-held": {
    summary: "the tap's only queue is open already, in this process or another",
    hint: "A tap without multiQueue can be open once: end the VMM that has it (the error's holder, where this process may look into that one), or make the tap with multiQueue: true.",
    errnos: ["EBUSY"],
  },
  "not-a-tap": {
    summary: "the link is not a tap",
    hint: "openTap takes a link of kind 'tun' with details.type 'tap'; for a macvtap it is openMacvtap.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "not-a-macvtap": {
    summary: "the link is not a macvtap",
    hint: "openMacvtap takes a link of kind 'macvtap'; for a tap it is openTap.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "queue-already-open": {
    summary: "this process has a queue of the macvtap open already",
    hint: "Each open is one more queue, and traffic is spread over all of them: use the queue that is open, or close it first. A VMM that reads several says additionalQueue: true.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "microvm-busy": {
    summary: "another process is giving the microVM its devices, or taking them",
    hint: "It was waited for. See which other daemon, or flintap command, works on the same microVM of the same owner.",
    errnos: ["EADDRINUSE"],
  },
  "queues-held": {
    summary: "a process has queues of the guest's device open",
    hint: 'Its VMM still runs: wait for the end of that process (the error\'s holder, where this process may look into that one) before the guest is started again. To look after the devices of a guest that runs, say guest: "running" to provision.',
    errnos: ["EBUSY"],
  },
  "mknod-not-allowed": {
    summary: "there is no device node of the macvtap, and none may be made",
    hint: "A container with a /dev of its own sees no /dev/tapN. Either hand it in (--device=/dev/tapN, where N is the link's index), or let the process make one, which takes CAP_MKNOD, a /dev that the user may write to or CAP_SYS_ADMIN, and the device cgroup's leave: --cap-add=MKNOD --device-cgroup-rule='c MAJOR:* rwm', where MAJOR is macvtap's number in /proc/devices.",
    errnos: ["EPERM", "EACCES"],
  },
  "device-not-allowed": {
    summary: "the device node may not be opened",
    hint: "With EACCES, the mode of /dev/tapN keeps this user out, which is root's until a udev rule gives it away (SUBSYSTEM==\"macvtap\", OWNER=\"user\"). With EPERM, the device cgroup does: --device-cgroup-rule='c MAJOR:* rwm' for podman and docker run, where MAJOR is macvtap's number in /proc/devices, or DeviceAllow=char-macvtap for a systemd service.",
    errnos: ["EPERM", "EACCES"],
  },
  "sysfs-foreign": {
    summary:
      "no sysfs of this network namespace can be had, so the macvtap's device number is not known",
    hint: "Mount one in the namespace (mount -t sysfs sysfs /sys), or give the process CAP_SYS_ADMIN, with which the library mounts a private one.",
    errnos: ["EPERM", "ENOENT"],
  },
  "physical-link": {
    summary: "the link is a physical one, or lo",
    hint: ({ operation = "" }) =>
      operation === "moveLink"
        ? "Without it the host may be cut off. To move a physical one all the same, say force: true; lo stays where it is."
        : "Only a link that was made by software can be deleted.",
    errnos: ["EOPNOTSUPP"],
  },
  "not-ours": {
    summary: "the link has no tag of this handle's owner",
    hint: "Somebody else made it. To do it all the same, say force: true. If its tag names another owner of yours, use a handle with that owner.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "too-many-queues": {
    summary: "the device has no room for one more queue",
    hint: "A multi-queue device has at most 256 queues, any other one. Close queues that nobody reads.",
    errnos: ["E2BIG", "EBUSY", "EUSERS"],
  },
  "no-such-namespace": {
    summary: "there is no such network namespace",
    hint: "Check the path (ip netns keeps its names in /run/netns) or that the process lives. A namespace without process, name or open handle is gone, and its links with it.",
    errnos: ["ENOENT", "ENOTDIR", "ESRCH"],
  },
  "not-a-namespace": {
    summary: "this is no network namespace",
    hint: "A network namespace is a file such as /run/netns/NAME or /proc/PID/ns/net, or a descriptor of one. An ordinary file in its place is what a name of ip netns leaves behind when it was not mounted.",
    errnos: ["EINVAL", "EBADF"],
  },
  "other-namespace": {
    summary: "the link is in another network namespace",
    hint: "Call it on the handle of the namespace in which it was read (link.namespace). A link that was moved is the one that moveLink gave.",
    errnos: ["ENODEV"],
  },
  "namespace-not-open": {
    summary: "no handle is open on the other link's network namespace",
    hint: "Keep the handle from which the link came, or to which it is to go, open until the call has settled.",
    code: "ERR_FLINTAP_REFUSED",
  },
  tagged: {
    summary: "the link's alias is a tag of flintap",
    hint: "Whose the device is and what for stands there. To overwrite it all the same, say force: true among the options, behind the changes; then no owner finds the device any more.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "link-is-up": {
    summary: "the kernel changes that only on a link that is down",
    hint: "Set it down in the same call (up: false), and up again by another one. Before Linux 6.2 that holds for a new name; for a new MAC, it is up to the driver.",
    errnos: ["EBUSY"],
  },
  "no-such-alt-name": {
    summary: "the link has no such alt name",
    hint: "Read the link (getLink) to see the alt names that it has.",
    errnos: ["EINVAL", "ENOENT"],
  },
  "no-ipv6": {
    summary: "the link has no IPv6 that could be opened",
    hint: "With an MTU below 1,280 a link has none: raise it in the same call. Otherwise this kernel has no IPv6, or it is switched off (ipv6.disable=1).",
    code: "ERR_FLINTAP_REFUSED",
  },
  "cannot-move": {
    summary: "the kernel does not let this link leave its network namespace",
    hint: "A bridge, lo and some others stay where they were made. Make such a link in the other namespace, by a handle opened there.",
    errnos: ["EINVAL"],
  },
  "socket-unreachable": {
    summary: "no stream socket can be reached at that path",
    hint: "A VMM makes its API socket once it runs (--api-socket of Cloud Hypervisor): wait for it, and check the path. ECONNREFUSED: who listened has ended, or it is no socket. EACCES: the mode of the socket or of a directory above it keeps this user out. EPROTOTYPE: it is not a stream socket.",
    errnos: ["ENOENT", "ECONNREFUSED", "EACCES", "ENOTDIR", "EPROTOTYPE", "ELOOP"],
  },
  "not-adoptable": {
    summary: "the descriptor is none that can be taken over",
    hint: "FdSocket.adopt takes a connected unix stream socket that this process inherited, by its place in the stdio of who spawned it, and each only once; or one that flintap has handed out, as the object that it is.",
    errnos: ["EBADF", "ENOTSOCK", "EPROTOTYPE", "EBUSY"],
  },
  "peer-closed": {
    summary: "the other end of the socket is closed",
    hint: "Who has it closed it, or ended. What leftBehind names had been sent by then; whether it was read is not known.",
    errnos: ["EPIPE", "ECONNRESET"],
  },
  "too-many-descriptors": {
    summary: "there are more descriptors than there is room for",
    hint: ({ operation, step }) =>
      operation === "FdSocket.send"
        ? "A user without CAP_SYS_RESOURCE has no more descriptors under way in sockets than it may have open (RLIMIT_NOFILE): the other end has to receive those sent before."
        : operation === "FdSocket.receive" || step === "receive"
          ? "More came than maxDescriptors says, or than this process may open (RLIMIT_NOFILE). Those that came were closed, and the bytes beside them are lost: close the socket."
          : "EMFILE: this process has as many open as it may (RLIMIT_NOFILE; LimitNOFILE= of a systemd unit, --ulimit=nofile= of podman and docker run). Each open queue and each open handle takes some. ENFILE: the machine has (fs.file-max).",
    errnos: ["ETOOMANYREFS", "EMFILE", "ENFILE"],
  },
  "outcome-unknown": {
    summary: "the kernel's answer was lost",
    hint: "What the call changed was taken back, but for what leftBehind names; whether a deleteLink had its effect is not known, so read the link (getLink). Lost answers mean that the socket's receive buffer is too small: CAP_NET_ADMIN lets the library enlarge it.",
    code: "ERR_FLINTAP_UNKNOWN_OUTCOME",
    errnos: ["ENOBUFS"],
  },
  closed: {
    summary: "the handle or the socket is closed",
    hint: ({ operation = "" }) =>
      operation.startsWith("FdSocket.")
        ? "Make a new socket, or close this one later. One that has sent a message in part sends nothing more."
        : "Make a new handle, or close this one later.",
    code: "ERR_FLINTAP_CLOSED",
  },
  aborted: {
    summary: "it was given up in the middle",
    hint: "What leftBehind names is still there, or not as it was: delete or restore it, or do the same again. Where everything could be undone, the call rejects with the signal's reason instead.",
    code: "ERR_FLINTAP_ABORTED",
    errnos: ["ECANCELED"],
  },
  kernel: {
    summary: "the kernel refused",
    hint: ({ step }) =>
      step === "find the network namespace"
        ? "A network namespace has its number from /proc: mount it (mount -t proc proc /proc)."
        : "The library knows nothing finer than the code, the step and the kernel's own text.",
  },
} as const satisfies Record<string, ReasonEntry>;

/** The reasons that TypeScript gives by itself. */
export const facadeReasons = {
  platform: {
    summary: "flintap works on Linux only",
    hint: "The types and the error classes can be imported anywhere; calls need Linux.",
    code: "ERR_FLINTAP_PLATFORM",
  },
  addon: {
    summary: "the native addon cannot be loaded",
    hint: "Build it from source: npm explore flintap -- npm run build:addon, in a checkout npm run setup (needs a C++20 compiler, make and Python).",
    code: "ERR_FLINTAP_ADDON",
  },
  "invalid-reply": {
    summary: "the other end did not answer as HTTP/1.1 has it",
    hint: "Check that the socket is the API socket of a VMM. The reply may have up to 16 MiB, and no transfer encoding; what was sent has arrived, and may have had its effect.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "not-repairable": {
    summary: "the device is not as it is wanted, and that cannot be changed while it lives",
    hint: "Ask for what it is, or say that it may be replaced (option replace): then it is deleted and made anew, and a guest that uses it loses it.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "duplicate-guest-mac": {
    summary: "another guest on the same bridge or parent has that MAC",
    hint: "Give each guest a MAC of its own, or leave it out and the library chooses one. If the other device is a leftover, release its microVM first.",
    code: "ERR_FLINTAP_REFUSED",
  },
  "no-queues": {
    summary: "the VMM would have to be handed a queue of the device, and there is none",
    hint: 'Give provision the VMM (for: "qemu" or "cloud-hypervisor"), so that it opens the queues of the devices. With guest: "running" only devices that were made have some: the others are those of the guest that runs.',
    code: "ERR_FLINTAP_REFUSED",
  },
  "vmm-kind": {
    summary: "the VMM, Firecracker as it is released, opens no macvtap",
    hint: 'Give the interface a tap (type 1 in the spec), run the guest by Cloud Hypervisor, or say for: "firecracker-macvtap" if it is the branch of Firecracker that opens /dev/tapN.',
    code: "ERR_FLINTAP_REFUSED",
  },
} as const satisfies Record<string, ReasonEntry>;

/** Why something failed, finer than the code; stable. */
export type Reason = keyof typeof reasons | keyof typeof facadeReasons;
