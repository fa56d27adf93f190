import { readFile } from 'node:fs/promises';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import { scanConfig } from './config-scan.ts';
import { atLeast } from './info.ts';
import type { OlderProcess } from './older.ts';
import { PAYLOAD_LIMIT, runtime, type Runtime } from './runtime.ts';
import { watchHaproxy, type Liveness } from './watch.ts';

export interface StatsSocketOptions {
  /** Path of haproxy.conf. */
  readonly config: string;
  /** Empty: the first admin `stats socket` of haproxy.conf. */
  readonly socket: string;
  readonly hungAfterMs: number;
  readonly clock: Clock;
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
  /** Processes that were replaced or stop and still serve, as far as a connection to them is held. */
  readonly older?: () => readonly OlderProcess[];
}

const DEADLINE_MS = 2000;
const CONFIG_RETRY_MS = 5000;
/** From 3.4 on the runtime API takes payloads of this size. */
const LARGE_PAYLOAD = 130_000;
const NO_SOCKET = 'no stats socket of level admin is known';

/** The configured socket, or the first admin one of haproxy.conf once that can be read. */
export function statsSocket(options: StatsSocketOptions): StatsSocket {
  const { clock, hungAfterMs } = options;
  let version = '';
  let path = options.socket;
  let asked: { readonly path: string; readonly runtime: Runtime } | null = null;
  const payloadLimit = (): number => (atLeast(version, 3, 4) ? LARGE_PAYLOAD : PAYLOAD_LIMIT);

  return {
    ask(command, payload) {
      if (path === '') return Promise.reject(new Error(NO_SOCKET));
      if (asked?.path !== path)
        asked = { path, runtime: runtime(path, { deadlineMs: DEADLINE_MS, payloadLimit }) };
      return asked.runtime(command, payload);
    },
    path: () => path,
    watch(onChange) {
      let closed = false;
      let stop = (): void => {};
      const tell = (liveness: Liveness): void => {
        if (liveness.kind === 'up') ({ version } = liveness);
        onChange(liveness);
      };
      const start = (socketPath: string): void => {
        path = socketPath;
        stop = watchHaproxy({ socketPath, clock, hungAfterMs, onChange: tell });
      };
      const look = async (): Promise<void> => {
        const found = await adminSocket(options.config);
        if (closed) return;
        if ('path' in found) return start(found.path);
        tell({ kind: 'down', cause: found.cause });
        stop = clock.after(CONFIG_RETRY_MS, () => void look());
      };
      if (options.socket === '') void look();
      else start(options.socket);
      return () => {
        closed = true;
        stop();
      };
    },
  };
}

/** The first `stats socket` of level admin in the haproxy.conf at `config`, or why none is known. */
async function adminSocket(
  config: string,
): Promise<{ readonly path: string } | { readonly cause: string }> {
  try {
    const { socket } = scanConfig(await readFile(config, 'utf8'));
    if (socket !== null) return { path: socket };
    return { cause: `${config} has no "stats socket PATH level admin" in its global section` };
  } catch (error) {
    return { cause: `the stats socket is not known: ${sentence(error)}` };
  }
}
