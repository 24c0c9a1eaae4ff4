/** A keeper whose system calls fail. */
import { expect } from "vitest";
import { FlintapError, keepInState, NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { ip, link } from "../setup/iproute2.js";
import { ReportLog } from "../setup/report-log.js";
import { seam } from "../setup/seam.js";

needs(
  "seam",
  "tun",
  "proc-sys",
)("what is not wanted and could not be deleted is told once, and deleted later", async () => {
  await using namespace = NetworkNamespace.current();
  await namespace.createTap({ name: "guest0", tag: { microvm: "ns1/other" } });
  const log = new ReportLog();
  const state = { devices: [], prune: [{ microvm: "ns1/mvm1" }] };
  await using keeper = keepInState(state, { namespace, repair: true, report: log.add });
  await keeper.ready;
  const alias = (await link("guest0"))?.ifalias ?? "";
  seam().arm(0, 0, { refused: "sendmsg" });
  try {
    await ip("link set guest0 alias", alias.replace("ns1/other", "ns1/mvm1"));
    expect((await log.next("unwanted")).link.name).toBe("guest0");
    const failed = await log.next("failed");
    expect(failed).toMatchObject({ link: { name: "guest0" }, error: expect.any(FlintapError) });
    expect(failed.error).toMatchObject({ reason: "no-permission", operation: "keepInState" });
    await ip("link set guest0 mtu 1400");
  } finally {
    seam().disarm();
  }
  await keeper.look();
  expect((await log.next("removed")).link.name).toBe("guest0");
  expect(log.rest()).toEqual([]);
  expect(await link("guest0")).toBeUndefined();
});
