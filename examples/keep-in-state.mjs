// Keeps a tap on its bridge: somebody detaches it, and deletes it.
//   node keep-in-state.mjs [bridge]
import { formatReport, keepInState, NetworkNamespace } from "flintap";

const [bridge = "br0"] = process.argv.slice(2);
const tag = { microvm: "default/vm1", interface: "eth1" };
const devices = [{ kind: /** @type {const} */ ("tap"), name: "guest1", bridge, tag }];
const namespace = NetworkNamespace.current();

let repaired = () => {};
/** @type {import("flintap").KeepOptions["report"]} */
const report = (told) => {
  console.log(formatReport(told));
  if (told.type === "repaired") repaired();
};
const keeper = keepInState({ devices }, { namespace, report, repair: true });
await keeper.ready; // it was not there

for (const disturb of ["detachFromBridge", "deleteLink"]) {
  const done = new Promise((resolve) => {
    repaired = () => resolve(undefined);
  });
  await namespace[/** @type {"deleteLink"} */ (disturb)]("guest1");
  await done;
}

await keeper.close();
await namespace.deleteLink("guest1");
await namespace.close();
