import { ActFailure, type AdminState, type ServerReading } from '../core/acts.ts';
import { RuntimeError, word, type Runtime } from './runtime.ts';
import { cell, count, readStat } from './stat.ts';

/**
 * Bits of srv_admin_state in `show servers state` (HAProxy
 * include/haproxy/server-t.h) that say what it was told. The others do not:
 * 02 and 10 are inherited from a tracked server, 20 is a name without address,
 * and 04 is history: set by `disabled` in the configuration, together with 01,
 * and still there after `ready`.
 */
const FORCED_MAINT = 0x01;
const FORCED_DRAIN = 0x08;

/** One line of `show servers state`. */
interface ServerLine {
  readonly backendId: string;
  readonly admin: AdminState;
}

/**
 * The admin state of every server in the output of `show servers state`, by
 * name: what HAProxy was told, not how the server is. Columns by header.
 * Throws RuntimeError for text that is none.
 */
export function parseServersState(text: string): ReadonlyMap<string, ServerLine> {
  const [version, header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const columns = header.slice(2).split(' ');
  const [id, name, admin] = ['be_id', 'srv_name', 'srv_admin_state'].map((column) =>
    columns.indexOf(column),
  );
  if (version !== '1' || !header.startsWith('# ') || id === undefined || id < 0)
    throw new RuntimeError('show servers state', '', { kind: 'text', text });
  const states = new Map<string, ServerLine>();
  for (const line of lines) {
    const cells = line.split(' ');
    const server = cells[name ?? -1];
    const bits = /^\d+$/.exec(cells[admin ?? -1] ?? '');
    if (server === undefined || bits === null || cells.length < columns.length)
      throw new RuntimeError('show servers state', '', { kind: 'text', text: line });
    states.set(server, { backendId: cells[id] ?? '', admin: stateOf(Number(bits[0])) });
  }
  return states;
}

function stateOf(bits: number): AdminState {
  if ((bits & FORCED_MAINT) !== 0) return 'maint';
  return (bits & FORCED_DRAIN) === 0 ? 'ready' : 'drain';
}

/**
 * The servers of one backend as HAProxy has them now, in its order. Rejects
 * with ActFailure 'not-found' for a backend it does not have, else RuntimeError.
 */
export async function readServers(runtime: Runtime, backend: string): Promise<ServerReading[]> {
  const states = parseServersState(await statesOf(runtime, backend));
  const [first] = states.values();
  if (first === undefined) return [];
  // By number: a name may be a frontend's too, and `show stat` would take that one, without servers.
  const rows = await readStat(runtime, 'server', first.backendId);
  return rows.map((row) => {
    const name = cell(row, 'svname');
    const state = states.get(name);
    if (cell(row, 'pxname') !== backend || state === undefined) {
      const text = `${cell(row, 'pxname')}/${name} is no server of ${backend}`;
      throw new RuntimeError('show stat', '', { kind: 'text', text });
    }
    const status = cell(row, 'status');
    return {
      name,
      // "UP 1/3" is UP on its way down: the word is what counts.
      status: status === 'no check' ? status : (status.split(' ')[0] ?? ''),
      admin: state.admin,
      sessions: count(row, 'scur') + count(row, 'qcur'),
    };
  });
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
  const now = parseServersState(await statesOf(runtime, backend)).get(server)?.admin;
  if (now === state) return;
  const text = `${backend}/${server} is ${now ?? 'gone'} after it was set to ${state}`;
  throw new RuntimeError(command, '', { kind: 'rejected', text });
}
