// Opens a macvtap's queue and sends a frame, as a guest would: an ARP request to everybody.
//   node open-macvtap.mjs [parent]
import { writeSync } from "node:fs";
import { createMacvtap, deleteLink, openMacvtap } from "flintap";

const [parent = "enp0"] = process.argv.slice(2);

/** @param {string} mac */
const bytes = (mac) => Buffer.from(mac.replaceAll(":", ""), "hex");

const nic = await createMacvtap({ parent });
const queue = await openMacvtap(nic);
try {
  const [own, everybody] = [bytes(nic.mac ?? ""), bytes("ff:ff:ff:ff:ff:ff")];
  const frame = Buffer.alloc(60);
  Buffer.concat([everybody, own, Buffer.from("0806", "hex")]).copy(frame);
  Buffer.from("0001080006040001", "hex").copy(frame, 14);
  Buffer.concat([own, Buffer.from([10, 0, 0, 2])]).copy(frame, 22);
  Buffer.from([10, 0, 0, 1]).copy(frame, 38);
  // A macvtap's frames carry a virtio-net header of 10 bytes; zeroes mean "nothing special".
  const sent = writeSync(queue.fd, Buffer.concat([Buffer.alloc(10), frame]));
  console.log(`sent ${sent} bytes through descriptor ${queue.fd} of ${nic.name}`);
} finally {
  await queue.close();
  await deleteLink(nic);
}
