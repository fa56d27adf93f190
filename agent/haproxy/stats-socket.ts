import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { atLeast } from './info.ts';
import { readSections } from './config-text.ts';
import { socketOf } from './socket-line.ts';
import { PAYLOAD_LIMIT, runtime, type Runtime } from './runtime.ts';
import { listener } from './listener.ts';
import { noSocket, type Liveness } from './liveness.ts';
import { servingProcess } from './process-table.ts';
import { olderProcesses, type OlderProcess } from './older.ts';
import { watchHaproxy } from './watch.ts';

export interface StatsSocketOptions {
  /** Path of haproxy.conf. */
  readonly config: string;
  /** Empty: the first admin `stats socket` of haproxy.conf. */
  readonly socket: string;
  readonly hungAfterMs: number;
  /** Required ones; empty: all. One of their binds is asked before silence counts. */
  readonly frontends: readonly string[];
  /** URL that is asked instead of a bind; empty: none. */
  readonly probe: string;
  /** VIPs that this host does not have now. */
  readonly elsewhere: () => readonly string[];
  readonly clock: Clock;
  /** HAProxy's processes as root sees them, as `parsePs` reads them; empty: root sees no more. */
  readonly rootProcesses: () => Promise<string>;
  /** What connections are opened from where no descriptor is left. */
  readonly descriptors?: Descriptors | undefined;
}

/** The stats socket of the one HAProxy of this host. */
export interface StatsSocket {
  /** One command, for readings. Rejects with RuntimeError, or where no socket is known yet. */
  readonly ask: Runtime;
  /** Empty: not known yet. */
  readonly path: () => string;
  /**
   * Tells whether HAProxy lives, at once and on every change, until the returned function is
   * called. Which socket it is, and what this version takes, is learned here.
   */
  watch(onChange: (liveness: Liveness) => void): () => void;
  /** Processes that were replaced or stop and still serve, while watched. */
  older(): readonly OlderProcess[];
}

const DEADLINE_MS = 2000;
const CONFIG_RETRY_MS = 5000;
/** From 3.4 on the runtime API takes payloads of this size. */
const LARGE_PAYLOAD = 130_000;
const NO_SOCKET = 'no stats socket of level admin is known';

/** The configured socket, or the first admin one of haproxy.conf once that can be read. */
export function statsSocket(options: StatsSocketOptions): StatsSocket {
  const { clock, hungAfterMs, descriptors } = options;
  const older = olderProcesses(clock);
  let version = '';
  let path = options.socket;
  let asked: { readonly path: string; readonly runtime: Runtime } | null = null;
  const payloadLimit = (): number => (atLeast(version, 3, 4) ? LARGE_PAYLOAD : PAYLOAD_LIMIT);

  return {
    ask(command, payload) {
      if (path === '') return Promise.reject(new Error(NO_SOCKET));
      if (asked?.path !== path)
        asked = {
          path,
          runtime: runtime(path, { deadlineMs: DEADLINE_MS, payloadLimit, descriptors }),
        };
      return asked.runtime(command, payload);
    },
    path: () => path,
    older: () => older.list(),
    watch(onChange) {
      let closed = false;
      let stop = (): void => {};
      let cancel = (): void => {};
      let isUp = false;
      const tell = (liveness: Liveness): void => {
        isUp = liveness.kind === 'up';
        if (liveness.kind === 'up') ({ version } = liveness);
        onChange(liveness);
      };
      const start = (socketPath: string): void => {
        path = socketPath;
        const here = listener(options);
        stop();
        stop = watchHaproxy({
          socketPath,
          clock,
          hungAfterMs,
          listener: here,
          process: () => servingProcess(options.config, options.rootProcesses),
          older,
          descriptors,
          onChange: tell,
        });
      };
      /** The file may name another one by now, as long as the one that is known is not up. */
      const look = async (): Promise<void> => {
        const found = isUp ? null : await socketIn(options.config);
        if (closed) return;
        cancel = clock.after(CONFIG_RETRY_MS, () => void look());
        if (found === null) return;
        if ('path' in found && found.path !== path) start(found.path);
        else if ('cause' in found && path === '') tell(noSocket(found.cause));
      };
      if (options.socket === '') void look();
      else start(options.socket);
      return () => {
        closed = true;
        cancel();
        stop();
        older.close();
      };
    },
  };
}

/** The `stats socket` in the haproxy.conf at `config` to ask, or why none is known. */
async function socketIn(
  config: string,
): Promise<{ readonly path: string } | { readonly cause: string }> {
  try {
    const found = socketOf(await readSections(config));
    return found.path === null ? { cause: `${config} ${found.cause}` } : { path: found.path };
  } catch (error) {
    return { cause: `the stats socket is not known: ${sentence(error)}` };
  }
}
