import type { AdminState } from '../core/acts.ts';
import { ActFailure } from '../core/results.ts';
import type { ServerFigures, ServerReading } from '../core/answers.ts';
import { adminState } from '../core/servers/admin.ts';
import { expectedWeight, type ServerTask } from '../core/servers/servers.ts';
import { nearest } from '../core/words.ts';
import { RuntimeError, word, type Runtime } from './runtime.ts';
import { parseServersState, type ServerLine } from './server-lines.ts';
import { readCells } from './stat.ts';

const CELLS = [
  'pxname',
  'svname',
  'status',
  'scur',
  'qcur',
  'stot',
  'check_status',
  'bck',
  'econ',
  'eresp',
  'hrsp_5xx',
  'bin',
  'bout',
  'rtime',
] as const;

/**
 * The servers of one backend, or with null of all, as HAProxy has them now, in
 * its order. Rejects with ActFailure 'not-found' for a backend it does not
 * have, else RuntimeError.
 */
export async function readServers(
  runtime: Runtime,
  backend: string | null,
): Promise<ServerReading[]> {
  const lines = await readServerLines(runtime, backend);
  const [first] = lines;
  if (first === undefined) return [];
  const known = byName(lines);
  // By number: a name may be a frontend's too, and `show stat` would take that one, without servers.
  const id = backend === null ? '-1' : first.backendId;
  return readCells(runtime, `show stat ${word(id)} 4 -1`, CELLS, (cells) => {
    const [proxy = '', name = '', status = '', scur, qcur, stot, check = '', bck, ...counts] =
      cells;
    const line = known.get(proxy)?.get(name);
    if (line === undefined || (backend !== null && proxy !== backend)) {
      const text = `${proxy}/${name} is no server of ${backend ?? 'any backend'}`;
      throw new RuntimeError('show stat', '', { kind: 'text', text });
    }
    const queued = number(qcur);
    return {
      backend: proxy,
      name,
      // "UP 1/3" is UP on its way down: the word is what counts.
      status: status === 'no check' ? status : (status.split(' ')[0] ?? ''),
      admin: adminState(line.bits),
      adminBits: line.bits,
      weight: line.weight,
      initialWeight: line.initialWeight,
      sessions: number(scur) + queued,
      older: 0,
      uncounted: 0,
      queued,
      total: number(stot),
      // "* L4OK": the next check is under way.
      check: check.replace(/^\* /, ''),
      backup: bck === '1',
      agentChecked: line.agentChecked,
      stateFile: false,
      address: line.address,
      figures: figuresOf(counts),
    };
  });
}

/** By backend, then by server. */
function byName(
  lines: readonly ServerLine[],
): ReadonlyMap<string, ReadonlyMap<string, ServerLine>> {
  const known = new Map<string, Map<string, ServerLine>>();
  for (const line of lines) {
    const servers = known.get(line.backend) ?? new Map<string, ServerLine>();
    known.set(line.backend, servers.set(line.server, line));
  }
  return known;
}

/** The last columns of CELLS; an empty one is not told. */
function figuresOf(counts: readonly string[]): ServerFigures {
  const [econ, eresp, http5xx, bytesIn, bytesOut, rtime] = counts.map((text) =>
    /^\d+$/.test(text) ? Number(text) : null,
  );
  return {
    connectErrors: econ ?? null,
    responseErrors: eresp ?? null,
    http5xx: http5xx ?? null,
    bytesIn: bytesIn ?? null,
    bytesOut: bytesOut ?? null,
    responseMs: rtime ?? null,
  };
}

const number = (text: string | undefined): number => Number(text ?? 0) || 0;

/** What HAProxy was told of each server, in its order. Rejects as readServers does. */
export async function readServerLines(
  runtime: Runtime,
  backend: string | null,
): Promise<ServerLine[]> {
  const which = backend === null ? '' : ` ${word(backend)}`;
  const reply = await runtime(`show servers state${which}`);
  if (!reply.startsWith("Can't find backend")) return parseServersState(reply);
  const near = backend === null ? null : await nearBackend(runtime, backend);
  throw new ActFailure('not-found', {
    code: 'no_such_backend',
    message: `HAProxy has no backend ${backend}`,
    cause: near === null ? '' : `it has ${near}`,
    remediation: 'names count byte for byte; proxyctl servers lists them',
  });
}

/** A backend whose name is nearly the given one; null where there is none, or HAProxy does not say. */
async function nearBackend(runtime: Runtime, backend: string): Promise<string | null> {
  const reply = await runtime('show backend').catch(() => '');
  const names = reply.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const lower = backend.toLowerCase();
  return names.find((name) => name.toLowerCase() === lower) ?? nearest(backend, names);
}

/**
 * Tells HAProxy and proves it by reading again. Rejects with RuntimeError, or
 * ActFailure 'not-found' where the server or backend is gone.
 *
 * A checked server that leaves maintenance would count as up at once, and get
 * requests until its first check fails. So it leaves as down: HAProxy itself
 * takes it in once `rise` checks were good, with or without this agent.
 */
export async function setServer(
  runtime: Runtime,
  backend: string,
  server: string,
  state: AdminState,
): Promise<void> {
  const target = `${word(backend)}/${word(server)}`;
  const told = (to: AdminState): string => `set server ${target} state ${to}`;
  let command = told(state);
  const now = await lineThere(runtime, backend, server);
  // Drain lets sticky clients in as well.
  if (state !== 'maint' && adminState(now.bits) === 'maint' && now.checked)
    command = [told('drain'), `set server ${target} health down`, told(state)].join(';');
  await runtime(command);
  const line = await lineOf(runtime, backend, server);
  const is = line === undefined ? 'gone' : adminState(line.bits);
  if (is !== state) throw notTaken(told(state), `${target} is ${is} after it was set to ${state}`);
}

/**
 * Sets a weight ("5", "50%"; "100%" is the configured one) and proves it by
 * reading again. Rejects as setServer does; a backend that balances statically
 * takes only 0% and 100%.
 */
export async function setWeight(
  runtime: Runtime,
  backend: string,
  server: string,
  weight: string,
): Promise<void> {
  const target = `${word(backend)}/${word(server)}`;
  const command = `set server ${target} weight ${word(weight)}`;
  await lineThere(runtime, backend, server);
  await runtime(command);
  const line = await lineOf(runtime, backend, server);
  const is = line === undefined ? 'gone' : String(line.weight);
  if (line !== undefined && line.weight === expectedWeight(weight, line.initialWeight)) return;
  throw notTaken(command, `the weight of ${target} is ${is} after it was set to ${weight}`);
}

/** Ends the sessions a server still has. HAProxy does it a moment later and says nothing of it. */
export async function shutSessions(
  runtime: Runtime,
  backend: string,
  server: string,
): Promise<void> {
  await runtime(`shutdown sessions server ${word(backend)}/${word(server)}`);
}

/**
 * Whether HAProxy has the server as this wish names it, has it otherwise, or has it not. Changes
 * nothing; rejects with RuntimeError where it cannot be asked.
 */
export async function lookAtServer(
  runtime: Runtime,
  { kind, backend, server, value }: Pick<ServerTask, 'kind' | 'backend' | 'server' | 'value'>,
): Promise<'as-wished' | 'otherwise' | 'gone'> {
  try {
    const line = await lineThere(runtime, backend, server);
    const isSo =
      kind === 'weight'
        ? line.weight === expectedWeight(value, line.initialWeight)
        : adminState(line.bits) === value;
    return isSo ? 'as-wished' : 'otherwise';
  } catch (error) {
    if (isGone(error)) return 'gone';
    throw error;
  }
}

/** HAProxy answered, and has no such server or no such backend. */
export const isGone = (error: unknown): boolean =>
  error instanceof ActFailure && error.outcome === 'not-found';

async function lineThere(runtime: Runtime, backend: string, server: string): Promise<ServerLine> {
  const line = await lineOf(runtime, backend, server);
  if (line !== undefined) return line;
  const message = `HAProxy has no server ${backend}/${server}`;
  throw new ActFailure('not-found', { code: 'no_such_server', message });
}

async function lineOf(
  runtime: Runtime,
  backend: string,
  server: string,
): Promise<ServerLine | undefined> {
  const lines = await readServerLines(runtime, backend);
  return lines.find((line) => line.server === server);
}

const notTaken = (command: string, text: string): RuntimeError =>
  new RuntimeError(command, '', { kind: 'rejected', text });
