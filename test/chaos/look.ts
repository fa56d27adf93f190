import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { sha1Of } from '../lab/certificates.ts';
import { proxyctl, served } from '../lab/client.ts';
import type { LabNode, LabReport } from '../lab/report.ts';

/** The parts of `status -o json` that are looked at. */
interface Status {
  readonly paused: boolean;
  readonly addresses: readonly { readonly pin: { readonly node: string } | null }[];
  readonly maintenance: readonly { readonly node: string }[];
}

/** The result of a verb that looks, as this node's agent has it. Throws with what was said where there is none. */
async function asked<T>(lab: LabReport, node: string, ...argv: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await proxyctl(lab, [...argv, '--context', node, '-o', 'json']);
  const { result } = JSON.parse(stdout || '{"result":null}') as { result: T | null };
  if (result === null)
    throw new Error(`${argv.join(' ')} on ${node}: exit ${code} ${stderr}${stdout}`);
  return result;
}

/** What every wish is on one node: by its agent, by HAProxy itself and by what a client is served. */
export async function wishesOn(lab: LabReport, node: LabNode): Promise<Map<string, string>> {
  const { name, address4 } = node;
  const status = await asked<Status>(lab, name, 'status');
  return new Map([
    ['pin', status.addresses[0]?.pin?.node ?? 'none'],
    ['pause', status.paused ? 'on' : 'off'],
    ['WEB/web1', await adminState(node, 'web1')],
    ['cert', await served(lab, address4)],
    ['cert on disk', sha1Of(readFileSync(node.cert_path, 'utf8'))],
    ...lab.nodes.map((one): [string, string] => [
      `maintenance ${one.name}`,
      status.maintenance.some((each) => each.node === one.name) ? 'on' : 'off',
    ]),
  ]);
}

/** One move, as `history` has it; `at` as written there. */
export interface Move {
  readonly at: string;
  readonly to: string;
  readonly cause: string;
}

/** All moves on record, and those among the events. */
export async function movesOf(
  lab: LabReport,
): Promise<{ readonly history: readonly Move[]; readonly events: readonly Move[] }> {
  const [{ name } = { name: '' }] = lab.nodes;
  const { changes } = await asked<{ changes: Move[] }>(lab, name, 'history');
  type Moved = Move & { readonly time: string };
  const kind = ['events', '--kind', 'moved'];
  const { events } = await asked<{ events: Moved[] }>(lab, name, ...kind);
  return { history: changes, events: events.map((one) => ({ ...one, at: one.time })) };
}

/** What HAProxy itself was told of a server of WEB, past the agent. */
async function adminState(node: LabNode, server: string): Promise<string> {
  const text = await runtime(node, 'show servers state WEB');
  const line = text.split('\n').find((one) => one.split(' ')[3] === server) ?? '';
  const state = line.split(' ')[6] ?? '';
  return { 0: 'ready', 1: 'maint', 8: 'drain' }[state] ?? `state ${state}`;
}

/** One command of HAProxy's runtime API; an empty text where nobody answers. */
const runtime = ({ stats_socket: path }: LabNode, command: string): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${command}\n`));
    socket.setEncoding('utf8');
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
