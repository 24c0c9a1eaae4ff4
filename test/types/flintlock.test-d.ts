/** The types of `flintap/flintlock`, as a program that imports it sees them. */
import { expectTypeOf, test } from "vitest";
import type {
  cloudHypervisorNetwork,
  FirecrackerNetwork,
  firecrackerNetwork,
  NetworkConfig,
  networkConfigParameter,
  networkConfigYaml,
  Provisioned,
} from "../../src/flintlock/index.js";

test("what provision gives is what the VMM and the guest are described by", () => {
  type Interfaces = Provisioned["interfaces"];
  expectTypeOf<Interfaces>().toExtend<Parameters<typeof firecrackerNetwork>[0]>();
  expectTypeOf<Interfaces>().toExtend<Parameters<typeof cloudHypervisorNetwork>[0]>();
  expectTypeOf<NetworkConfig>().toExtend<Parameters<typeof networkConfigYaml>[0]>();
  expectTypeOf<NetworkConfig>().toExtend<Parameters<typeof networkConfigParameter>[0]>();
});

test("Firecracker's metadata service may be missing, its interfaces not", () => {
  expectTypeOf<FirecrackerNetwork["mmds-config"]>().toEqualTypeOf<
    { network_interfaces: string[] } | undefined
  >();
  expectTypeOf<FirecrackerNetwork["network-interfaces"]>().toBeArray();
});
