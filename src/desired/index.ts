/** Desired state: compared with what there is, planned, and applied. */
export { type Applied, type AppliedDevice, type ApplyOptions, apply } from "./apply.js";
export { type BridgeUsage, type BridgeUsageOptions, bridgeUsage } from "./bridge-usage.js";
export type {
  BridgeChoice,
  ChosenHere,
  DesiredDevice,
  DesiredDeviceBase,
  DesiredMacvtap,
  DesiredTap,
} from "./device.js";
export type { Difference, Value } from "./difference.js";
export {
  type AdoptStep,
  type ChangeStep,
  type CreateStep,
  changesNothing,
  type DesiredState,
  type DeviceStep,
  type FoundStep,
  type Plan,
  type PlanOptions,
  type PlanStep,
  plan,
  type RefuseStep,
  type RemoveStep,
  type RepairStep,
  type ReplaceStep,
  type WantedStep,
} from "./plan.js";
export { formatPlan } from "./plan-text.js";
