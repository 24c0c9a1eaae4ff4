// Makes a tap where /proc/sys may be read-only, as in most containers: with the host's IPv6 closed
// where that can be, otherwise with less, and says so.
//   node in-a-container.mjs [bridge]
import { createTap, deleteLink, FlintapError } from "flintap";

const [bridge] = process.argv.slice(2);

/** @param {string | undefined} bridge */
async function createGuestTap(bridge) {
  try {
    return await createTap({ bridge });
  } catch (error) {
    if (!(error instanceof FlintapError) || error.reason !== "proc-sys-read-only") throw error;
    // The guest could still give this namespace an address and a route: acceptable where nothing
    // but guests' devices is in it.
    return await createTap({ bridge, hostIPv6: "reduced" });
  }
}

const tap = await createGuestTap(bridge);
console.log(`${tap.name}: the host's IPv6 is ${tap.ipv6?.state}`);
await deleteLink(tap);
