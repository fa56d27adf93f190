import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdminState } from '../core/acts.ts';
import { ActFailure } from '../core/results.ts';
import type { InspectedCertificate, ServerReading } from '../core/answers.ts';
import type { Drift, HaproxyReport } from '../core/model.ts';
import type { Intents } from '../core/intents.ts';
import { sentence } from '../core/words.ts';
import type { ServerRecord, ServerTask } from '../core/servers.ts';
import type { ShowReply } from '../core/show-commands.ts';
import { swapJournal } from '../certs/journal.ts';
import { careful } from '../certs/many-names.ts';
import { bundleWith, inspect, previousOf } from '../certs/inspect.ts';
import type { CertificateFiles, NodeSwapParts } from '../certs/port.ts';
import { nodeSwap, type NodeSwap } from '../certs/swap.ts';
import { placeOf } from '../certs/places.ts';
import { haproxyFeed, type Liveness } from './feed.ts';
import { certificateDetails } from './certificate-details.ts';
import { certificates } from './certificates.ts';
import { configReader } from './config-reader.ts';
import { backendsAt, scanConfig } from './config-scan.ts';
import { atLeast, readInfo } from './info.ts';
import { observeHaproxy } from './observe.ts';
import { runtime, type Runtime } from './runtime.ts';
import { reloadHaproxy } from './reload.ts';
import { readServerLines, readServers, setServer, setWeight, shutSessions } from './servers.ts';
import { showing } from './show.ts';
import { watchHaproxy } from './watch.ts';
import { servedBy, type ServedSources } from '../certs/served.ts';
import { serverDrift } from './server-drift.ts';
import { serverKeeper } from './wishes-in-force.ts';
import type { Clock } from '../sys/clock.ts';

/** What of agent.toml this needs. */
interface HaproxyConfig {
  readonly haproxy: {
    /** Path of haproxy.conf. */
    readonly config: string;
    /** Empty: the first admin `stats socket` of haproxy.conf. */
    readonly socket: string;
    /** Required ones; empty: all. */
    readonly frontends: readonly string[];
    readonly hungAfterMs: number;
    readonly drift: 'report' | 'restore';
    /** Empty: it cannot be reloaded. */
    readonly reload: readonly string[];
  };
  /** Directory of the journals. */
  readonly state: string;
  /** Paths on this host by the name they have on every node. */
  readonly certificates: { readonly map: Readonly<Record<string, string>> };
  /** Where the agent's own ACME responder listens. */
  readonly acme: { readonly responder: readonly string[] };
}

export interface HaproxyPartOptions {
  readonly node: string;
  readonly config: HaproxyConfig;
  readonly clock: Clock;
  /** Certificate files of this host, with the rights they need. */
  readonly files: CertificateFiles;
  /** The command `haproxy.reload` of agent.toml, with the rights it needs. */
  readonly reload: () => Promise<unknown>;
  readonly intents: () => Intents;
  readonly servers: readonly ServerRecord[];
  readonly saveServers: (servers: readonly ServerRecord[]) => Promise<void>;
  /** VIPs that this node does not hold now: a connection there reaches another node. */
  readonly elsewhere: () => readonly string[];
  readonly onChange: () => void;
  readonly onLiveness: (liveness: Liveness) => void;
  /** Servers are not as they were told, or are again. */
  readonly onDrift: (drift: readonly Drift[], restored: boolean) => void;
}

export interface HaproxyPart {
  report(): HaproxyReport;
  applied: ReturnType<typeof serverKeeper>['applied'];
  /** Null: of every backend. Rejects with ActFailure. */
  findServers(backend: string | null): Promise<readonly ServerReading[]>;
  /** Ends the sessions a server has. Rejects with ActFailure. */
  shutSessions(backend: string, server: string): Promise<void>;
  /** The reply to a command that core/show-commands.ts lets through. Rejects with ActFailure. */
  show(command: string): Promise<ShowReply>;
  readonly swap: NodeSwap;
  readonly swapParts: NodeSwapParts;
  /** What disk, memory and, if asked, a TLS client say of every certificate. */
  inspect(served: boolean): Promise<readonly InspectedCertificate[]>;
  /** Throws ActFailure 'not-found' where this node has another bundle under that name. */
  bundleWith(name: string, sha256: string): Promise<string>;
  /** What the last swap of a certificate replaced; null where none is kept. */
  previousBundle(name: string): Promise<string | null>;
  /** One command to the stats socket, for readings. */
  readonly ask: Runtime;
  /** Empty: not known yet. */
  socketPath: () => string;
  /** Wishes may have changed. */
  wake(): void;
  /** Reads everything again, certificates too. */
  reread(): Promise<void>;
  close(): void;
}

const DEADLINE_MS = 2000;
const CONFIG_RETRY_MS = 5000;
/** From 3.4 on the runtime API takes payloads of this size. */
const LARGE_PAYLOAD = 130_000;

/** Everything this agent has to do with the one HAProxy of its host. */
export function haproxyPart(options: HaproxyPartOptions): HaproxyPart {
  const { clock, config, node } = options;
  let version = '';
  let socketPath = config.haproxy.socket;
  const limit = { payloadLimit: () => (atLeast(version, 3, 4) ? LARGE_PAYLOAD : 16_000) };
  let asked: { readonly path: string; readonly runtime: Runtime } | null = null;
  const ask: Runtime = (command, payload) => {
    if (socketPath === '') return Promise.reject(new Error(NO_SOCKET));
    if (asked?.path !== socketPath) {
      const opened = runtime(socketPath, { deadlineMs: DEADLINE_MS, ...limit });
      asked = { path: socketPath, runtime: opened };
    }
    return asked.runtime(command, payload);
  };
  const show = showing(() => socketPath);
  const certs = certificates(ask);
  const details = (path: string) => certificateDetails(ask, path);
  const scan = configReader(config.haproxy.config);
  const served: ServedSources = {
    scan,
    readList: (path) => options.files.read(path),
    elsewhere: options.elsewhere,
    // Not by `details`: HAProxy is not asked about a certificate with too many names.
    algorithm: (path) => swapParts.algorithm(path),
  };
  let ownBackends: ReadonlySet<string> = new Set();

  const feed = haproxyFeed({
    instance: '',
    clock,
    watch: (onChange) =>
      watchConfigured(options, (path) => {
        socketPath = path;
      })((liveness) => {
        if (liveness.kind === 'up') ({ version } = liveness);
        options.onLiveness(liveness);
        onChange(liveness);
        keeper.wake();
      }),
    async observe(withCertificates) {
      if (withCertificates) ownBackends = await responderBackends(config);
      const seen = await observeHaproxy({
        instance: '',
        runtime: ask,
        requiredFrontends: config.haproxy.frontends,
        withCertificates,
        list: () => swapParts.haproxy.list(),
        nowMs: () => clock.nowMs(),
      });
      return { ...seen, backends: seen.backends.filter(({ name }) => !ownBackends.has(name)) };
    },
    onChange: options.onChange,
  });
  const keeper = serverKeeper({
    instance: '',
    clock,
    records: options.servers,
    intents: options.intents,
    pid: () => feed.pid(),
    tell: (task) => tell(ask, task),
    save: options.saveServers,
    onChange: options.onChange,
  });
  const drift = serverDrift({
    instance: '',
    clock,
    keeper,
    intents: options.intents,
    pid: () => feed.pid(),
    read: () => readServerLines(ask, null),
    restore: config.haproxy.drift === 'restore',
    onChange(found, restored) {
      options.onDrift(found, restored);
      options.onChange();
    },
  });
  const swapParts: NodeSwapParts = careful({
    node,
    haproxy: { ...certs, version: async () => (await readInfo(ask)).version },
    files: options.files,
    journal: swapJournal(join(config.state, 'swaps')),
    verify: (path, names, expected, list) => servedBy(served, path, names, expected, list),
    reload: () => reloadHaproxy(ask, options.reload, clock),
    canReload: config.haproxy.reload.length > 0,
    wallMs: () => clock.wallMs(),
    map: config.certificates.map,
    placeOf: (path) => placeOf({ node, scan, details }, path),
    algorithm: async (path) => (await details(path))?.algorithm ?? '',
  });
  const swap = nodeSwap(swapParts);

  return {
    report() {
      const seen = feed.report();
      const { problem, ...rest } = drift.report();
      // A process that is gone has no servers that differ.
      if (seen.state !== 'up') return seen;
      return { ...seen, ...rest, problem: seen.problem === '' ? problem : seen.problem };
    },
    applied: keeper.applied,
    findServers: (backend) => orUnreachable(node, () => readServers(ask, backend)),
    shutSessions: (backend, server) =>
      orUnreachable(node, () => shutSessions(ask, backend, server)),
    show: (command) => orUnreachable(node, () => show(command)),
    swap,
    swapParts,
    inspect: async (served) => inspect(swapParts, await swap.kept(), served),
    async bundleWith(name, sha256) {
      const { entries } = await swap.open();
      return bundleWith(swapParts, [...entries, ...(await swap.kept())], name, sha256);
    },
    previousBundle: async (name) => previousOf(await swap.kept(), name)?.oldPem ?? null,
    ask,
    socketPath: () => socketPath,
    wake: keeper.wake,
    reread: () => feed.reread(),
    close() {
      drift.close();
      keeper.close();
      feed.close();
    },
  };
}

/** A question to HAProxy whose failure an operator can read. */
async function orUnreachable<T>(node: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof ActFailure) throw error;
    const cause = sentence(error);
    const message = `HAProxy on ${node} cannot be asked`;
    throw new ActFailure('failed', { code: 'haproxy_unreachable', message, cause });
  }
}

const tell = (ask: Runtime, { kind, backend, server, value }: ServerTask): Promise<void> =>
  kind === 'weight'
    ? setWeight(ask, backend, server, value)
    : setServer(ask, backend, server, value as AdminState);

/**
 * Backends of the agent's own ACME responder: an agent that stops takes them down, and that
 * must not make its host look worse than the other. None where haproxy.conf cannot be read.
 */
async function responderBackends(config: HaproxyConfig): Promise<ReadonlySet<string>> {
  try {
    return backendsAt(await readFile(config.haproxy.config, 'utf8'), config.acme.responder);
  } catch {
    return new Set();
  }
}

const NO_SOCKET = 'no stats socket of level admin is known';

/** Watches the configured socket, or the first admin one of haproxy.conf once that can be read. */
function watchConfigured(
  { config, clock }: HaproxyPartOptions,
  found: (path: string) => void,
): (onChange: (liveness: Liveness) => void) => () => void {
  const { haproxy } = config;
  return (onChange) => {
    let closed = false;
    let stop = (): void => {};
    const start = (socketPath: string): void => {
      if (closed) return;
      found(socketPath);
      stop = watchHaproxy({ socketPath, clock, hungAfterMs: haproxy.hungAfterMs, onChange });
    };
    const look = async (): Promise<void> => {
      let cause = `${haproxy.config} has no "stats socket PATH level admin" in its global section`;
      try {
        const { socket } = scanConfig(await readFile(haproxy.config, 'utf8'));
        if (socket !== null) return start(socket);
      } catch (error) {
        cause = `the stats socket is not known: ${sentence(error)}`;
      }
      if (closed) return;
      onChange({ kind: 'down', cause });
      stop = clock.after(CONFIG_RETRY_MS, () => void look());
    };
    if (haproxy.socket === '') void look();
    else start(haproxy.socket);
    return () => {
      closed = true;
      stop();
    };
  };
}
