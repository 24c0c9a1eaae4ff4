/**
 * The host of a file's tests, with a neighbour on each of its wires, and what has to be as it was when
 * all is over.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import {
  type Microvm,
  type Provisioned,
  parseConfig,
  release,
} from "../../../src/flintlock/index.js";
import { NetworkNamespace } from "../../../src/index.js";
import { needs } from "../../setup/capabilities.js";
import { openDescriptors } from "../../setup/descriptors.js";
import { addBridge, addParent, ip, linkNames } from "../../setup/iproute2.js";
import { type OtherNamespace, otherNamespace } from "../../setup/other-namespace.js";
import { nodesOfGuests, provisionForQemu } from "./on-devices.js";
import { Place, stillRunning, stopAll } from "./place.js";

/** Registers a test that needs guests and all that they run on. */
export const withGuests = needs("guests", "tun", "macvtap-queue", "macvtap", "veth", "bridge");

/** The host's config: a parent for macvtaps and a bridge for taps. */
export const config = parseConfig("parent-iface: enp0\nbridge-name: br0\n");

/** The networks, by the device on the host; who offers them has the first address. */
export const networks = { br0: "10.1.0", br1: "10.2.0", enp0: "10.3.0", enp1: "10.4.0" } as const;

/** The wires, by the host's end. */
const wires = { enp0: "wire0", enp1: "wire1" } as const;

/** The host of a file; its members are there when the tests run. */
export class Scene {
  #namespace: NetworkNamespace | undefined;
  #other: OtherNamespace | undefined;
  #peer: Place | undefined;
  #kept: AsyncDisposable[] = [];

  /** The host's own namespace. */
  get namespace(): NetworkNamespace {
    if (this.#namespace === undefined) throw new Error("The scene is not there yet");
    return this.#namespace;
  }

  /** Where the wires' other ends are. */
  get peer(): Place {
    if (this.#peer === undefined) throw new Error("The scene is not there yet");
    return this.#peer;
  }

  /** Keeps something until the file's tests are over. */
  keep<Thing extends AsyncDisposable>(thing: Thing): Thing {
    this.#kept.push(thing);
    return thing;
  }

  /** Gives a microVM its devices for QEMU; what it has is released when the tests are over. */
  async provision(microvm: Microvm): Promise<Provisioned> {
    const { namespace } = this;
    const provisioned = await provisionForQemu(microvm, config, namespace);
    this.keep({
      [Symbol.asyncDispose]: async () => {
        await release(microvm, { namespace });
      },
    });
    return provisioned;
  }

  /** Makes a wired interface of the host; its other end is with the peer, who has an address. */
  async addWire(parent: keyof typeof wires): Promise<void> {
    const wire = wires[parent];
    await addParent(parent, wire);
    await ip(`link set ${wire} netns ${this.#other?.pid}`);
    await this.peer.ip(`link set ${wire} up`);
    await this.peer.ip(`address add ${networks[parent]}.1/24 dev ${wire}`);
  }

  /** Makes all of it. */
  async build(): Promise<void> {
    this.#other = await otherNamespace();
    this.#peer = new Place(this.#other);
    this.#namespace = NetworkNamespace.current();
    for (const parent of ["enp0", "enp1"] as const) await this.addWire(parent);
    for (const bridge of ["br0", "br1"] as const) {
      await addBridge(bridge);
      await ip(`address add ${networks[bridge]}.1/24 dev ${bridge}`);
    }
  }

  /** Ends what was kept, the last first, and then all but the links. */
  async leave(): Promise<void> {
    for (const thing of this.#kept.reverse()) await thing[Symbol.asyncDispose]();
    await this.#namespace?.close();
  }

  /** Takes down what `build` has made. */
  async clear(): Promise<void> {
    await this.#other?.[Symbol.asyncDispose]();
    for (const device of ["br0", "br1"]) await ip(`link del ${device}`);
  }
}

/** The processes that this one has started and that run still. */
function childProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, program, rest = ""] =
          /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
        return Number(rest.split(" ")[1]) === process.pid ? [`${program} ${pid}`] : [];
      } catch {
        return []; // it has ended just now
      }
    });
}

/**
 * Lays out a host for the tests of a file: `enp0` and `enp1`, with the peer at the other end, and the
 * bridges `br0` and `br1`. Afterwards there is no device, node, descriptor and process that was not
 * there before. To be called before the file's other hooks, so that it comes last.
 */
export function sceneOfFile(): Scene {
  const scene = new Scene();
  let descriptors: string[];
  let processes: string[];
  let laidOut: string[];
  beforeAll(async () => {
    await linkNames(); // the shell that starts iproute2 is there from now on
    descriptors = openDescriptors();
    processes = childProcesses();
    await scene.build();
    laidOut = await linkNames();
  });
  afterAll(async () => {
    try {
      await scene.leave();
      expect(stillRunning()).toEqual([]);
      expect(await linkNames()).toEqual(laidOut);
      expect(nodesOfGuests().filter((node) => existsSync(node))).toEqual([]);
      await scene.clear();
      expect(childProcesses()).toEqual(processes);
      expect(openDescriptors()).toEqual(descriptors);
    } finally {
      await stopAll();
    }
  });
  return scene;
}
