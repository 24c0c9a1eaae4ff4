/**
 * What to do about a refusal, for who has a shell and no JavaScript: where the library's own hint
 * speaks of calls and options. docs/errors.md has both.
 *
 * Has type imports only, so that scripts/errors-page.mjs can read it without building the package.
 */
import type { FailureFacts, Reason, ReasonEntry } from "../reasons.js";

const netns = "--netns chooses the namespace in which it is looked for.";
const enters = ["NetworkNamespace.open", "enter the network namespace"];

/** By reason; a reason without one has the library's. */
export const commandHints: Partial<Record<Reason, ReasonEntry["hint"]>> = {
  "no-such-link":
    "The device was deleted, renamed or moved to another namespace meanwhile. Run the command again.",
  "no-such-parent": `Check parent-iface in the config. ${netns}`,
  "no-such-bridge": `Make the bridge first (ip link add NAME type bridge), or check bridge-name in the config and in the spec. ${netns}`,
  "not-a-bridge":
    "Check bridge-name in the config and in the spec. A guest on an ordinary interface takes a macvtap (type 0), with that interface as parent-iface.",
  "name-taken":
    "Delete the link that has it, or give it another name. Nothing was done to that link.",
  "alt-name-taken":
    "Take the name from the link that has it (ip link property del dev LINK altname NAME). Nothing was done to that link.",
  "duplicate-mac":
    "Give each guest a MAC of its own, or leave it out of the spec and one is chosen. The link that has it may be a leftover: flintap list --all, ip -d link show type macvtap.",
  "bridge-full":
    "A bridge holds 1,023 ports. Name several as bridge-name's list (bridge-name: [br0, br1]) and the guests are spread over them, and look for leftovers: ip link show master BRIDGE.",
  "other-master": "Take it from there first: ip link set LINK nomaster.",
  "parent-wireless":
    "Take a wired parent. Where there is only a wireless one, guests go on a bridge of their own (taps, type 1), from which the host routes or masquerades.",
  "no-permission": ({ operation = "", step = "" }: FailureFacts) =>
    enters.includes(operation) || enters.includes(step)
      ? "Entering another network namespace takes CAP_SYS_ADMIN. Be root, or run flintap in it with CAP_NET_ADMIN and without --netns: ip netns exec NAME flintap …, nsenter --net=PATH flintap …"
      : "It takes CAP_NET_ADMIN: run it by sudo, or give it to the container (--cap-add=NET_ADMIN for podman and docker run) or the service (AmbientCapabilities=CAP_NET_ADMIN for systemd).",
  "proc-sys-read-only":
    "Three ways out: have the namespace's default closed already (net.ipv6.conf.default.disable_ipv6=1: --sysctl of podman and docker run); give the process a writable /proc/sys (podman run --security-opt=unmask=/proc/sys, docker run --security-opt=systempaths=unconfined); or say --host-ipv6 reduced, with which a router advertisement still gives the host an address and a route on the device.",
  "not-ours": "Somebody else made it. If it is another owner's of yours, name that with --owner.",
  "other-namespace": "The device was moved meanwhile. Run the command again, there with --netns.",
  "link-is-up": "End its guest, set it down (ip link set LINK down), and run the command again.",
  "outcome-unknown":
    "What was changed was taken back, but for what is left behind. Look (flintap list), and run the command again. Lost answers mean that the socket's receive buffer is too small: CAP_NET_ADMIN enlarges it.",
  aborted:
    "What is left behind is still there, or not as it was. Run the command again, or flintap down.",
  platform: "Run it on Linux.",
  "not-repairable":
    "Ask for what it is, or say --replace: then it is deleted and made anew, and a guest that uses it loses it.",
  "duplicate-guest-mac":
    "Give each guest a MAC of its own, or leave it out of the spec and one is chosen. If the other device is a leftover: flintap down --id ID.",
};

/** What to do about a failure, if that is not what the library says. */
export function commandHint(reason: Reason, facts: FailureFacts): string | undefined {
  const hint = commandHints[reason];
  return typeof hint === "function" ? hint(facts) : hint;
}
