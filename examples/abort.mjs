// Gives calls up: what waits for its turn never runs, what runs already is undone.
import { createTap, listLinks } from "flintap";

const controller = new AbortController();
const { signal } = controller;
const taps = Array.from({ length: 20 }, () => createTap({ signal }));
controller.abort(); // say, since the client has gone

const outcomes = await Promise.allSettled(taps);
const givenUp = outcomes.filter(({ status }) => status === "rejected");
console.log(`${givenUp.length} given up, ${(await listLinks({ kind: "tun" })).length} made`);
