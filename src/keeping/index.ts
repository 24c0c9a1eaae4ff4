/** Keeping devices as they are wanted. */
export { type KeepOptions, keepInState, StateKeeper } from "./keeper.js";
export { formatReport } from "./report-text.js";
export type {
  Contested,
  Drift,
  GuestLost,
  KeeperReport,
  KeepingFailed,
  Removed,
  Repaired,
  Settled,
  Unwanted,
} from "./reports.js";
