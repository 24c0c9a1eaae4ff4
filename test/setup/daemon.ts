/**
 * Lives of a daemon that gives microVMs their devices: each is a process of its own, which begins with
 * nothing but specs.
 */
import type { DesiredNetworkOptions, Microvm } from "../../src/flintlock/index.js";
import { type Ending, runModule } from "./child.js";
import { config } from "./host.js";
import { changing, isChange, marked, type SystemCall, traceModule } from "./strace.js";

/** What a daemon knows when it starts. */
export interface Specs {
  microvms: Microvm[];
  /** Default: the host's config. */
  options?: Partial<DesiredNetworkOptions>;
  /** Text: a function that says what is wanted besides of a device, where it plans or keeps. */
  device?: string;
  /** Whose the devices are. Default: flintap's. */
  owner?: string;
}

/** Text: how a daemon gives all of them their devices, and notes what was done for each in `told`. */
export const ways = {
  "provisioning each": (more = "{}") => `
    const given = await Promise.all(
      microvms.map((one) => flintlock.provision(one, { ...options, namespace: own, ...${more} })),
    );
    const interfaces = given.flatMap((one) => one.interfaces);
    told.push(...interfaces.map(({ action }) => action));
    await Promise.all(interfaces.flatMap(({ queues = [] }) => queues.map((one) => one.close())));`,
  "planning and applying": (more = "{}") => `
    const planned = await flintap.plan(state, { namespace: own, ...${more} });
    const { devices } = await flintap.apply(planned, { namespace: own });
    told.push(...devices.map(({ action }) => action));`,
  "a keeper that repairs": (more = "{}") => `
    const report = ({ type }) => told.push(type);
    const wanted = { namespace: own, repair: true, report, ...${more} };
    const keeper = flintap.keepInState(state, wanted);
    await keeper.ready;
    await keeper.close();`,
};

export type Way = keyof typeof ways;

/** Text: the same for who does one after the other, so that some have theirs and others not yet. */
export const oneAfterTheOther = `
  for (const one of microvms) await flintlock.provision(one, { ...options, namespace: own });`;

/** Text: collects what the specs do not name, and notes the names of devices by what became of them. */
export const collecting = (minAge: number, keep = "flintlock.microvmTags(microvms)") => `
  const collected = await flintap.collectGarbage({ namespace: own, minAge: ${minAge}, keep: ${keep} });
  const names = (links) => links.map(({ name }) => name).sort();
  const { removed, young, kept, ...others } = collected;
  told.push({ removed: names(removed), young: names(young), kept: names(kept) });
  told.push(...Object.values(others).flat());`;

/** Text: what a daemon begins with. It keeps its handle until it ends. */
function beginning({ microvms, options, device, owner }: Specs): string {
  return `
    import * as flintlock from "flintap/flintlock";
    const microvms = ${JSON.stringify(microvms)};
    const options = ${JSON.stringify({ config, ...options })};
    const own = flintap.NetworkNamespace.current(${JSON.stringify({ owner })});
    const network = flintlock.desiredNetwork(microvms, options);
    const besides = ${device ?? "() => ({})"};
    const devices = network.devices.map((one, at) => ({ ...one, ...besides(one, at) }));
    const state = { ...network, devices };
    const told = [];
    const refused = [];
    const live = async () => {
      try { await work(); } catch (error) { refused.push(error.reason ?? String(error)); }
    };`;
}

const workOf = (work: string) => `const work = async () => { ${work} };`;

const untraced = (specs: Specs, work: string) =>
  `import * as flintap from "flintap"; ${beginning(specs)} ${workOf(work)} await live();
   if (refused.length > 0) throw new Error(refused.join());`;

/** A daemon that works, and ends. */
export async function live(specs: Specs, work: string): Promise<void> {
  const ending = await runModule(`${untraced(specs, work)} await own.close();`);
  if (ending.code !== 0) throw new Error(`The daemon failed:\n${ending.stderr}`);
}

/** A daemon that works, and is killed when all is done. */
export async function liveUntilKilled(specs: Specs, work: string): Promise<void> {
  const ending = await runModule(`${untraced(specs, work)} process.kill(process.pid, "SIGKILL");`);
  if (ending.signal !== "SIGKILL") throw new Error(`The daemon failed:\n${ending.stderr}`);
}

/** A daemon that is killed before the `at`-th such call of a thread, or ends if there is none. */
export function liveUntilCall(
  specs: Specs,
  work: string,
  { call, at }: { call: string; at: number },
): Promise<Ending> {
  const inject = [`--trace=${call}`, `--inject=${call}:signal=SIGKILL:when=${at}`];
  return runModule(`${untraced(specs, work)} await own.close();`, {
    under: ["strace", "--follow-forks", "--output=/dev/null", ...inject],
  });
}

/** How many such calls of one thread there are in a daemon's life: of the thread with the most. */
export async function countCalls(specs: Specs, work: string, call: string): Promise<number> {
  const trace = await traceModule(
    `${beginning(specs)} ${workOf(work)} ${marked("life", "await live(); await own.close()")}`,
    [call],
  );
  const counts = new Map<number, number>();
  for (const { name, tid } of trace.between("life"))
    if (name === call) counts.set(tid, (counts.get(tid) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** What a daemon did that was looked at. */
export interface Life {
  /** What it noted. */
  told: unknown[];
  /** The reason for which its work was refused; none: it was not. */
  refused: string[];
  /** Its calls that changed something. */
  changes: SystemCall[];
}

/** A daemon whose system calls are counted, from its first look to the end of its handle. */
export async function tracedLife(specs: Specs, work: string): Promise<Life> {
  const trace = await traceModule(
    `${beginning(specs)} ${workOf(work)}
     ${marked("life", "await live(); await own.close()")}
     console.log(JSON.stringify({ told, refused }));`,
    changing,
  );
  return { ...JSON.parse(trace.stdout), changes: trace.between("life").filter(isChange) };
}
