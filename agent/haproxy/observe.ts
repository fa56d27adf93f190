import type { BackendReport, CertificateReport, HaproxyReport } from '../core/model.ts';
import { certificates } from './certificates.ts';
import { readInfo } from './info.ts';
import { NO_OLDER } from './older-sessions.ts';
import type { Runtime } from './runtime.ts';
import { cell, count, readProxies, type StatRow } from './stat.ts';

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
 * certificates where asked. Costs two commands whatever the number of servers.
 * Rejects with RuntimeError when any part of it is not understood.
 */
export async function observeHaproxy(options: ObserveOptions): Promise<HaproxyReport> {
  const { runtime, requiredFrontends } = options;
  const info = await readInfo(runtime);
  const rows = await readProxies(runtime);
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

function backend(row: StatRow): BackendReport {
  const serversUp = count(row, 'act') + count(row, 'bck');
  return {
    name: cell(row, 'pxname'),
    up: cell(row, 'status').startsWith('UP'),
    serversUp,
    servers: count(row, 'srv') || serversUp,
  };
}
