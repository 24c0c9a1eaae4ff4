/**
 * What the links of the namespace are like, but for what changes by itself: timers, counters,
 * carriers. Equal before and after what must have changed nothing, or taken it back.
 */
import { existsSync, readFileSync } from "node:fs";
import { links } from "./iproute2.js";

/** A link, as far as it is compared. */
export type LinkStateNow = Record<string, unknown> & { ifname: string; ifindex: number };

/** `disable_ipv6`; none where the link has no IPv6. */
function disabledIPv6(name: string): string | undefined {
  const path = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** What is compared of each link. */
export async function stateOfLinks(): Promise<LinkStateNow[]> {
  return (await links()).map((found) => {
    const { ifindex, ifname, address, mtu, master, altnames, ifalias, flags, linkinfo } = found;
    const { txqlen, inet6_addr_gen_mode: mode, link: parent } = found;
    const { info_slave_data: slave = {} } = linkinfo ?? {};
    const { isolated, hairpin, learning, flood, cost, priority } = slave;
    const port = { isolated, hairpin, learning, flood, cost, priority };
    const up = flags.includes("UP");
    const promiscuous = flags.includes("PROMISC");
    return {
      txqlen,
      ipv6: { mode, disabled: disabledIPv6(ifname) },
      promiscuous,
      kind: linkinfo?.info_kind,
      parent,
      ifindex,
      ifname,
      address,
      mtu,
      master,
      altnames: altnames?.sort(),
      ifalias,
      up,
      port,
    };
  });
}
