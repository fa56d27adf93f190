import type { BackendReport, CertificateReport, HaproxyReport } from '../core/model.ts';
import { certificates } from './certificates.ts';
import { parseInfo, type Info } from './info.ts';
import { NO_OLDER } from './older-sessions.ts';
import { RuntimeError, type Runtime } from './runtime.ts';
import { cell, count, parseProxies, PROXIES, type StatRow } from './stat.ts';

export interface ObserveOptions {
  readonly instance: string;
  readonly runtime: Runtime;
  /** Names of the frontends that have to be open; empty: all. */
  readonly requiredFrontends: readonly string[];
  readonly withCertificates: boolean;
  /** Absent: asks HAProxy for each. */
  readonly list?: () => Promise<readonly CertificateReport[]>;
  readonly nowMs: () => number;
}

/**
 * One reading of a running HAProxy: process, frontends, backends, and the
 * certificates where asked. Costs one connection whatever the number of servers.
 * Rejects with RuntimeError when any part of it is not understood.
 */
export async function observeHaproxy(options: ObserveOptions): Promise<HaproxyReport> {
  const { runtime, requiredFrontends } = options;
  const { info, rows } = await readBoth(runtime);
  const frontends = rows.filter((row) => cell(row, 'svname') === 'FRONTEND');
  const names = frontends.map((row) => cell(row, 'pxname'));
  // A required frontend this HAProxy does not have is not open.
  const absent = requiredFrontends.filter((name) => !names.includes(name));
  return {
    instance: options.instance,
    state: 'up',
    stateSinceMs: options.nowMs(),
    problem: '',
    version: info.version,
    pid: info.pid,
    sessions: info.sessions,
    older: NO_OLDER,
    startedMs: options.nowMs() - info.upMs,
    frontends: [
      ...frontends.map((row) => ({
        name: cell(row, 'pxname'),
        open: cell(row, 'status') === 'OPEN',
        required: requiredFrontends.length === 0 || requiredFrontends.includes(cell(row, 'pxname')),
      })),
      ...absent.map((name) => ({ name, open: false, required: true })),
    ],
    backends: rows.filter((row) => cell(row, 'svname') === 'BACKEND').map(backend),
    certificates: options.withCertificates
      ? await (options.list ?? (() => certificates(runtime).list()))()
      : [],
    drift: [],
    drifted: 0,
  };
}

const BOTH = `show info;${PROXIES}`;

/** The process and its proxies by one connection: HAProxy ends each reply with an empty line. */
async function readBoth(
  runtime: Runtime,
): Promise<{ readonly info: Info; readonly rows: readonly StatRow[] }> {
  const text = await runtime(BOTH);
  const end = text.indexOf('\n\n');
  if (end < 0) throw new RuntimeError(BOTH, '', { kind: 'text', text });
  return { info: parseInfo(text.slice(0, end + 1)), rows: parseProxies(text.slice(end + 2)) };
}

function backend(row: StatRow): BackendReport {
  const serversUp = count(row, 'act') + count(row, 'bck');
  return {
    name: cell(row, 'pxname'),
    up: cell(row, 'status').startsWith('UP'),
    serversUp,
    servers: count(row, 'srv') || serversUp,
  };
}
