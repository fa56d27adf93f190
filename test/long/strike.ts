import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseJournal } from '../../agent/certs/entry.ts';
import { labEnvironment, labReport } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import { fault, nodeAt, type Envelope } from '../pair/scene.ts';
import { filed } from '../pair/swaps.ts';
import { filesWith, needlesOf } from './key-hunt.ts';
import type { Kill, Part, Sign } from './kill-plan.ts';

/** How far a node's journal was: a phase, `kept` once it was closed, `none` before there was one. */
export type Standing = Readonly<Record<Part, string>>;

/** A push in which somebody was killed. */
export interface Struck {
  readonly code: number | null;
  readonly json: Envelope;
  readonly stderr: string;
  /** Right after the kill; null: the push ended before its moment came, and nobody was killed. */
  readonly standing: Standing | null;
  /** On at least one node the swap was open then. */
  readonly inside: boolean;
  /** Files of the lab that held the new key right after the kill. */
  readonly holding: readonly string[];
  /** performance.now() when the victim was told to start again. */
  readonly backMs: number;
}

/** Runs `proxyctl cert push` of the bundles at the kill's coordinator and kills its victim at its moment. */
export async function strike(lab: LabReport, kill: Kill, pems: readonly string[]): Promise<Struck> {
  const needles = pems.flatMap((pem) => needlesOf(pem));
  // Pids change whenever something was killed; the lab's own fault takes 30 ms, half a swap.
  const now = await labReport(lab.name);
  const nodes: Readonly<Record<Part, LabNode>> = {
    coordinator: nodeAt(now, kill.coordinator),
    other: nodeAt(now, 1 - kill.coordinator),
  };
  const { part, program } = kill.victim;
  const victim = nodes[part];
  const pid = program === 'agent' ? victim.agent_pid : victim.haproxy_pid;
  if (pid === null) throw new Error(`${program} of ${victim.name} does not run`);
  const before = keptOf(nodes);
  let standing: Standing | null = null;
  let holding: readonly string[] = [];
  const aimed = onSign(nodes, kill.sign, kill.afterMs, () => {
    process.kill(pid, kill.signal);
    standing = {
      coordinator: phaseOf(nodes, before, 'coordinator'),
      other: phaseOf(nodes, before, 'other'),
    };
    holding = filesWith(lab.runtime, needles);
  });
  const push = pushing(lab, nodes.coordinator, pems);
  const back = async (): Promise<number> => {
    await fault(lab, `kill-${program}`, 'on', victim);
    await fault(lab, `kill-${program}`, 'off', victim);
    return performance.now();
  };
  const restarted = aimed.struck.then((so) => (so && kill.back === 'at once' ? back() : null));
  const { code, stdout, stderr } = await push;
  aimed.end();
  const backMs = (await restarted) ?? (standing === null ? performance.now() : await back());
  const phases: string[] = standing === null ? [] : Object.values(standing);
  return {
    code,
    json: JSON.parse(stdout) as Envelope,
    stderr,
    standing,
    inside: phases.some((phase) => phase !== 'none' && phase !== 'kept'),
    holding,
    backMs,
  };
}

/** How long a swap is that nobody cuts: from the first sign of its journal to its last, in ms. */
export async function swapLength(lab: LabReport, pems: readonly string[]): Promise<number> {
  const nodes = { coordinator: nodeAt(lab, 0), other: nodeAt(lab, 1) };
  const at: number[] = [];
  const watchers = (['coordinator', 'other'] as const).map((part) =>
    watch(join(nodes[part].state_dir, 'swaps'), () => at.push(performance.now())),
  );
  await pushing(lab, nodes.coordinator, pems);
  for (const watcher of watchers) watcher.close();
  return (at.at(-1) ?? 0) - (at[0] ?? 0);
}

async function pushing(lab: LabReport, { name }: LabNode, pems: readonly string[]) {
  const files = pems.map((pem, at) => filed(lab, pem, `pushed-${at}.pem`));
  const main = join(CHECKOUT, 'dist/ctl/main.js');
  const args = ['cert', 'push', ...files, '--context', name, '-o', 'json'];
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...labEnvironment(lab, null) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Calls `then` so long after the sign; `struck` says at the end whether that came to be. */
function onSign(
  nodes: Readonly<Record<Part, LabNode>>,
  sign: Sign,
  afterMs: number,
  then: () => void,
): { readonly struck: Promise<boolean>; end(): void } {
  let settle: (so: boolean) => void = () => {};
  const struck = new Promise<boolean>((resolve) => (settle = resolve));
  let timer: NodeJS.Timeout | undefined;
  let seen = 0;
  const watchers: FSWatcher[] = [];
  const end = (): void => {
    for (const watcher of watchers) watcher.close();
    clearTimeout(timer);
    settle(false);
  };
  const aim = (dueMs: number): void => {
    const leftMs = dueMs - performance.now();
    // Timers are good to a millisecond; the rest is waited for in place.
    if (leftMs > 2) {
      timer = setTimeout(aim, leftMs - 1.5, dueMs);
      return;
    }
    while (performance.now() < dueMs);
    then();
    settle(true);
    end();
  };
  const parts = sign.part === 'first' ? (['coordinator', 'other'] as const) : [sign.part];
  for (const part of parts) {
    const { folder, name } = placeOf(nodes[part], sign);
    watchers.push(
      watch(folder, (event, file) => {
        if (event !== 'rename' || file === null || !name.test(file)) return;
        if (++seen === sign.nth) aim(performance.now() + afterMs);
      }),
    );
  }
  return { struck, end };
}

function placeOf(node: LabNode, { file }: Sign): { folder: string; name: RegExp } {
  const folder = join(node.state_dir, 'swaps');
  switch (file) {
    case 'journal':
      return { folder, name: /^swap-[^.]*\.json$/ };
    case 'closed':
      return { folder, name: /^previous-[^.]*\.json$/ };
    case 'certificate':
      return {
        folder: dirname(node.cert_path),
        name: new RegExp(`^${basename(node.cert_path).replace('.', '\\.')}$`),
      };
  }
}

const journalsOf = (node: LabNode, kind: 'swap' | 'previous'): string[] =>
  readdirSync(join(node.state_dir, 'swaps'))
    .filter((name) => name.startsWith(`${kind}-`) && name.endsWith('.json'))
    .map((name) => join(node.state_dir, 'swaps', name));

const keptOf = (nodes: Readonly<Record<Part, LabNode>>): ReadonlySet<string> =>
  new Set(Object.values(nodes).flatMap((node) => journalsOf(node, 'previous')));

function phaseOf(
  nodes: Readonly<Record<Part, LabNode>>,
  before: ReadonlySet<string>,
  part: Part,
): string {
  const [open] = journalsOf(nodes[part], 'swap');
  try {
    if (open !== undefined) return parseJournal(readFileSync(open, 'utf8'))?.phase ?? 'torn';
  } catch {
    // It was closed while we looked.
  }
  return journalsOf(nodes[part], 'previous').some((path) => !before.has(path)) ? 'kept' : 'none';
}
