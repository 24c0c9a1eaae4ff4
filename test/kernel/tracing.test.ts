/** What the tracing channels tell of real operations. */
import { tracingChannel } from "node:diagnostics_channel";
import { expect } from "vitest";
import { NetworkNamespace, type OperationTrace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addParent } from "../setup/iproute2.js";

needs(
  "veth",
  "macvtap",
  "proc-sys",
)("every operation tells its sends and its time", async () => {
  await addParent();
  const traces: OperationTrace[] = [];
  const { asyncEnd } = tracingChannel<unknown, OperationTrace>("flintap:operation");
  const listener = (trace: unknown): number => traces.push(trace as OperationTrace);
  asyncEnd.subscribe(listener);
  const namespace = NetworkNamespace.current({ owner: "me" });
  const guest = await namespace.createMacvtap({ parent: "enp0" });
  await namespace.deleteLink(guest);
  const gone = await namespace.getLink(guest).catch((error: unknown) => error);
  const watch = namespace.watchLinks();
  await watch.ready;
  await watch.close();
  await namespace.close();
  asyncEnd.unsubscribe(listener);

  const device = guest.name;
  expect(traces).toMatchObject([
    // A look-up, the create with its marks, "up" with the reading back.
    { operation: "createMacvtap", owner: "me", device, outcome: "done", sends: 3 },
    { operation: "deleteLink", owner: "me", device, outcome: "done", sends: 2 },
    { operation: "getLink", owner: "me", device, outcome: "failed", sends: 1, error: gone },
    { operation: "watchLinks", owner: "me", outcome: "done" },
  ]);
  for (const { ran, waited } of traces.slice(0, 3)) {
    expect(ran).toBeGreaterThan(0);
    expect(waited).toBeGreaterThan(0);
  }
});
