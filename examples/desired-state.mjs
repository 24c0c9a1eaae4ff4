// What is wanted, compared with what there is: planned, shown, applied; and again after a drift.
//   node desired-state.mjs [bridge]
import { apply, changesNothing, formatPlan, NetworkNamespace, plan } from "flintap";

const [bridge = "br0"] = process.argv.slice(2);
const tag = { microvm: "default/vm1", interface: "eth1" };
const devices = [{ kind: /** @type {const} */ ("tap"), name: "guest1", bridge, mtu: 1_400, tag }];
const wanted = { devices, prune: [{ microvm: tag.microvm }] };

const namespace = NetworkNamespace.current();
await apply(await plan(wanted, { namespace }), { namespace });
await namespace.detachFromBridge("guest1"); // somebody does

const repair = await plan(wanted, { namespace });
console.log(formatPlan(repair));
await apply(repair, { namespace });
console.log(changesNothing(await plan(wanted, { namespace })) ? "as wanted" : "not as wanted");

await apply(await plan({ ...wanted, devices: [] }, { namespace }), { namespace });
await namespace.close();
