import { connect } from 'node:net';
import { carp, CarpError } from '../carp/carp.ts';
import { hostCertificates } from '../certs/host-certificates.ts';
import type { Config } from '../config/config.ts';
import { LOWERED_ADVSKEW } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import { statsSocket } from '../haproxy/stats-socket.ts';
import { learnBases } from '../loop/bases.ts';
import { networkOf } from '../loop/observe.ts';
import type { Account } from '../privilege/account.ts';
import { takePrivileges, type Privileges } from '../privilege/privileges.ts';
import { openStore, type Store } from '../store/state.ts';
import { systemClock } from '../sys/clock.ts';
import { execWithin } from '../sys/exec.ts';

const TOOL_MS = 5000;

/** What of one release was done, was so already, and could not be done. */
interface Told {
  readonly done: string[];
  readonly left: string[];
  readonly failed: string[];
}

/**
 * `proxyagent --release`: the host as if there had never been an agent. Puts
 * the configured advskew back where the agent had lowered it, lifts a fence of
 * its own, and ends certificate transactions that are open. Run twice it is the
 * same. Prints what it did; resolves to the exit code: 0 all is released, 1
 * something could not be, and says what to do instead. State and journals are what `account` wrote
 * there: they are read as that account, and what they ask for is done by the helper or not at all.
 */
export async function releaseHost(config: Config, account: Account | null): Promise<number> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  if (await answers(config.socket.path)) {
    process.stderr.write(
      'proxyagent: not released: an agent still runs here and would lower it again\n' +
        '  do      service proxyagent onerelease\n',
    );
    return 1;
  }
  const told: Told = { done: [], left: [], failed: [] };
  let privileges: Privileges | null = null;
  try {
    privileges = await takePrivileges(config, account, execWithin(TOOL_MS));
    privileges.drop();
    const store = await openStore(config.state, systemClock.wallMs());
    await releaseCarp(config, privileges, store, told);
    await releaseSwaps(config, privileges, told);
  } catch (error) {
    told.failed.push(sentence(error));
  }
  privileges?.close();
  for (const line of told.done) print(`released  ${line}`);
  for (const line of told.left) print(`left      ${line}`);
  for (const line of told.failed) process.stderr.write(`proxyagent: not released: ${line}\n`);
  if (told.failed.length > 0) return 1;
  if (told.done.length === 0) print('already released: nothing of the agent is in force');
  return 0;
}

/** Advskew and fence. Every set is read again. */
async function releaseCarp(
  config: Config,
  { acts }: Privileges,
  store: Store,
  told: Told,
): Promise<void> {
  const kernel = carp({ exec: execWithin(TOOL_MS), tools: config.carp.tools, acts });
  const reading = await kernel.read().catch((error: unknown) => {
    if (error instanceof CarpError && error.failure.kind === 'module') return null;
    throw error;
  });
  if (reading === null) return;
  const bases = learnBases(store.state.bases, reading, null, config.networks);
  for (const line of reading.addresses) {
    const network = networkOf(line, config.networks);
    if (network === null || line.advskew !== LOWERED_ADVSKEW) continue;
    const address = `${line.vhid}@${network.name}`;
    const base = bases[address];
    const by = `ifconfig ${line.interface} vhid ${line.vhid} advskew`;
    if (base === undefined) {
      told.left.push(`${address}: advskew 254, and no other is known: ${by} CONFIGURED`);
      continue;
    }
    await kernel.set([{ interface: line.interface, vhid: line.vhid, advskew: base }]);
    const now = (await kernel.read()).addresses.find(
      (one) => one.interface === line.interface && one.vhid === line.vhid,
    );
    if (now?.advskew === base) told.done.push(`${address}: advskew 254 -> ${base}`);
    else told.failed.push(`${address} shows advskew ${now?.advskew ?? 'no more'}: ${by} ${base}`);
  }
  await releaseFence(kernel, reading.allow, store, told);
}

async function releaseFence(
  kernel: ReturnType<typeof carp>,
  allow: boolean | null,
  store: Store,
  told: Told,
): Promise<void> {
  const { fenceMine } = store.state;
  if (allow === false && !fenceMine)
    told.left.push("net.inet.carp.allow=0 is not the agent's: sysctl net.inet.carp.allow=1");
  if (allow === false && fenceMine) {
    await kernel.allow(true);
    if ((await kernel.read()).allow === true) told.done.push('net.inet.carp.allow 0 -> 1');
    else told.failed.push('net.inet.carp.allow is still 0: sysctl net.inet.carp.allow=1');
  }
  if (fenceMine) await store.save({ fenceMine: false });
}

async function releaseSwaps(
  config: Config,
  { files, commands }: Privileges,
  told: Told,
): Promise<void> {
  const clock = systemClock;
  const rootProcesses = (): Promise<string> => commands.processes();
  const socket = statsSocket({ ...config.haproxy, elsewhere: () => [], clock, rootProcesses });
  const { swap } = hostCertificates({
    node: config.node,
    config,
    socket,
    files,
    reload: () => Promise.reject(new Error('nothing is reloaded by a release')),
    rootProcesses,
    elsewhere: () => [],
    clock,
  });
  let unwatch = (): void => {};
  try {
    // Which socket it has is known by then.
    await new Promise<void>((resolve) => {
      unwatch = socket.watch(() => resolve());
      clock.after(TOOL_MS, resolve);
    });
    const { entries, damaged } = await swap.open();
    for (const { swapId, items, phase } of entries) {
      const paths = items.map(({ path }) => path).join(', ');
      try {
        // Verified here it stands: nobody is left to ask whether all nodes have it.
        if (phase === 'committed') await swap.finish(swapId);
        else await swap.abort(swapId);
        const which = phase === 'committed' ? 'the new certificate' : 'the old certificate';
        told.done.push(`${paths}: ${which} stands`);
      } catch (error) {
        told.failed.push(`${paths}: ${sentence(error)}`);
      }
    }
    for (const { message } of damaged) told.failed.push(message);
  } finally {
    unwatch();
  }
}

/** Whether somebody listens on that unix socket. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const end = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
