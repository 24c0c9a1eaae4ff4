/**
 * What works for which user, and what is missing where it does not: the rows of the table in
 * docs/containers.md that are ordinary processes. /dev/net is one of this file's own, with a
 * /dev/net/tun that all may open, as udev makes it.
 */
import { execFileSync } from "node:child_process";
import { chownSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { getLink, listLinks } from "../../src/index.js";
import { missing, needs, ordinaryUser } from "../setup/capabilities.js";
import { inventory } from "../setup/inventory.js";
import { unshare, unshareArguments } from "../setup/namespace.js";
import { readableCopy } from "../setup/readable-copy.js";
import { stage } from "../setup/stage.js";
import { prepareSurvey, type Refusal, survey } from "../setup/survey.js";

const links = ["root", "veth", "macvtap", "bridge", "tun", "mknod", "proc-sys"] as const;
const asRoot = needs(...links);
const asUser = needs(...links, "tap-node");
const inUserNamespace = needs(...links, "tap-node", "ordinary-user");

/** As systemd's `AmbientCapabilities=CAP_NET_ADMIN` starts a service's `User=`. */
const serviceUser = [
  ...["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
  ...["--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin"],
  "--bounding-set=-all,+net_admin",
];

let folder = "";

stage(async () => {
  await listLinks();
});

beforeAll(() => {
  folder = readableCopy("test/container");
  if (missing("mknod") !== undefined) return;
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev/net"]);
  execFileSync("mknod", ["-m", "666", "/dev/net/tun", "c", "10", "200"]);
});

afterAll(() => rmSync(folder, { recursive: true }));

const told = (refusals: Refusal[]): string[] =>
  refusals.map(({ call, reason }) => `${call}: ${reason}`);

const noOtherNamespace = "NetworkNamespace.open: no-permission";

describe("a process", () => {
  asRoot("of root's can do everything", async () => {
    await prepareSurvey();
    expect(await survey("root", {})).toEqual([]);
  });

  asUser("with CAP_NET_ADMIN alone is refused root's /dev/tapN and other namespaces", async () => {
    await prepareSurvey();
    const situation = "ordinary user, `AmbientCapabilities=CAP_NET_ADMIN`";
    const refusals = await survey(situation, { under: serviceUser }, { folder });
    expect(told(refusals)).toEqual(["openMacvtap: device-not-allowed", noOtherNamespace]);
  });

  asUser("opens a /dev/tapN that is its user's", async () => {
    await prepareSurvey();
    const { index } = await getLink("vtap0");
    chownSync(`/dev/tap${index}`, 65_534, 65_534);
    const situation = "… and owner of `/dev/tapN`";
    const refusals = await survey(situation, { under: serviceUser }, { folder });
    expect(told(refusals)).toEqual([noOtherNamespace]);
  });

  inUserNamespace("in a user namespace of its own is root there", async () => {
    const [, ...rest] = unshareArguments;
    const own = [unshare, "--user", "--map-root-user", "--net", ...rest];
    const situation = "root of a user namespace (`unshare --user --map-root-user --net --mount`)";
    const refusals = await survey(
      situation,
      { under: [...ordinaryUser, ...own] },
      { folder, prepare: true },
    );
    expect(told(refusals)).toEqual(["openMacvtap: device-not-allowed"]);
  });

  asUser("without any right can read, changes nothing, and is told what is missing", async () => {
    await prepareSurvey();
    const before = await inventory();
    const refusals = await survey("ordinary user", { under: [...ordinaryUser] }, { folder });
    expect(await inventory()).toEqual(before);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(
      new Set(["no-permission", "device-not-allowed"]),
    );
  });
});
