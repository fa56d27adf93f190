import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { proxyctl, startProbe } from '../lab/client.ts';
import { inForce, pinKey } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { inside, labEnvironment } from '../lab/lab.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import {
  advskews,
  asAtFirst,
  calm,
  eventually,
  fault,
  logOf,
  masters,
  nodeAt,
  runtime,
  scene,
} from '../pair/scene.ts';

// Drills as an operator has them made, from the client's place; an agent that has ended is started
// again at once, as daemon(8) does after five seconds.
const { test, lab } = scene({ daemonMs: 100 });

/** What has to be so again within this after an agent was killed, ms. */
const WITHIN_MS = 2000;
/** How often that is looked at, ms. */
const LOOK_MS = 20;
/** Longer than any drill waits for a move: what is measured is not how fast this machine is. */
const BOUND = ['--max-outage', '5s', '--for', '500ms'];

/** Names of the frontends that are not open, by the node's own HAProxy. */
async function notOpen(node: LabNode): Promise<string[]> {
  const rows = (await runtime(node, 'show stat -1 1 -1')).split('\n');
  const [head = '', ...lines] = rows;
  const at = head.slice(2).split(',').indexOf('status');
  return lines
    .map((line) => line.split(','))
    .filter((cells) => cells.length > at && cells[at] !== 'OPEN')
    .map(([name = '']) => `${node.name} ${name}`);
}

const closedAnywhere = async (on: LabReport): Promise<string[]> =>
  (await Promise.all(on.nodes.map(notOpen))).flat();

/** Pins in force on a node's disk, whether its agent runs or not. */
function pinsOn({ name, state_dir: folder }: LabNode): string[] {
  const { body } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as { body: string };
  const { intents } = JSON.parse(body) as { intents: readonly Intent[] };
  return intents
    .filter((one) => one.key.startsWith(pinKey('')) && inForce(one, Date.now()))
    .map(({ key, value }) => `${name} has ${key} to ${value}`);
}

/** What of CARP, HAProxy and decisions is not as before; empty where all is. */
async function differing(on: LabReport): Promise<string[]> {
  const [held, skews, closed] = await Promise.all([masters(on), advskews(on), closedAnywhere(on)]);
  return [
    ...(held.join() === nodeAt(on, 0).name ? [] : [`MASTER ${held.join() || 'nobody'}`]),
    ...(skews.join() === '0,100' ? [] : [`advskew ${skews.join()}`]),
    ...closed,
    ...on.nodes.flatMap(pinsOn),
  ];
}

/** Resolves once the last drill is over; what became of it. */
async function outcome(on: LabReport, kind: string): Promise<string> {
  let state = '';
  await eventually('the drill is over', async () => {
    const { stdout } = await proxyctl(on, ['status', '-o', 'json']);
    const { result } = JSON.parse(stdout) as {
      result: { drills: readonly { kind: string; state: string }[] } | null;
    };
    state = result?.drills.find((one) => one.kind === kind)?.state ?? '';
    return state !== '' && state !== 'running';
  });
  return state;
}

/** So many starts of its agent are in its log. */
const startsOf = (node: LabNode): number =>
  logOf(node).filter(({ event }) => event === 'agent-started').length;

/** After how many ms of `sinceMs` it holds; null: not within `limitMs`. */
async function after(
  sinceMs: number,
  limitMs: number,
  holds: () => Promise<boolean>,
): Promise<number | null> {
  while (performance.now() - sinceMs < limitMs) {
    if (await holds()) return Math.round(performance.now() - sinceMs);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return null;
}

test('twenty drills in a row pass, and leave everything as it was', async (t) => {
  t.timeout(240_000);
  await calm(lab());
  const kinds = Array.from(
    { length: 20 },
    (_, at) => ['failover', 'haproxy', 'agent'][at % 3] ?? '',
  );
  const results: string[] = [];
  const moves: number[] = [];
  for (const kind of kinds) {
    const { code, stdout, stderr } = await proxyctl(
      lab(),
      ['drill', kind, '--yes', ...BOUND, '-o', 'json'],
      'client',
    );
    const { result, error } = JSON.parse(stdout === '' ? '{}' : stdout) as {
      result: {
        state: string;
        clients: { dark_ms_max: number };
        history: readonly object[];
      } | null;
      error?: object;
    };
    t.log(`${kind}: ${code} ${result?.state ?? stderr}, dark ${result?.clients.dark_ms_max} ms`);
    results.push(`${code} ${result?.state ?? JSON.stringify(error)}`);
    moves.push(result?.history.length ?? -1);
  }
  t.deepEqual([...new Set(results)], ['0 passed']);
  // There and back, and not at all where an agent ends.
  t.deepEqual(
    moves,
    kinds.map((kind) => (kind === 'agent' ? 0 : 2)),
  );
  t.deepEqual(await differing(lab()), []);
});

/** Starts a drill and kills the agent that carries it out once it says `step`; when that was. */
async function killedAt(on: LabReport, argv: readonly string[], step: string): Promise<number> {
  const [file = '', ...args] = inside(on, 'client', [process.execPath, on.proxyctl, ...argv]);
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...labEnvironment(on, 'client') },
  });
  const ended = once(child, 'exit');
  let text = '';
  const said = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (new RegExp(`^${step} `, 'm').test(text)) resolve();
    });
  });
  const first = await Promise.race([said.then(() => 'said'), ended.then(() => 'ended')]);
  if (first === 'ended') throw new Error(`it ended before ${step}: ${text}`);
  await fault(on, 'kill-agent', 'on', nodeAt(on, 0));
  const atMs = performance.now();
  // Its report is of no interest here; it ends by itself.
  ended.catch(() => undefined);
  child.kill('SIGKILL');
  return atMs;
}

const POINTS: Readonly<Record<string, readonly string[]>> = {
  failover: ['checking', 'begun', 'away', 'stayed', 'restored'],
  haproxy: ['begun', 'closed', 'away', 'stayed', 'restored'],
  agent: ['begun', 'ended', 'gone', 'back', 'restored'],
};

for (const [kind, steps] of Object.entries(POINTS))
  test(`${kind}: the agent killed at five points, all is open at once, and as before two seconds after it runs again`, async (t) => {
    t.timeout(240_000);
    const late: string[] = [];
    const states: string[] = [];
    for (const step of steps) {
      await asAtFirst(lab());
      const probe = await startProbe(lab());
      const starts = startsOf(nodeAt(lab(), 0));
      const atMs = await killedAt(lab(), ['drill', kind, '--yes', ...BOUND], step);
      const open = await after(
        atMs,
        15_000,
        async () => (await closedAnywhere(lab())).length === 0,
      );
      let last: string[] = [];
      const up = await after(atMs, 15_000, () =>
        Promise.resolve(startsOf(nodeAt(lab(), 0)) > starts),
      );
      const all = await after(atMs, 15_000, async () => {
        last = await differing(lab());
        return last.length === 0;
      });
      if (open === null || open > WITHIN_MS) late.push(`${step}: frontends open after ${open} ms`);
      if (all === null || all - (up ?? 0) > WITHIN_MS)
        late.push(`${step}: all after ${all} ms${all === null ? `, ${last.join(', ')}` : ''}`);
      states.push(await outcome(lab(), kind));
      const { longest_gap_ms: gapMs, failed, sent } = await probe.end();
      t.log(
        `${kind} at ${step}: frontends open after ${open} ms, agent up after ${up} ms, all as before after ${all} ms; ` +
          `a client waited ${gapMs} ms, ${failed} of ${sent} failed`,
      );
      if (gapMs > WITHIN_MS) late.push(`${step}: a client waited ${gapMs} ms`);
    }
    t.deepEqual(late, []);
    // Nobody has said of any what clients saw.
    t.deepEqual(
      states.map((state) => (state === 'passed' ? state : 'interrupted')),
      states,
    );
  });
