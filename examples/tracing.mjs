// Measures every operation of the process, whoever calls it, by node:diagnostics_channel.
import { tracingChannel } from "node:diagnostics_channel";
import { createBridge, deleteLink } from "flintap";

tracingChannel("flintap:operation").asyncEnd.subscribe((message) => {
  const trace = /** @type {import("flintap").OperationTrace} */ (message);
  const { operation, device, outcome, waited = 0, ran = 0, sends = 0 } = trace;
  const times = `waited ${waited.toFixed(3)} ms, ran ${ran.toFixed(3)} ms`;
  console.log(`${operation} ${device}: ${outcome}, ${times}, ${sends} sends`);
});

const bridge = await createBridge({ name: "br7" });
await deleteLink(bridge);
