import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActFailure, type ServerReading } from './core/acts.ts';
import type { HaproxyReport } from './core/model.ts';
import type { Intents } from './core/intents.ts';
import { sentence } from './core/words.ts';
import type { ServerRecord } from './core/servers.ts';
import { servedFingerprint } from './certs/handshake.ts';
import type { CertificateFiles } from './certs/port.ts';
import { swapJournal } from './certs/journal.ts';
import { serverNameFor } from './certs/names.ts';
import { nodeSwap, type NodeSwap } from './certs/swap.ts';
import type { Config } from './config.ts';
import { haproxyFeed, type Liveness } from './haproxy-feed.ts';
import { certificates } from './haproxy/certificates.ts';
import { backendsAt, scanConfig, type TlsListener } from './haproxy/config-scan.ts';
import { atLeast, readInfo } from './haproxy/info.ts';
import { observeHaproxy } from './haproxy/observe.ts';
import { runtime, type Runtime } from './haproxy/runtime.ts';
import { readServers, setServer } from './haproxy/servers.ts';
import { watchHaproxy } from './haproxy/watch.ts';
import { serverKeeper } from './server-keeper.ts';
import type { Clock } from './sys/clock.ts';

export interface HaproxyPartOptions {
  readonly node: string;
  readonly config: Pick<Config, 'haproxy' | 'state' | 'acme'>;
  readonly clock: Clock;
  /** Certificate files of this host, with the rights they need. */
  readonly files: CertificateFiles;
  readonly intents: () => Intents;
  readonly servers: readonly ServerRecord[];
  readonly saveServers: (servers: readonly ServerRecord[]) => Promise<void>;
  /** VIPs that this node does not hold now: a connection there reaches another node. */
  readonly elsewhere: () => readonly string[];
  readonly onChange: () => void;
  readonly onLiveness: (liveness: Liveness) => void;
}

export interface HaproxyPart {
  report(): HaproxyReport;
  applied: ReturnType<typeof serverKeeper>['applied'];
  findServers(backend: string): Promise<readonly ServerReading[]>;
  readonly swap: NodeSwap;
  /** Wishes may have changed. */
  wake(): void;
  /** Reads everything again, certificates too. */
  reread(): Promise<void>;
  close(): void;
}

const DEADLINE_MS = 2000;
const CONFIG_RETRY_MS = 5000;
const HANDSHAKE_MS = 2000;
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
  const certs = certificates(ask);
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
    set: (backend, server, state) => setServer(ask, backend, server, state),
    save: options.saveServers,
    onChange: options.onChange,
  });
  const swap = nodeSwap({
    node,
    haproxy: { ...certs, version: async () => (await readInfo(ask)).version },
    files: options.files,
    journal: swapJournal(join(config.state, 'swaps')),
    verify: (path, names) => verifyServed(options, path, names),
    wallMs: () => clock.wallMs(),
  });

  return {
    report: feed.report,
    applied: keeper.applied,
    async findServers(backend) {
      try {
        return await readServers(ask, backend);
      } catch (error) {
        if (error instanceof ActFailure) throw error;
        const cause = sentence(error);
        const message = `HAProxy on ${node} cannot be asked`;
        throw new ActFailure('failed', { code: 'haproxy_unreachable', message, cause });
      }
    },
    swap,
    wake: keeper.wake,
    reread: () => feed.reread(),
    close() {
      keeper.close();
      feed.close();
    },
  };
}

/**
 * Backends of the agent's own ACME responder: an agent that stops takes them down, and that
 * must not make its host look worse than the other. None where haproxy.conf cannot be read.
 */
async function responderBackends(
  config: HaproxyPartOptions['config'],
): Promise<ReadonlySet<string>> {
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

/** What a client of a local listener with this certificate gets; null where no listener is known. */
async function verifyServed(
  { config, elsewhere }: HaproxyPartOptions,
  path: string,
  names: readonly string[],
): Promise<string | null> {
  const { listeners } = scanConfig(await readFile(config.haproxy.config, 'utf8'));
  const away = elsewhere();
  const [listener] = listeners.filter(
    ({ crt, host }) => (crt === path || path.startsWith(`${crt}/`)) && !away.includes(host),
  );
  if (listener === undefined) return null;
  return servedFingerprint({
    host: localHost(listener),
    port: listener.port,
    servername: serverNameFor(names),
    timeoutMs: HANDSHAKE_MS,
  });
}

function localHost({ host }: TlsListener): string {
  if (host === '' || host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
