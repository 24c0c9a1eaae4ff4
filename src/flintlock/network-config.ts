/**
 * What a guest is told of its interfaces: cloud-init's network config, version 2, as an object, as
 * YAML and as flintlock puts it on the kernel's command line. Pure.
 */
import { isIPv6 } from "node:net";
import { Document, Scalar, visit } from "yaml";
import type { StaticAddress } from "./microvm.js";
import type { ProvisionedInterface } from "./status.js";

/** An interface in the network config. */
export interface EthernetConfig {
  /** Which of the guest's interfaces it is. */
  match: {
    /** Its MAC, in lower case: it is compared as text. */
    macaddress: string;
  };
  /** Get an IPv4 address by DHCP; false with a static address. */
  dhcp4: boolean;
  /** Get an IPv6 address by DHCP; false with a static address. */
  dhcp6: boolean;
  /**
   * With DHCP: be known to the server by the MAC, and not by the guest's machine id, which guests
   * of one image may share.
   */
  "dhcp-identifier"?: "mac";
  /** The static address, with prefix length. */
  addresses?: string[];
  /** The default gateway, if it is IPv4. */
  gateway4?: string;
  /** The default gateway, if it is IPv6. */
  gateway6?: string;
  /** The name servers, if there are any. */
  nameservers?: {
    /** Their addresses. */
    addresses: string[];
  };
}

/** A guest's network config, by the reference of cloud-init's version 2. */
export interface NetworkConfig {
  /** The version of the format. */
  version: 2;
  /** The interfaces, by device id. */
  ethernets: Record<string, EthernetConfig>;
}

/**
 * Puts what was provisioned into cloud-init's words: a static address where the spec has one, DHCP
 * for IPv4 and IPv6 where it has none.
 *
 * @param interfaces What {@link provision} returned.
 */
export function networkConfig(interfaces: readonly ProvisionedInterface[]): NetworkConfig {
  const ethernets = interfaces.map((entry): [string, EthernetConfig] => {
    const match = { macaddress: entry.guestMac.toLowerCase() };
    return [entry.deviceId, { match, ...addressing(entry.address) }];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

function addressing(address: StaticAddress | undefined): Omit<EthernetConfig, "match"> {
  if (address === undefined) return { dhcp4: true, dhcp6: true, "dhcp-identifier": "mac" };
  const { gateway, nameservers = [] } = address;
  return {
    dhcp4: false,
    dhcp6: false,
    addresses: [address.address],
    ...(gateway === undefined ? {} : defaultGateway(gateway)),
    ...(nameservers.length === 0 ? {} : { nameservers: { addresses: [...nameservers] } }),
  };
}

/** The spec's gateway has a prefix length, the network config's has none. */
function defaultGateway(gateway: string): Pick<EthernetConfig, "gateway4" | "gateway6"> {
  const [address = ""] = gateway.split("/");
  return isIPv6(address) ? { gateway6: address } : { gateway4: address };
}

/**
 * The YAML text of a network config, as NoCloud's `network-config` file has it. It is ASCII, and
 * reads the same by YAML 1.1, which cloud-init and netplan take it for, and by YAML 1.2.
 *
 * @param config What {@link networkConfig} returned, or more of the same format.
 */
export function networkConfigYaml(config: NetworkConfig): string {
  const document = new Document(config, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  visit(document, {
    Scalar(_, node) {
      // By YAML 1.1, 52:54:00:12:34:56 is a number and = is a value of its own.
      if (typeof node.value === "string" && !/^[a-z][a-z\d-]*$/i.test(node.value))
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 }).replace(/[^\n -~]/gu, escaped);
}

/** A character as it can stand between double quotes; YAML 1.1 takes some for the end of a line. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

/**
 * A network config as a parameter for the kernel's command line, where cloud-init looks for it:
 * `network-config=` and the YAML in base64. On x86 and arm64 the whole command line may have 2,048
 * bytes; an interface takes some 150 of them, and with a static address up to 400.
 *
 * @param config What {@link networkConfig} returned, or more of the same format.
 */
export function networkConfigParameter(config: NetworkConfig): string {
  return `network-config=${Buffer.from(networkConfigYaml(config)).toString("base64")}`;
}
