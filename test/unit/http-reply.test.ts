import { expect, test } from "vitest";
import { httpReply, NoReply } from "../../src/http-reply.js";

function reply(text: string, isEnd = false) {
  return httpReply(Buffer.from(text), isEnd);
}

const noContent = "HTTP/1.1 204 \r\nServer: Cloud Hypervisor API\r\nConnection: keep-alive\r\n\r\n";
const bad =
  'HTTP/1.1 400 Bad Request\r\ncontent-length: 9\r\nContent-Type: application/json\r\n\r\n["no fd"]';

test("a reply without content is whole with its head", () => {
  expect(reply(noContent)).toEqual({ status: 204, body: "" });
});

test("a reply is whole once its body is, and not a byte before", () => {
  expect(reply(bad)).toEqual({ status: 400, body: '["no fd"]' });
  for (let length = 0; length < bad.length; length++)
    expect(reply(bad.slice(0, length))).toBeUndefined();
});

test("what comes behind a reply is not of it", () => {
  expect(reply(`${bad}HTTP/1.1 500 `)).toEqual({ status: 400, body: '["no fd"]' });
});

test("interim replies are passed over", () => {
  expect(reply("HTTP/1.1 100 Continue\r\n\r\n")).toBeUndefined();
  expect(reply(`HTTP/1.1 100 Continue\r\n\r\n${noContent}`)).toEqual({ status: 204, body: "" });
});

test("many interim replies are passed over, up to the longest head", () => {
  const interim = "HTTP/1.1 100 Continue\r\n\r\n";
  expect(reply(`${interim.repeat(2_000)}${noContent}`)).toEqual({ status: 204, body: "" });
  for (const more of ["", noContent])
    expect(() => reply(`${interim.repeat(60_000)}${more}`)).toThrow(
      new NoReply("its head is too long"),
    );
});

test.each([
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
  "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n",
])("a reply without a length, on a connection that is kept, ends with its head: %j", (head) => {
  expect(reply(head)).toEqual({ status: 200, body: "" });
});

test.each([
  "HTTP/1.0 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
  "HTTP/1.1 200 OK\r\nConnection: X-Hop , Close\r\n\r\n",
  "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nConnection: close\r\n\r\n",
])("and on one that is closed, with that: %j", (head) => {
  expect(reply(`${head}{`)).toBeUndefined();
  expect(reply(`${head}{}`, true)).toEqual({ status: 200, body: "{}" });
  expect(reply(head, true)).toEqual({ status: 200, body: "" });
});

test("a length that is named twice is still one", () => {
  const twice = "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\ncontent-length: 2\r\n\r\n{}";
  expect(reply(twice)).toEqual({ status: 200, body: "{}" });
});

test.each([
  ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "its first line is no status line"],
  [
    "a transfer encoding",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "it has a transfer encoding",
  ],
  [
    "a length that is none",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "its length is no number",
  ],
  [
    "a length beyond bounds",
    `HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 24 + 1}\r\n\r\n`,
    "it is too long",
  ],
  [
    "one with two lengths",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "it has two lengths",
  ],
  [
    "one with two lengths in a list",
    "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
    "it has two lengths",
  ],
  ["a head beyond bounds", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(65_536)}`, "its head is too long"],
  [
    "a body beyond bounds",
    `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${"x".repeat(2 ** 24 + 1)}`,
    "it is too long",
  ],
])("%s is no reply", (_, text, why) => {
  expect(() => reply(text)).toThrow(new NoReply(why));
});

test("an end before the end is no reply", () => {
  expect(() => reply(bad.slice(0, -1), true)).toThrow(new NoReply("it was cut off"));
  expect(() => reply("", true)).toThrow(new NoReply("it was cut off"));
});
