/**
 * While an operation that has to go by index stands before each of its system calls, its link goes,
 * and another one gets that index. Nothing is done to that one, or it is undone.
 */
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { type Link, NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { type IpLink, ip, link } from "../setup/iproute2.js";
import { meetAtEveryCall } from "../setup/seam.js";
import { removeLinks } from "../setup/stage.js";
import { closeElsewhere, elsewhere, openElsewhere } from "./elsewhere.js";

let steady: NetworkNamespace;

beforeAll(async () => {
  await openElsewhere();
  steady = NetworkNamespace.current();
});

afterEach(tidyUp);

afterAll(async () => {
  await steady.close();
  await closeElsewhere();
});

async function tidyUp(): Promise<void> {
  const { handle } = elsewhere();
  for (const namespace of [steady, handle])
    for (const { name } of await namespace.listLinks({ kind: "veth" }))
      if (/^(victim|moved|stranger)0$/.test(name))
        await namespace.deleteLink(name, { force: true });
}

const makers = {
  "a link of ours": async (): Promise<Link> =>
    (await steady.createVeth({ name: "victim0", peer: { name: "victim1" } }))[0],
  "somebody else's link": async (): Promise<Link> => {
    await ip("link add victim0 type veth peer name victim1");
    return await steady.getLink("victim0");
  },
};

const operations: Record<string, (from: NetworkNamespace, held: Link) => Promise<Link>> = {
  "renamed by setLink": (from, held) => from.setLink(held, { name: "moved0" }),
  "moved and renamed by moveLink": (from, held) =>
    from.moveLink(held, elsewhere().handle, { name: "moved0", force: true }),
};

/** What must not change of the stranger. */
const settings = ({ ifname, ifindex, address, flags, master }: IpLink) => ({
  ifname,
  ifindex,
  address,
  master,
  up: flags.includes("UP"),
});

describe.each(Object.entries(makers))("%s", (_, make) => {
  for (const [how, operate] of Object.entries(operations))
    needs(
      "seam",
      "root",
      "veth",
    )(`${how} is not taken for another that has its index`, async () => {
      await using struck = NetworkNamespace.current();
      await struck.getLink("lo");
      let held: Link;
      let stranger: IpLink | undefined;
      let met = 0;
      await meetAtEveryCall(
        async () => {
          await tidyUp();
          stranger = undefined;
          held = await make();
        },
        () => operate(struck, held),
        async () => {
          // The operation may have come too far: then the link has another name or is elsewhere.
          if ((await link("victim0")) === undefined) return;
          await removeLinks(["victim0"]);
          await ip(`link add stranger0 index ${held.index} type veth peer name stranger1`);
          await ip("link set stranger0 up");
          stranger = await link("stranger0");
        },
        async ({ error }) => {
          if (stranger === undefined) {
            expect(error).toBeUndefined();
            return;
          }
          met += 1;
          expect(error).toMatchObject({ reason: "no-such-link", code: "ENODEV" });
          expect(error).not.toHaveProperty("leftBehind");
          const now = await link("stranger0");
          expect(now && settings(now)).toEqual(settings(stranger));
        },
      );
      expect(met).toBeGreaterThan(2);
    });
});
