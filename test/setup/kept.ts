/** Devices of a host that are kept in state, for the tests of a keeper. */
import {
  apply,
  type DesiredDevice,
  type Difference,
  type KeepOptions,
  keepInState,
  type NetworkNamespace,
  plan,
  type StateKeeper,
} from "../../src/index.js";
import { macvtap, tap as plainTap } from "./host.js";
import { ReportLog } from "./report-log.js";

/** A tap whose port has a setting. */
export const tap = { ...plainTap, isolated: true };

/** One device of each kind. */
export const devices: DesiredDevice[] = [macvtap, tap];

/** How a test has devices that are there, and their keeper once it has looked. */
export function keptOn(host: { readonly namespace: NetworkNamespace }) {
  return async (
    options: Partial<KeepOptions> = {},
    wanted: DesiredDevice[] = devices,
  ): Promise<{ keeper: StateKeeper; log: ReportLog }> => {
    const { namespace } = host;
    await apply(await plan({ devices: wanted }, { namespace }), { namespace });
    const log = new ReportLog();
    const keeper = keepInState({ devices: wanted }, { namespace, report: log.add, ...options });
    await keeper.ready;
    return { keeper, log };
  };
}

/** The fields of which a report tells. */
export const fieldsOf = ({ changes }: { changes: Difference[] }) =>
  changes.map(({ field }) => field);
