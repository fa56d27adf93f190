import { stat } from 'node:fs/promises';
import type { CertificateFiles } from '../certs/port.ts';
import type { Config } from '../config/config.ts';
import { hostPort } from '../sys/host-port.ts';
import type { ConfigFacts, Fact, Inspection, PartName, RcLine } from '../core/doctor/inspection.ts';
import { FEW } from '../core/doctor/no-check.ts';
import type { NodeReport, PathReading } from '../core/model.ts';
import { clearOfSecrets } from '../core/secrets.ts';
import { parseCertificateList } from '../haproxy/certificates.ts';
import { configFacts } from '../haproxy/config-facts.ts';
import { sectionsIn } from '../core/haproxy-config/sections.ts';
import { hostConfigFiles } from '../haproxy/config-files.ts';
import type { Runtime } from '../haproxy/runtime.ts';
import type { HostCommands } from '../privilege/commands.ts';
import type { Clock } from '../sys/clock.ts';
import { execWithin } from '../sys/exec.ts';
import { VERSION } from '../version.ts';
import { advertWindowMs } from './advert-window.ts';
import { inspectCarp, inspectCounters, inspectPf } from './carp.ts';
import { inspectCertificates } from './certificates.ts';
import { factWithin } from './fact.ts';
import {
  inspectCheck,
  inspectLevel,
  inspectLowered,
  inspectRunning,
  inspectTransaction,
} from './haproxy.ts';
import { otherAutomations, vhidLines } from './host-files.ts';
import { knock, probeServers } from './knock.ts';
import { inspectNeighbours } from './neighbours.ts';
import { inspectStateFiles } from './state-files.ts';

export interface InspectOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly report: () => NodeReport | null;
  /** Null before the agent's first round. */
  readonly paths: () => readonly PathReading[] | null;
  /** The one HAProxy's stats socket. */
  readonly ask: Runtime;
  readonly socketPath: () => string;
  readonly files: Pick<CertificateFiles, 'read'>;
  readonly commands: HostCommands;
}

const TOOL_MS = 2000;
/** `haproxy -c` reads every certificate: 0.8 s a thousand. */
const PART_MS = 9000;

/** Looks at this host for doctor: everything at once, read only, each part with its own deadline. */
export async function inspect(options: InspectOptions): Promise<Inspection> {
  const { config, clock, ask, commands } = options;
  const { tools } = config.carp;
  const exec = execWithin(TOOL_MS);
  const report = options.report();
  const part = <T>(look: () => Promise<T>): Promise<Fact<T>> => factWithin(clock, PART_MS, look);
  const files = hostConfigFiles({
    ask,
    config: config.haproxy.config,
    rootProcesses: () => commands.processes(),
  })();
  files.catch(() => undefined);
  const nodes = [config.node, ...config.peers.map(({ node }) => node)];
  const read = files.then(async ({ texts, problems }) => ({
    ...(await configFacts(config.haproxy.config, texts, nodes)),
    ...(problems.length > 0 ? { unsure: true } : {}),
  }));
  read.catch(() => undefined);
  const carp = part(async () => inspectCarp(exec, tools, report, await ownLines(commands)));
  const pf = part(async () => {
    const seen = await carp;
    return inspectPf(commands, 'value' in seen ? seen.value.vhids : []);
  });
  const socketPath = options.socketPath();
  const counters = part(() => inspectCounters(exec, tools.netstat, clock, advertWindowMs(report)));
  const facts: Looks = {
    carp,
    counters,
    pf,
    neighbours: part(() => inspectNeighbours(exec, tools.ndp, report)),
    // Thousands of servers would not fit into a message of 4 MB.
    config: part(async () => withoutChecked(await read)),
    check: part(() => inspectCheck(() => commands.check(), config.haproxy.check)),
    running: part(() => inspectRunning(ask)),
    level: part(() => inspectLevel(ask, socketPath)),
    probes: part(async () => probeServers(await read)),
    certificates: part(async () => {
      const { scan, problems } = await files;
      return inspectCertificates(scan, {
        config: config.haproxy.config,
        problems,
        read: (path) => options.files.read(path),
        loaded: async () => parseCertificateList(await ask('show ssl cert')).paths,
        version: report?.haproxy[0]?.version ?? '',
        wallMs: clock.wallMs(),
      });
    }),
    keys: part(async () => {
      const { key } = config.tls;
      return [{ path: key, mode: (await stat(key)).mode & 0o777 }];
    }),
    lowered: part(() => inspectLowered(ask)),
    stateFiles: part(async () => {
      const { texts, problems } = await files;
      // In a file that was not read another one may be named.
      if (problems.length > 0) return [];
      return inspectStateFiles(sectionsIn(texts), { ask, wallMs: clock.wallMs() });
    }),
    transaction: part(() => inspectTransaction(ask, config.state)),
    responder: part(() => Promise.all(config.acme.responder.map(knockAt))),
    // After the time the counters take: an agent that has just started has asked it by then.
    witness: part(async () => {
      await counters;
      return witness(report, options.paths());
    }),
    others: part(() => otherAutomations('/', () => commands.rcLines())),
  };
  const found = await allOf(facts);
  // The rules of pf begin with the word that in rc.conf stands before a password, and hold none.
  const { pf: rules, ...others } = found;
  return { ...clearOfSecrets(others), pf: rules, node: config.node, agentVersion: VERSION };
}

/** Every fact of an inspection, being looked at: one that is forgotten does not compile. */
type Looks = { readonly [P in PartName]: Promise<Inspection[P]> };

/** The values by the names of their promises. */
async function allOf<T extends object>(promises: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const found: Partial<T> = {};
  for (const name in promises) found[name] = await promises[name];
  return found as T;
}

/** They say where to change something, nothing of what is wrong: without them that is shorter. */
const ownLines = (commands: HostCommands): Promise<RcLine[]> =>
  vhidLines('/', () => commands.rcLines()).catch(() => []);

const withoutChecked = (facts: ConfigFacts): ConfigFacts => ({
  ...facts,
  servers: facts.servers
    .filter(({ check }) => !check)
    .map((one, at) => (at < FEW ? one : { ...one, text: '' })),
});

async function knockAt(address: string) {
  const place = hostPort(address);
  const { answers, why } = await knock(place?.host ?? '', place?.port ?? 0);
  return { address, answers, why };
}

function witness(report: NodeReport | null, paths: readonly PathReading[] | null) {
  if (paths === null) throw new Error('the agent has just started');
  if (report?.icmp === 'none')
    throw new Error('this agent sends no echo: neither raw-socket nor ping(8)');
  const witnesses = paths.filter(({ node }) => node === null);
  const answered = witnesses.filter(({ answeredAtMs }) => answeredAtMs !== null);
  return { known: witnesses.length, answered: answered.length };
}
