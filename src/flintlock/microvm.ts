/**
 * The one model that every form of a microVM's description is read into, and that everything else
 * in this folder works on. Types only.
 */

/** What a guest's network interface is made of on the host. */
export type InterfaceType = "macvtap" | "tap";

/** A static address of an interface in the guest, for IPv4 or IPv6. */
export interface StaticAddress {
  /** Address and prefix length, such as `10.0.0.2/24`. */
  address: string;
  /** The default gateway, with prefix length. */
  gateway?: string;
  /** Addresses of name servers. */
  nameservers?: string[];
}

/** A network interface of a microVM. */
export interface MicrovmInterface {
  /** The interface's name in the guest, unique in its microVM. */
  deviceId: string;
  /** Macvtap on the host's `parent-iface`, or tap on a bridge. */
  type: InterfaceType;
  /** The MAC the guest uses, lower case. Absent: flintap chooses a stable one. */
  guestMac?: string;
  /** The guest's static address. Absent: DHCP. */
  address?: StaticAddress;
  /** A tap's bridge, instead of the host's `bridge-name`. */
  bridgeName?: string;
  /**
   * The guest reaches its VMM's metadata service by it: a tap that is attached to no bridge. No spec
   * says so; see `withMetadataInterface`.
   */
  metadata?: boolean;
}

/** A microVM, as far as its network is concerned. */
export interface Microvm {
  /** Its name, unique in its namespace. */
  id: string;
  /** The namespace it is in (flintlock's and Kubernetes' word, not the kernel's). */
  namespace: string;
  /** Tells two microVMs apart that had the same name one after the other. */
  uid?: string;
  /** Its interfaces, in the order of the spec. */
  interfaces: MicrovmInterface[];
}

/** In which form a microVM was described. */
export type SpecKind = "flintlock" | "MicrovmMachine" | "MicrovmMachineTemplate";

/** A microVM as a document describes it, which may be without the id by which it is one. */
export interface MicrovmSpec extends Omit<Microvm, "id"> {
  /** The kind of Kubernetes object that it is, or a flintlock spec. */
  kind: SpecKind;
  /** The name of the Kubernetes object. It may have placeholders in it, such as `${CLUSTER_NAME}`. */
  name?: string;
  /** Absent: a template, a fragment, or a name with placeholders in it. */
  id?: string;
}
