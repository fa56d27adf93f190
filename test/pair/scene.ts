import { connect } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import test, { type TestFn } from 'ava';
import { proxyctl, ran, type Probed } from '../lab/client.ts';
import {
  installedHaproxy,
  labDown,
  labEnvironment,
  labMissing,
  labOrder,
  labReport,
  labUp,
} from '../lab/lab.ts';
import type { LabOptions } from '../lab/plan.ts';
import type { LabNode, LabReport } from '../lab/report.ts';

/** One lab for all tests of a file; where no lab can run they are skipped by name. */
export interface Scene {
  /** `test.serial`, or its skip. */
  readonly test: TestFn | TestFn['skip'];
  readonly lab: () => LabReport;
}

/** Labs of this process, so that their names differ from everybody else's. */
let labs = 0;
export const labName = (): string => `px${process.pid}x${++labs}`;

export const labOptions = (options: Partial<LabOptions> = {}): LabOptions => ({
  name: labName(),
  freebsd: 14,
  preempt: false,
  haproxy: installedHaproxy(),
  nodes: 2,
  ...options,
});

/** Brings a lab up before the tests of this file and takes it down afterwards, whatever happened. */
export function scene(options: Partial<LabOptions> = {}): Scene {
  if (labMissing() !== null) return { test: test.serial.skip, lab: notUp };
  let report: LabReport | null = null;
  test.serial.before('the lab is up', async () => {
    report = await labUp(labOptions(options), true);
  });
  test.serial.after.always('the lab is down', async () => {
    if (report !== null) await labDown(report.name);
  });
  test.serial.afterEach.always('a test that failed leaves no trace', async (t) => {
    if (t.passed || report === null) return;
    for (const name of ['kill-haproxy', 'freeze-haproxy', 'freeze-agent', 'kill-agent'])
      await fault(report, name, 'off');
    for (const target of ['WEB/web1', 'WEB/web2', 'WEB/web3'])
      await proxyctl(report, ['ready', target]);
    await asAtFirst(report);
  });
  return { test: test.serial, lab: () => report ?? notUp() };
}

const notUp = (): never => {
  throw new Error('the lab is not up');
};

/** A node by its place: 0 is the preferred one. Throws where there is none. */
export function nodeAt(lab: LabReport, at: number): LabNode {
  const node = lab.nodes[at];
  if (node === undefined) throw new Error(`the lab has no node ${at}`);
  return node;
}

/** Nodes whose own ifconfig says MASTER, read afresh. */
export async function masters(lab: LabReport): Promise<string[]> {
  const texts = await Promise.all(
    lab.nodes.map(async ({ name, tools }) => ({ name, text: await ifconfig(tools) })),
  );
  return texts.filter(({ text }) => text.includes('carp: MASTER')).map(({ name }) => name);
}

const ifconfig = async (tools: string): Promise<string> =>
  (await ran([join(tools, 'ifconfig'), 'vtnet0'])).stdout;

/** The advskew each node's own ifconfig shows, in order. */
export const advskews = (lab: LabReport): Promise<number[]> =>
  Promise.all(
    lab.nodes.map(async ({ tools }) => {
      const [, advskew] = /carp: .* advskew (\d+)/.exec(await ifconfig(tools)) ?? [];
      return Number(advskew);
    }),
  );

/** Switches a fault of the lab. */
export const fault = (
  lab: LabReport,
  name: string,
  state: 'on' | 'off',
  node?: LabNode,
): Promise<unknown> =>
  labOrder(lab.name, {
    op: 'fault',
    fault: name,
    state,
    ...(node === undefined ? {} : { node: node.name }),
  });

const DEADLINE_MS = 25_000;
const LOOK_MS = 50;

/** Resolves once it holds, looked at again and again; rejects with `what` after `limitMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = DEADLINE_MS,
): Promise<void> {
  for (const deadlineMs = Date.now() + limitMs; Date.now() < deadlineMs;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`not after ${limitMs} ms: ${what}`);
}

/** `status --check` is content: all nodes heard, one MASTER, no alert. */
export async function calm(lab: LabReport): Promise<void> {
  let last = '';
  try {
    await eventually('status --check is content', async () => {
      const { code, stdout } = await proxyctl(lab, ['status', '--check']);
      last = stdout;
      return code === 0;
    });
  } catch (cause) {
    throw new Error(`status --check is not content:\n${last}`, { cause });
  }
}

/** Nothing pinned, everything runs, the preferred node is MASTER at its base, the other BACKUP at its own. */
export async function asAtFirst(lab: LabReport): Promise<void> {
  // An agent that has just started takes part once it has heard the other.
  await eventually('failback is done', async () => {
    const { code } = await proxyctl(lab, ['failback', '--timeout', '3s']);
    return code === 0;
  });
  try {
    await eventually('everything is as at first', async () => {
      const [held, skews] = [await masters(lab), await advskews(lab)];
      return held.join() === nodeAt(lab, 0).name && skews.join() === '0,100';
    });
  } catch (cause) {
    const { stdout } = await proxyctl(lab, ['status']);
    throw new Error(`everything is not as at first:\n${stdout}`, { cause });
  }
  await calm(lab);
}

/** The parts of proxyctl's envelope that tests look at. */
export interface Envelope {
  readonly ok: boolean;
  readonly changed: boolean;
  readonly result: Readonly<Record<string, never>> | null;
  readonly nodes: readonly {
    readonly node: string;
    readonly ok: boolean;
    readonly changed: boolean;
    readonly error?: { readonly code: string };
  }[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** Runs proxyctl with -o json. */
export async function asked(
  lab: LabReport,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly json: Envelope }> {
  const { code, stdout } = await proxyctl(lab, [...args, '-o', 'json']);
  return { code, json: JSON.parse(stdout) as Envelope };
}

/** Runs proxyctl and keeps only its exit code. */
export const exitOf = async (lab: LabReport, ...args: readonly string[]): Promise<number> =>
  (await proxyctl(lab, args)).code;

/** What a client saw, for the message of an assertion. */
export const seenBy = ({ by, failures, gaps }: Probed): string =>
  JSON.stringify({ by, failures, gaps });

/**
 * So many of a probe's requests (200 a second) begin in `gapMs` of each of `moves`: what a move
 * may cost in all where nobody waits longer. How many it really costs depends on the machine and
 * is measured by the benchmark of failover.
 */
export const within = (gapMs: number, moves: number): number => moves * gapMs * 0.2;

/** Asks a HAProxy itself, past the agent: one command of the runtime API. */
export const runtime = ({ stats_socket: path }: LabNode, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${command}\n`));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });

/** What HAProxy itself was told of a server: 0 is ready, 1 maint, 8 drain. */
export async function adminState(node: LabNode, target: string): Promise<number> {
  const [backend = '', server = ''] = target.split('/');
  const text = await runtime(node, `show servers state ${backend}`);
  const line = text.split('\n').find((one) => one.split(' ')[3] === server) ?? '';
  return Number(line.split(' ')[6]);
}

/** A log file of an agent, line by line. */
export const logOf = ({ log }: LabNode): Record<string, unknown>[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A node as it is now: pids change when something is killed. */
export async function nodeNow(lab: LabReport, at: number): Promise<LabNode> {
  return nodeAt(await labReport(lab.name), at);
}

/** A point of a verb that is under way: its progress line, or what a node's ifconfig shows. */
export type Point = { readonly line: string } | { readonly node: LabNode; readonly shows: string };

/** Runs proxyctl and does `then` the moment the point is reached, or when it ends before. */
export async function interrupted(
  lab: LabReport,
  args: readonly string[],
  point: Point,
  then: () => Promise<unknown>,
): Promise<{ readonly code: number | null; readonly reached: boolean }> {
  const child = spawn(process.execPath, [lab.proxyctl, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...labEnvironment(lab, null) },
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  let reached = false;
  let look = (): void => {};
  const here = new Promise<void>((resolve) => {
    let text = '';
    look = (): void => {
      if ('node' in point) text = readFileSync(textOf(point.node), 'utf8');
      if (!text.includes('node' in point ? point.shows : point.line)) return;
      reached = true;
      resolve();
    };
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if ('line' in point) text += chunk;
      look();
    });
  });
  const watcher = 'node' in point ? watch(join(textOf(point.node), '..'), () => look()) : null;
  await Promise.race([here, ended]);
  watcher?.close();
  await then();
  const [code] = await ended;
  return { code, reached };
}

/** The file from which a node's ifconfig prints. */
const textOf = ({ tools }: LabNode): string => join(tools, '..', 'text', 'ifconfig');
