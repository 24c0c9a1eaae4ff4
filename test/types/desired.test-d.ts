import { expectTypeOf, test } from "vitest";
import {
  type Applied,
  apply,
  type BridgeUsage,
  type Collected,
  collectGarbage,
  type DesiredDevice,
  type Difference,
  type KeeperReport,
  keepInState,
  type Link,
  type NetworkNamespace,
  type Plan,
  type PlanStep,
  plan,
  type StateKeeper,
} from "../../src/index.js";

const tag = { interface: "eth1" };

test("a device that is wanted has a name, a tag and what its kind takes", () => {
  expectTypeOf({ kind: "tap", name: "t", tag } as const).toExtend<DesiredDevice>();
  expectTypeOf({
    kind: "macvtap",
    name: "m",
    parent: "enp0",
    tag,
  } as const).toExtend<DesiredDevice>();
  // @ts-expect-error a macvtap has a parent
  ({ kind: "macvtap", name: "m", tag }) satisfies DesiredDevice;
  // @ts-expect-error it is told apart by its interface
  ({ kind: "tap", name: "t", tag: {} }) satisfies DesiredDevice;
  // @ts-expect-error port settings need a bridge
  ({ kind: "tap", name: "t", isolated: true, tag }) satisfies DesiredDevice;
  const bridges = { bridge: "br0", otherBridges: ["br1"] };
  expectTypeOf({ kind: "tap", name: "t", ...bridges, tag } as const).toExtend<DesiredDevice>();
  // @ts-expect-error there are no other bridges without a first
  ({ kind: "tap", name: "t", otherBridges: ["br1"], tag }) satisfies DesiredDevice;
  // @ts-expect-error released Firecracker opens no macvtap
  ({ kind: "macvtap", name: "m", parent: "enp0", for: "firecracker", tag }) satisfies DesiredDevice;
});

test("a step is narrowed by its action", () => {
  const narrow = (step: PlanStep): void => {
    if (step.action === "repair") expectTypeOf(step.changes).toEqualTypeOf<Difference[]>();
    if (step.action === "create") expectTypeOf(step).not.toHaveProperty("link");
    if (step.action === "remove") expectTypeOf(step.link).toEqualTypeOf<Link>();
  };
  expectTypeOf(narrow).toBeFunction();
});

test("collecting takes what is to stay, or what says so", () => {
  expectTypeOf(collectGarbage).returns.resolves.toEqualTypeOf<Collected>();
  const keep = [{ microvm: "default/vm1" }] as const;
  expectTypeOf(collectGarbage).toBeCallableWith({ owner: "me", keep });
  expectTypeOf(collectGarbage).toBeCallableWith({ owner: "me", keep: async () => keep });
  // @ts-expect-error what is not known is no empty list
  void collectGarbage({ owner: "me", keep: undefined });
  // @ts-expect-error the same
  void collectGarbage({ owner: "me" });
});

test("plans and applying them need to know whose devices and where", () => {
  expectTypeOf(plan).returns.resolves.toEqualTypeOf<Plan>();
  expectTypeOf<Applied["nearlyFull"]>().toEqualTypeOf<BridgeUsage[]>();
  expectTypeOf(apply).parameter(1).toExtend<{ namespace: NetworkNamespace }>();
  // @ts-expect-error no handle
  void plan({ devices: [] });
});

test("a report is narrowed by its type", () => {
  const narrow = (report: KeeperReport): void => {
    if (report.type === "drift") expectTypeOf(report.link).toEqualTypeOf<Link | undefined>();
    if (report.type === "repaired") expectTypeOf(report.link).toEqualTypeOf<Link>();
    if (report.type === "guest-lost")
      expectTypeOf(report.needs).toEqualTypeOf<"new-fd" | "restart">();
    if (report.type === "unwanted") expectTypeOf(report.device).toEqualTypeOf<undefined>();
  };
  expectTypeOf(narrow).toBeFunction();
  expectTypeOf(keepInState).returns.toEqualTypeOf<StateKeeper>();
  const namespace = {} as NetworkNamespace;
  expectTypeOf(keepInState).toBeCallableWith({ devices: [] }, { namespace, report: narrow });
  // @ts-expect-error nobody would hear of it
  keepInState({ devices: [] }, { namespace });
});
