/**
 * Flintlock's words: its host configuration, its microVM specs, and the devices that they ask for.
 *
 * ```ts
 * import { NetworkNamespace } from "flintap";
 * import { loadConfig, loadSpec, provision, release } from "flintap/flintlock";
 *
 * await using namespace = NetworkNamespace.current();
 * const microvm = await loadSpec("spec.json");
 * const { status } = await provision(microvm, { config: await loadConfig(), namespace });
 * await release(microvm, { namespace });
 * ```
 *
 * @module
 */
export { type HostConfig, loadConfig, parseConfig } from "./config.js";
export type { MicrovmName } from "./description.js";
export { UnreadableDocumentError } from "./document-file.js";
export { type DocumentIssue, InvalidDocumentError } from "./invalid-document.js";
export type {
  InterfaceType,
  Microvm,
  MicrovmInterface,
  MicrovmSpec,
  SpecKind,
  StaticAddress,
} from "./microvm.js";
export { hostDeviceName, microvmName } from "./names.js";
export {
  type Provisioned,
  type ProvisionOptions,
  provision,
  type ReleasedInterface,
  release,
} from "./service.js";
export { loadSpec, loadSpecs, parseSpec, parseSpecs, type SpecOptions } from "./spec.js";
export type { InterfaceStatus, NetworkStatus, ProvisionedInterface } from "./status.js";
