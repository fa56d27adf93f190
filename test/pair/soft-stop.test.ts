import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { startProbe, type Probed } from '../lab/client.ts';
import { labOrder } from '../lab/lab.ts';
import {
  advskews,
  asAtFirst,
  asked,
  eventually,
  fault,
  masters,
  nodeAt,
  nodeNow,
  scene,
  seenBy,
} from './scene.ts';
import { isGone } from './processes.ts';
import { haproxyPid, slow, succeeded } from './sessions.ts';

/** The longest time for which clients may get no answer. */
const GAP_MS = 200;
const { test, lab } = scene({ maxMoves: 100 });

const statesOf = async (): Promise<string[]> => {
  const { json } = await asked(lab(), 'status');
  const nodes = json.result?.['nodes'] as unknown as { haproxy: { state: string }[] | null }[];
  return nodes.map(({ haproxy }) => haproxy?.map(({ state }) => state).join() ?? '');
};

const alertsOf = async (): Promise<string> => {
  const { json } = await asked(lab(), 'status');
  return JSON.stringify(json.result?.['alerts']);
};

function short(t: ExecutionContext, what: string, seen: Probed): void {
  t.log(`${what}: gap ${seen.longest_gap_ms} ms, ${seen.failed} failed`);
  t.true(seen.longest_gap_ms < GAP_MS, `${seen.longest_gap_ms} ms: ${seenBy(seen)}`);
}

test('a soft stop without sessions: the address leaves at once, and HAProxy ends', async (t) => {
  const [first, second] = [await nodeNow(lab(), 0), nodeAt(lab(), 1)];
  const probe = await startProbe(lab());
  await probe.answeredBy(first.name, 20);
  const startedMs = performance.now();
  await fault(lab(), 'soft-stop-haproxy', 'on', first);
  await probe.answeredBy(second.name, 50);
  await eventually('HAProxy has ended', () => isGone(first.haproxy_pid ?? 0));
  t.log(`HAProxy ended after ${(performance.now() - startedMs).toFixed(0)} ms`);
  short(t, 'soft stop', await probe.end());
  t.deepEqual(await masters(lab()), [second.name]);
  await fault(lab(), 'soft-stop-haproxy', 'off', first);
  await asAtFirst(lab());
});

test('a soft stop with a session: the address leaves at once, and the session goes on', async (t) => {
  const [first, second] = [await nodeNow(lab(), 0), nodeAt(lab(), 1)];
  const { client } = await slow(lab(), 20_000);
  const probe = await startProbe(lab());
  await probe.answeredBy(first.name, 20);
  await fault(lab(), 'soft-stop-haproxy', 'on', first);
  await probe.answeredBy(second.name, 50);
  t.deepEqual(await statesOf(), ['stopping', 'up']);
  t.regex(await alertsOf(), /haproxy-stopping/);
  t.false(isGone(first.haproxy_pid ?? 0));
  client.stop();
  const startedMs = performance.now();
  await eventually('HAProxy has ended', () => isGone(first.haproxy_pid ?? 0));
  t.log(`HAProxy ended ${(performance.now() - startedMs).toFixed(0)} ms after its session`);
  short(t, 'soft stop with a session', await probe.end());
  await fault(lab(), 'soft-stop-haproxy', 'off', first);
  await asAtFirst(lab());
});

test('a reload whose new process dies, with sessions on the old one: the address leaves at once', async (t) => {
  const [first, second] = [await nodeNow(lab(), 0), nodeAt(lab(), 1)];
  const { client } = await slow(lab(), 20_000);
  const before = await haproxyPid(first);
  const probe = await startProbe(lab());
  await probe.answeredBy(first.name, 20);
  await labOrder(lab().name, { op: 'reload', node: first.name });
  await succeeded(first, before);
  t.false(isGone(first.haproxy_pid ?? 0));
  await fault(lab(), 'kill-haproxy', 'on', first);
  await probe.answeredBy(second.name, 50);
  short(t, 'reload whose new process dies', await probe.end());
  client.stop();
  await eventually('the old HAProxy has ended', () => isGone(first.haproxy_pid ?? 0));
  await fault(lab(), 'kill-haproxy', 'off', first);
  await asAtFirst(lab());
});

test('a socket path with a variable on the MASTER: nothing moves, also with the other HAProxy dead', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const { haproxy_config: path, stats_socket: socket } = first;
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(`stats socket ${socket}`, 'stats socket "${RUN}/haproxy.sock"'));
  const probe = await startProbe(lab());
  try {
    await fault(lab(), 'kill-agent', 'on', first);
    await fault(lab(), 'kill-agent', 'off', first);
    await eventually('it is not known', async () => (await statesOf())[0] === 'unknown');
    t.regex(await alertsOf(), /by a variable .*socket = /);
    await probe.more(300);
    t.deepEqual([await masters(lab()), await advskews(lab())], [[first.name], [0, 100]]);
    await fault(lab(), 'kill-haproxy', 'on', second);
    await eventually('the other is down', async () => (await statesOf())[1] === 'down');
    await probe.more(300);
    t.deepEqual(await masters(lab()), [first.name]);
    const seen = await probe.end();
    short(t, 'socket unknown', seen);
    t.deepEqual(Object.keys(seen.by), [first.name]);
  } finally {
    writeFileSync(path, text);
    await fault(lab(), 'kill-haproxy', 'off', second);
  }
  // It is read again by itself.
  await eventually('it is known again', async () => (await statesOf()).join() === 'up,up');
  await asAtFirst(lab());
});
