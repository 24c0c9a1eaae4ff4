/**
 * What works in which container, and what is missing where it does not: the rows of the table in
 * docs/containers.md that are containers. Each has a network namespace of its own, or that of this
 * file where the links have to be made for it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished } from "vitest";
import { getLink, listLinks } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { runNode } from "../setup/child.js";
import { container, startContainer } from "../setup/container.js";
import { inventory } from "../setup/inventory.js";
import { stage } from "../setup/stage.js";
import { prepareSurvey, type Refusal, survey } from "../setup/survey.js";

const inContainer = needs("container");
const inPodman = needs("podman");
const inPodmanWithNode = needs("podman", "veth", "macvtap", "tun", "tap-node");
const withLinks = needs("podman", "veth", "macvtap", "bridge", "tun");

const nothing = "--cap-drop=all";
const limited = [nothing, "--cap-add=NET_ADMIN", "--device=/dev/net/tun"];
const besides = "… and";

stage(async () => {
  await listLinks();
});

const told = (refusals: Refusal[]): string[] =>
  refusals.map(({ call, reason }) => `${call}: ${reason}`);

/** A container with links of its own making. */
const surveyed = (situation: string, ...flags: string[]): Promise<Refusal[]> =>
  survey(situation, { under: container(...flags) }, { prepare: true });

/** A container in this file's namespace, with links that were made for it. */
async function surveyedHere(situation: string, ...flags: string[]): Promise<Refusal[]> {
  return await survey(situation, { under: container(`--join=${process.pid}`, ...flags) });
}

/** The device cgroup's rule for macvtaps, whose major number the kernel draws at boot. */
function macvtapRule(): string {
  const [, major] = /^ *(\d+) macvtap$/m.exec(readFileSync("/proc/devices", "utf8")) ?? [];
  return `--device-cgroup-rule=c ${major}:* rwm`;
}

const notClosed = [
  "createBridge: proc-sys-read-only",
  "createTap: proc-sys-read-only",
  "createTap, persist: false: proc-sys-read-only",
  "createMacvtap: proc-sys-read-only",
];
const noOtherNamespace = "NetworkNamespace.open: no-permission";

describe("a container", () => {
  inContainer("with --privileged can do everything", async () => {
    expect(await surveyed("`--privileged`", "--privileged")).toEqual([]);
  });

  inContainer("with CAP_NET_ADMIN and /dev/net/tun is refused what /proc/sys closes", async () => {
    const refusals = await surveyed("`--cap-add=NET_ADMIN --device=/dev/net/tun`", ...limited);
    expect(told(refusals)).toEqual([
      ...notClosed,
      "openMacvtap: mknod-not-allowed",
      noOtherNamespace,
    ]);
  });

  inContainer("whose defaults are closed needs not write /proc/sys", async () => {
    const settings = ["disable_ipv6=1", "accept_ra=0"];
    const flags = settings.map((setting) => `--sysctl=net.ipv6.conf.default.${setting}`);
    const refusals = await surveyed(`${besides} \`${flags.join(" ")}\``, ...limited, ...flags);
    expect(told(refusals)).toEqual(["openMacvtap: mknod-not-allowed", noOtherNamespace]);
  });

  inPodman("with a writable /proc/sys closes what it makes", async () => {
    const flag = "--security-opt=unmask=/proc/sys";
    const refusals = await surveyed(`${besides} \`${flag}\``, ...limited, flag);
    expect(told(refusals)).toEqual(["openMacvtap: mknod-not-allowed", noOtherNamespace]);
  });

  inContainer("with CAP_MKNOD alone may make a macvtap's node, and not open it", async () => {
    const refusals = await surveyed(
      `${besides} \`--cap-add=MKNOD\``,
      ...limited,
      "--cap-add=MKNOD",
    );
    expect(told(refusals)).toEqual([
      ...notClosed,
      "openMacvtap: device-not-allowed",
      noOtherNamespace,
    ]);
  });

  inContainer("with CAP_MKNOD and the device cgroup's leave opens it", async () => {
    const refusals = await surveyed(
      `${besides} \`--cap-add=MKNOD --device-cgroup-rule='c MAJOR:* rwm'\``,
      ...limited,
      "--cap-add=MKNOD",
      macvtapRule(),
    );
    expect(told(refusals)).toEqual([...notClosed, noOtherNamespace]);
  });

  inContainer("with CAP_SYS_ADMIN enters other namespaces", async () => {
    const flag = "--cap-add=SYS_ADMIN";
    const refusals = await surveyed(`${besides} \`${flag}\``, ...limited, flag);
    expect(told(refusals)).toEqual([...notClosed, "openMacvtap: mknod-not-allowed"]);
  });

  inPodmanWithNode("that is handed a macvtap's node opens it", async () => {
    await prepareSurvey();
    const { index } = await getLink("vtap0");
    const device = `--device=/dev/tap${index}`;
    const refusals = await surveyedHere(`${besides} \`--device=/dev/tapN\``, ...limited, device);
    expect(told(refusals)).toEqual([...notClosed, noOtherNamespace]);
  });

  withLinks("without /dev/net/tun makes everything but taps", async () => {
    await prepareSurvey();
    const refusals = await surveyedHere("`--cap-add=NET_ADMIN`", nothing, "--cap-add=NET_ADMIN");
    expect(told(refusals)).toContain("openTap: tun-device-missing");
  });

  withLinks(
    "without any right can read, changes nothing, and is told what is missing",
    async () => {
      await prepareSurvey();
      const before = await inventory();
      const refusals = await surveyedHere(
        "`--cap-drop=all --device=/dev/net/tun`",
        nothing,
        "--device=/dev/net/tun",
      );
      expect(await inventory()).toEqual(before);
      expect(new Set(refusals.map(({ reason }) => reason))).toEqual(
        new Set(["no-permission", "mknod-not-allowed"]),
      );
    },
  );
});

describe("examples/in-a-container.mjs", () => {
  const example = async (...flags: string[]): Promise<string[]> => {
    const { code, stdout } = await runNode(["examples/in-a-container.mjs"], {
      under: container(...flags),
    });
    expect(code).toBe(0);
    return stdout.trimEnd().split("\n");
  };

  inContainer("asks for closed, and takes less knowingly", async () => {
    expect(await example("--privileged")).toEqual([
      expect.stringMatching(/^fltap\w+: the host's IPv6 is closed$/),
    ]);
    expect(await example(...limited)).toEqual([
      expect.stringMatching(/^fltap\w+: the host's IPv6 is reduced/),
    ]);
  });
});

describe("what a container was made of", () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const)
    inPodman(`is gone when the script that runs it gets ${signal}`, async () => {
      const running = await startContainer();
      onTestFinished(() => void running.script.kill("SIGKILL"));
      expect(running.processes().length).toBeGreaterThan(2);
      expect(await running.cgroups()).not.toEqual([]);
      running.script.kill(signal);
      await expect.poll(running.processes, { timeout: 20_000 }).toEqual([]);
      // The cgroups are left to the next run where the script could not remove them itself.
      await runNode(["--eval", ""], { under: container() });
      expect(await running.cgroups()).toEqual([]);
    });
});
