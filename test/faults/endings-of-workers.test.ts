/** A worker thread ends in the middle of an operation: terminated, by itself, by an error. */
import { cameToItsEnd, endInTheMiddle, throwing } from "./endings.js";

function inWorker(text: string, ending: string): string {
  return `
    import { Worker } from "node:worker_threads";
    const text = ${JSON.stringify(`${text}
      (await import("node:worker_threads")).parentPort.postMessage("stands");
      ${ending === "terminate" ? "setInterval(() => {}, 1_000);" : ending}`)};
    const worker = new Worker(text, { eval: true, execArgv: ["--input-type=module"] });
    worker.on("error", () => {});
    const exit = new Promise((resolve) => worker.once("exit", resolve));
    const stands = new Promise((resolve) => worker.once("message", () => resolve(true)));
    if (await Promise.race([stands, exit]) === true && ${ending === "terminate"}) worker.terminate();
    const code = await exit;
    process.exitCode = code === ${cameToItsEnd} ? code : 7;`;
}

endInTheMiddle([
  {
    when: "a worker is terminated",
    text: (operation) => inWorker(operation, "terminate"),
    as: { code: 7, signal: null, stderr: "" },
  },
  {
    when: "a worker exits",
    text: (operation) => inWorker(operation, "process.exit(3);"),
    as: { code: 7, signal: null, stderr: "" },
  },
  {
    when: "a worker throws",
    text: (operation) => inWorker(operation, throwing),
    as: { code: 7, signal: null, stderr: "" },
  },
]);
