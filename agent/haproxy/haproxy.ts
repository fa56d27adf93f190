import type { AdminState } from '../core/acts.ts';
import { ActFailure } from '../core/results.ts';
import type { ServerReading } from '../core/answers.ts';
import type { CertificateReport, Drift, HaproxyReport, LostServer } from '../core/model.ts';
import { broughtBack } from '../core/servers/drift.ts';
import type { Intents } from '../core/intents.ts';
import { sentence } from '../core/words.ts';
import type { ServerRecord, ServerTask } from '../core/servers/servers.ts';
import type { Member } from '../core/member.ts';
import type { Clock } from '../sys/clock.ts';
import { hostConfigFiles, type ConfigFiles } from './config-files.ts';
import { backendsAt } from './config-scan.ts';
import { sectionsIn } from '../core/haproxy-config/sections.ts';
import { haproxyFeed } from './feed.ts';
import { frontends, type Frontends } from './frontends.ts';
import { observeHaproxy } from './observe.ts';
import { olderSessions } from './older-sessions.ts';
import { processesWith } from './process-table.ts';
import type { Runtime } from './runtime.ts';
import { serverDrift } from './server-drift.ts';
import {
  lookAtServer,
  readServerLines,
  readServers,
  setServer,
  setWeight,
  shutSessions,
} from './servers.ts';
import { showing } from './show.ts';
import { backendsWithStateFile } from './state-file.ts';
import type { StatsSocket } from './stats-socket.ts';
import type { Liveness } from './liveness.ts';
import { wishesInForce } from './wishes-in-force.ts';

/** What of agent.toml this needs. */
interface HaproxyConfig {
  readonly haproxy: {
    /** Path of haproxy.conf. */
    readonly config: string;
    /** Required ones; empty: all. */
    readonly frontends: readonly string[];
    readonly drift: 'report' | 'restore';
  };
  /** Directory of the state. */
  readonly state: string;
  /** Where the agent's own ACME responder listens. */
  readonly acme: { readonly responder: readonly string[] };
}

export interface HaproxyOptions {
  readonly node: string;
  readonly config: HaproxyConfig;
  readonly clock: Clock;
  readonly socket: StatsSocket;
  /** The certificates in HAProxy's memory; rejects with the cause. */
  readonly listCertificates: () => Promise<readonly CertificateReport[]>;
  /** HAProxy's processes as root sees them, as `processesWith` wants them. */
  readonly rootProcesses: () => Promise<string>;
  readonly intents: () => Intents;
  readonly servers: readonly ServerRecord[];
  readonly saveServers: (servers: readonly ServerRecord[]) => Promise<void>;
  readonly onChange: () => void;
  readonly onLiveness: (liveness: Liveness) => void;
  /** Servers are not as they were told, or are again. */
  readonly onDrift: (drift: readonly Drift[], restored: boolean) => void;
  /** A wish has lost its server, or it is there again. */
  readonly onLost: (key: string, server: LostServer, problem: string) => void;
}

export interface Haproxy {
  report(): HaproxyReport;
  applied: ReturnType<typeof wishesInForce>['applied'];
  /** Null: of every backend. Rejects with ActFailure. */
  findServers(backend: string | null): Promise<readonly ServerReading[]>;
  /** Ends the sessions a server has. Rejects with ActFailure. */
  shutSessions(backend: string, server: string): Promise<void>;
  /** The reply to a command that core/show-commands.ts lets through. Rejects with ActFailure. */
  readonly show: Member['show'];
  readonly closeFrontends: Frontends['close'];
  readonly openFrontends: Frontends['open'];
  /** Wishes may have changed. */
  wake(): void;
  /** Reads everything again, certificates too. */
  reread(): Promise<void>;
  close(): void;
}

/** What one HAProxy runs and says, and the wishes for its servers kept in force. */
export function haproxy(options: HaproxyOptions): Haproxy {
  const { clock, config, node, socket } = options;
  const { ask } = socket;
  const show = showing(socket.path);
  const configuration = hostConfigFiles({ ...options, ask, config: config.haproxy.config });
  let ownBackends: ReadonlySet<string> = new Set();

  /** Backends that begin with a state file; none where no file of HAProxy can be read. */
  const stateFileOf = (): Promise<ReadonlySet<string>> =>
    configuration().then(
      ({ texts }) => backendsWithStateFile(sectionsIn(texts)),
      () => new Set(),
    );

  const feed = haproxyFeed({
    instance: '',
    clock,
    watch: (onChange) =>
      socket.watch((liveness) => {
        options.onLiveness(liveness);
        onChange(liveness);
        inForce.wake();
      }),
    async observe(withCertificates) {
      if (withCertificates) ownBackends = await responderBackends(configuration, config);
      const seen = await observeHaproxy({
        instance: '',
        runtime: ask,
        requiredFrontends: config.haproxy.frontends,
        withCertificates,
        list: options.listCertificates,
        nowMs: () => clock.nowMs(),
      });
      return {
        ...seen,
        older: await older.report(),
        backends: seen.backends.filter(({ name }) => !ownBackends.has(name)),
      };
    },
    onChange: options.onChange,
  });
  const older = olderSessions({
    clock,
    pid: () => feed.pid(),
    held: () => socket.older(),
    processes: (pid) => processesWith(pid, options.rootProcesses),
  });
  const inForce = wishesInForce({
    instance: '',
    clock,
    records: options.servers,
    intents: options.intents,
    pid: () => feed.pid(),
    tell: (task) => tell(ask, task),
    look: (task) => lookAtServer(ask, task),
    async broughtBack() {
      if ((await stateFileOf()).size === 0) return [];
      const settings = await readServerLines(ask, null);
      const wallMs = clock.wallMs();
      return broughtBack({ settings, intents: options.intents(), instance: '', wallMs });
    },
    save: options.saveServers,
    onChange: options.onChange,
    onLost: options.onLost,
  });
  const drift = serverDrift({
    instance: '',
    clock,
    inForce,
    intents: options.intents,
    pid: () => feed.pid(),
    read: () => readServerLines(ask, null),
    restore: config.haproxy.drift === 'restore',
    onChange(found, restored) {
      options.onDrift(found, restored);
      options.onChange();
    },
  });

  const closing = frontends({
    node,
    clock,
    ask,
    path: socket.path,
    report: feed.report,
    look: () => feed.look(),
    onChange: options.onChange,
    folder: config.state,
  });
  void closing.recover();

  return {
    closeFrontends: closing.close,
    openFrontends: closing.open,
    report() {
      const seen = closing.counted(feed.report());
      const { problem, ...rest } = drift.report();
      // A process that is gone has no servers that differ.
      if (seen.state !== 'up') return seen;
      return { ...seen, ...rest, problem: seen.problem === '' ? problem : seen.problem };
    },
    applied: inForce.applied,
    findServers: (backend) =>
      orUnreachable(node, async () => {
        const servers = await older.added(await readServers(ask, backend), backend);
        const files = await stateFileOf();
        if (files.size === 0) return servers;
        return servers.map((one) => ({ ...one, stateFile: files.has(one.backend) }));
      }),
    shutSessions: (backend, server) =>
      orUnreachable(node, async () => {
        await shutSessions(ask, backend, server);
        await older.shut(backend, server);
      }),
    show: (command) => orUnreachable(node, () => show(command)),
    wake: inForce.wake,
    reread: () => feed.reread(),
    close() {
      drift.close();
      inForce.close();
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
 * must not make its host look worse than the other. None where no file of HAProxy can be read.
 */
async function responderBackends(
  configuration: () => Promise<ConfigFiles>,
  { acme }: HaproxyConfig,
): Promise<ReadonlySet<string>> {
  try {
    return backendsAt((await configuration()).texts, acme.responder);
  } catch {
    return new Set();
  }
}
