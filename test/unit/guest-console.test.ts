/** The serial console of guests: what is meant for the host, among whatever else is on it. */
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { GuestConsole } from "../../scripts/guest/console.mjs";

/** A console, and both ends of its line. */
function line() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  return { input: input.setEncoding("utf8"), output, guest: new GuestConsole(input, output) };
}

const eth1 = { deviceId: "eth1", mac: "02:00:00:00:00:0a", address: "", how: "none", up: false };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

it("tells of the interfaces once the guest is ready, also behind firmware without a line's end", async () => {
  const { output, guest } = line();
  output.write(`SeaBIOS@interface ${JSON.stringify(eth1)}\r\n[ 1.0] a kernel's words\r\n@ready\n`);
  expect(await guest.ready).toEqual([eth1]);
  expect(guest.log).toContain("a kernel's words");
});

it("gives each command its own result, whatever it printed", async () => {
  const { input, output, guest } = line();
  const results = [guest.run("true"), guest.run("cat file")];
  expect(input.read()).toBe("1 true\n2 cat file\n");
  output.write("@result 1 0 \n@resu");
  output.write(`lt 2 3 ${base64("@ready\n@result 2 0\n")}\n`);
  expect(await Promise.all(results)).toEqual([
    { code: 0, output: "" },
    { code: 3, output: "@ready\n@result 2 0\n" },
  ]);
});

it("rejects what waits when the guest ends, and what comes later, with the log's end", async () => {
  const { output, guest } = line();
  const waiting = [guest.ready, guest.run("true")];
  output.end("Kernel panic\n");
  for (const one of waiting) await expect(one).rejects.toThrow(/has ended.*Kernel panic/s);
  await expect(guest.run("true")).rejects.toThrow(/has ended/);
});

it("takes no command of several lines", () => {
  expect(() => line().guest.run("true\nfalse")).toThrow(RangeError);
});
