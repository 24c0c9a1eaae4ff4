/**
 * Flintlock's words: its host configuration, its microVM specs, the devices that they ask for, and
 * what the VMM and the guest are told of these.
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
export {
  type CloudHypervisorAddNet,
  type CloudHypervisorNetFds,
  type CloudHypervisorNetwork,
  cloudHypervisorNetwork,
} from "./cloud-hypervisor.js";
export { type HostConfig, loadConfig, parseConfig } from "./config.js";
export type { MicrovmName } from "./description.js";
export type { DescriptorOptions } from "./descriptors.js";
export { type DeviceSettings, desiredDevices } from "./devices.js";
export { UnreadableDocumentError } from "./document-file.js";
export {
  type FirecrackerInterface,
  type FirecrackerMmds,
  type FirecrackerNetwork,
  type FirecrackerOptions,
  firecrackerNetwork,
} from "./firecracker.js";
export { type DocumentIssue, InvalidDocumentError } from "./invalid-document.js";
export { metadataInterface, withMetadataInterface } from "./metadata.js";
export type {
  InterfaceType,
  Microvm,
  MicrovmInterface,
  MicrovmSpec,
  SpecKind,
  StaticAddress,
} from "./microvm.js";
export { hostDeviceName, microvmName, microvmTags } from "./names.js";
export {
  type EthernetConfig,
  type NetworkConfig,
  networkConfig,
  networkConfigParameter,
  networkConfigYaml,
} from "./network-config.js";
export {
  type InterfaceDetails,
  type InterfaceInput,
  type NetworkPort,
  networkPort,
} from "./port.js";
export { type QemuNetwork, type QemuOptions, qemuNetwork } from "./qemu.js";
export {
  type DesiredNetworkOptions,
  desiredNetwork,
  type Provisioned,
  type ProvisionOptions,
  provision,
  type ReleasedInterface,
  type ReleaseOptions,
  release,
} from "./service.js";
export { loadSpec, loadSpecs, parseSpec, parseSpecs, type SpecOptions } from "./spec.js";
export type { InterfaceStatus, NetworkStatus, ProvisionedInterface } from "./status.js";
