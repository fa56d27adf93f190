import { ActFailure, type AdminState, type ServerReading } from '../core/acts.ts';
import { RuntimeError, word, type Runtime } from './runtime.ts';
import { cell, count, readStat } from './stat.ts';

/** Bits of srv_admin_state in `show servers state` (HAProxy include/haproxy/server-t.h). */
const FORCED_MAINT = 0x01;
const CONFIG_MAINT = 0x04;
const FORCED_DRAIN = 0x08;

/**
 * The admin state of every server in the output of `show servers state`, by
 * name: what HAProxy was told, not how the server is. Columns by header.
 * Throws RuntimeError for text that is none.
 */
export function parseServersState(text: string): ReadonlyMap<string, AdminState> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const header =
    lines
      .find((line) => line.startsWith('# '))
      ?.slice(2)
      .split(' ') ?? [];
  const name = header.indexOf('srv_name');
  const admin = header.indexOf('srv_admin_state');
  if (lines[0] !== '1' || name < 0 || admin < 0)
    throw new RuntimeError('show servers state', '', { kind: 'text', text });
  const states = new Map<string, AdminState>();
  for (const line of lines.slice(2)) {
    const cells = line.split(' ');
    const bits = Number(cells[admin]);
    if (!Number.isInteger(bits) || cells[admin] === '')
      throw new RuntimeError('show servers state', '', { kind: 'text', text: line });
    states.set(cells[name] ?? '', stateOf(bits));
  }
  return states;
}

function stateOf(bits: number): AdminState {
  if ((bits & (FORCED_MAINT | CONFIG_MAINT)) !== 0) return 'maint';
  return (bits & FORCED_DRAIN) === 0 ? 'ready' : 'drain';
}

/**
 * The servers of one backend as HAProxy has them now, in its order. Rejects
 * with ActFailure 'not-found' for a backend it does not have, else RuntimeError.
 */
export async function readServers(runtime: Runtime, backend: string): Promise<ServerReading[]> {
  const states = parseServersState(await statesOf(runtime, backend));
  const rows = await readStat(runtime, 'server', backend);
  return rows.map((row) => ({
    name: cell(row, 'svname'),
    // "UP 1/3" is UP on its way down: the word is what counts.
    status:
      cell(row, 'status') === 'no check' ? 'no check' : (cell(row, 'status').split(' ')[0] ?? ''),
    admin: states.get(cell(row, 'svname')) ?? 'ready',
    sessions: count(row, 'scur') + count(row, 'qcur'),
  }));
}

async function statesOf(runtime: Runtime, backend: string): Promise<string> {
  const reply = await runtime(`show servers state ${word(backend)}`);
  if (!reply.includes("Can't find backend")) return reply;
  throw new ActFailure('not-found', {
    code: 'no_such_backend',
    message: `HAProxy has no backend ${backend}`,
    remediation: 'names count byte for byte; proxyctl status lists how many there are',
  });
}

/**
 * Tells HAProxy and proves it by reading again. Rejects with RuntimeError, or
 * ActFailure 'not-found' where the server or backend is gone.
 */
export async function setServer(
  runtime: Runtime,
  backend: string,
  server: string,
  state: AdminState,
): Promise<void> {
  const command = `set server ${word(backend)}/${word(server)} state ${state}`;
  await runtime(command);
  const now = parseServersState(await statesOf(runtime, backend)).get(server);
  if (now === state) return;
  const text = `${backend}/${server} is ${now ?? 'gone'} after it was set to ${state}`;
  throw new RuntimeError(command, '', { kind: 'rejected', text });
}
