/**
 * The network devices of microVMs: macvtap on a parent interface, tap on a bridge.
 *
 * The functions work in the process's own network namespace; the same calls are methods of a
 * {@link NetworkNamespace}.
 *
 * @module
 */
export { readAttributes, type UnknownAttribute } from "./attributes.js";
export { Descriptor } from "./descriptor.js";
export * from "./desired/index.js";
export { FlintapError } from "./error.js";
export {
  type FdMessage,
  FdSocket,
  type FdSocketOptions,
  type FdSocketPair,
  type ReceiveOptions,
} from "./fd-socket.js";
export {
  type Collected,
  type CollectOptions,
  collectGarbage,
  type FailedLink,
} from "./garbage/collect.js";
export type { UnclearLink } from "./garbage/sorting.js";
export { handOver } from "./hand-over.js";
export type { SocketReply } from "./http-reply.js";
export * from "./keeping/index.js";
export type * from "./link.js";
export type {
  LinkAdded,
  LinkChanged,
  LinkEvent,
  LinkField,
  LinkRemoved,
} from "./link-state.js";
export { LinkWatch } from "./link-watch.js";
export { NetworkNamespace } from "./network-namespace.js";
export type * from "./options.js";
export {
  attachToBridge,
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  deleteLink,
  deleteLinks,
  detachFromBridge,
  findLinks,
  getLink,
  listLinks,
  moveLink,
  openMacvtap,
  openTap,
  setLink,
  watchLinks,
} from "./own-namespace.js";
export { DeviceQueue, type EphemeralTap } from "./queue.js";
export type { Reason } from "./reasons.js";
export { requestOverSocket, type SocketRequest } from "./socket-request.js";
export { parseTag, type Tag, type TagParts, tagMatches } from "./tag.js";
export type { OperationTrace } from "./tracing.js";
export type { Vmm, VmmByDescriptor, VmmByName } from "./vmm.js";
