/** Two processes that start the same guest: one of them gets its queues. */
import { describe, expect } from "vitest";
import { turnName } from "../../src/desired/turns.js";
import { type Microvm, provision, release } from "../../src/flintlock/index.js";
import { NetworkNamespace } from "../../src/index.js";
import { operationsOf } from "../../src/network-namespace.js";
import { Conversation } from "../setup/conversation.js";
import { config, hostOfFile, onHost } from "../setup/host.js";
import { linkNames } from "../setup/iproute2.js";
import { repetitions } from "../setup/repetitions.js";

const [macvtap, tap] = [
  { deviceId: "eth1", type: "macvtap" },
  { deviceId: "eth2", type: "tap" },
] as const;

const host = hostOfFile();
const rounds = repetitions(40);

/** Provisions at a line, tells what came of it, and keeps what it was given until the next. */
const program = (interfaces: Microvm["interfaces"]) => `
  import { createInterface } from "node:readline";
  import { NetworkNamespace } from "flintap";
  import { provision } from "flintap/flintlock";
  const namespace = NetworkNamespace.current();
  await namespace.getLink("lo");
  console.log("ready");
  let kept = [];
  for await (const line of createInterface({ input: process.stdin })) {
    await Promise.all(kept.map((queue) => queue.close()));
    kept = [];
    if (line === "close") {
      console.log("closed");
      continue;
    }
    const microvm = { id: line, namespace: "ns1", interfaces: ${JSON.stringify(interfaces)} };
    try {
      const config = ${JSON.stringify(config)};
      const { interfaces } = await provision(microvm, { config, namespace, for: "qemu" });
      kept = interfaces.flatMap((entry) => entry.queues);
      console.log("given " + kept.length);
    } catch (error) {
      console.log(error.reason);
    }
  }
  await namespace.close();
`;

describe("two processes that start the same guest at once", () => {
  for (const interfaces of [[macvtap], [tap], [tap, macvtap], [macvtap, tap]])
    onHost(`with ${interfaces.map(({ type }) => type).join(" and ")}: one gets it`, async () => {
      const before = await linkNames();
      const pair = [new Conversation(program(interfaces)), new Conversation(program(interfaces))];
      await Promise.all(pair.map((one) => one.answer()));
      for (let round = 0; round < rounds; round += 1) {
        const answers = await Promise.all(pair.map((one) => one.ask(`mvm${round}`)));
        expect(answers.sort()).toEqual([`given ${interfaces.length}`, "queues-held"]);
        // What the other has been given is there.
        expect(await linkNames()).toHaveLength(before.length + interfaces.length);
        await Promise.all(pair.map((one) => one.ask("close")));
        const microvm = { id: `mvm${round}`, namespace: "ns1", interfaces };
        await release(microvm, { namespace: host.namespace });
      }
      await Promise.all(pair.map((one) => one.end()));
      expect(await linkNames()).toEqual(before);
    });
});

onHost("who waits for another process can give up, and nothing was done", async () => {
  const { namespace } = host;
  const microvm = { id: "mvm1", namespace: "ns1", interfaces: [macvtap] };
  const before = await linkNames();
  await provision(microvm, { config, namespace });
  const made = await linkNames();
  // Stands for the other process.
  await using other = NetworkNamespace.current();
  const name = turnName(other.owner, "ns1/mvm1");
  const { fds } = await operationsOf(other).run("claimName", { name });
  const signal = AbortSignal.timeout(100);
  await expect(release(microvm, { namespace, signal })).rejects.toBe(
    await new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason))),
  );
  expect(await linkNames()).toEqual(made);
  await operationsOf(other).closeFd(fds[0] ?? -1, name);
  await release(microvm, { namespace });
  expect(await linkNames()).toEqual(before);
});
