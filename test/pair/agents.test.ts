import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { proxyctl, startProbe } from '../lab/client.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import {
  adminState,
  advskews,
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  interrupted,
  logOf,
  type Point,
  fault,
  masters,
  nodeAt,
  scene,
  seenBy,
  within,
} from './scene.ts';

const { test, lab } = scene();
const status = () => asked(lab(), 'status');

/** Holds once the agent of the node has run for that long, by its own log. */
const sinceStart = (node: LabNode, ms: number) => (): boolean => {
  const started = logOf(node).findLast(({ event }) => event === 'agent-started');
  return started !== undefined && Date.now() - Date.parse(String(started['time'])) >= ms;
};

/** Both agents killed and started again, with `between` while they are dead. */
async function killBoth(on: LabReport, between: () => Promise<unknown>): Promise<void> {
  await fault(on, 'kill-agent', 'on');
  try {
    await between();
  } finally {
    await fault(on, 'kill-agent', 'off');
  }
}

test('both agents killed: no client notices, nothing changes, and nothing is left after their return', async (t) => {
  const probe = await startProbe(lab());
  // As one that is killed while it checks a push leaves it.
  const beside = lab().nodes.map(({ cert_path: path }) =>
    join(dirname(path), `.${basename(path)}.proxyctl`),
  );
  await killBoth(lab(), async () => {
    for (const path of beside) writeFileSync(path, 'a key\n', { mode: 0o600 });
    await probe.more(400);
    t.is(await exitOf(lab(), 'status'), 10);
    t.deepEqual(await masters(lab()), ['haproxy01']);
    t.deepEqual(await advskews(lab()), [0, 100]);
  });
  await calm(lab());
  await eventually('what was left is gone', () => beside.every((path) => !existsSync(path)));
  await probe.more(200);
  const seen = await probe.end();
  const { failed, by } = seen;
  t.is(failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(by), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
  const { json } = await asked(lab(), 'status');
  t.like(json, { result: { drained: [], addresses: [{ pin: null }] } });
});

test('an agent that has not asked HAProxy yet does not take it for dead', async (t) => {
  const first = nodeAt(lab(), 0);
  // Slow to answer, not dead: it answers before two misses of hung_after (2 s).
  await fault(lab(), 'freeze-haproxy', 'on', first);
  try {
    await killBoth(lab(), () => Promise.resolve());
    await eventually('the agents hear each other', async () => {
      const { code, json } = await status();
      return code === 0 && json.nodes.every(({ ok }) => ok);
    });
    await eventually('a second has passed', sinceStart(first, 1000));
    t.deepEqual(await masters(lab()), ['haproxy01']);
    t.deepEqual(await advskews(lab()), [0, 100]);
  } finally {
    await fault(lab(), 'freeze-haproxy', 'off', first);
  }
  await calm(lab());
  t.deepEqual(await masters(lab()), ['haproxy01']);
});

test('a pin and a drain outlive the death of both agents; the base advskew is not mistaken', async (t) => {
  t.is(await exitOf(lab(), 'failover', '--reason', 'kept'), 0);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
  const probe = await startProbe(lab());
  await killBoth(lab(), async () => {
    await probe.more(200);
    t.deepEqual(await masters(lab()), ['haproxy02']);
  });
  await calm(lab());
  // Longer than the hold: an agent that forgot would have moved it by now.
  await probe.more(600);
  const seen = await probe.end();
  const { failed, by, servers } = seen;
  t.is(failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(by), ['haproxy02']);
  t.deepEqual(Object.keys(servers).sort(), ['WEB/web2', 'WEB/web3']);
  t.deepEqual(await advskews(lab()), [254, 100]);
  const { json } = await asked(lab(), 'status');
  t.like(json, {
    result: {
      addresses: [{ pin: { reason: 'kept' }, nodes: [{ base_advskew: 0 }, { base_advskew: 100 }] }],
    },
  });
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  t.is(await exitOf(lab(), 'failback'), 0);
  t.deepEqual(await advskews(lab()), [0, 100]);
});

test('HAProxy dies while both agents are dead: they see it at their return', async (t) => {
  const probe = await startProbe(lab());
  await killBoth(lab(), () => fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0)));
  await probe.answeredBy('haproxy02', 20);
  t.deepEqual(await masters(lab()), ['haproxy02']);
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
  await probe.answeredBy('haproxy01', 20);
  await probe.end();
  await asAtFirst(lab());
  t.deepEqual(await advskews(lab()), [0, 100]);
});

for (const [who, at] of [
  ['the MASTER', 0],
  ['the taker', 1],
] as const) {
  test(`the agent of ${who} killed in the middle of a move: one MASTER, short gap, and it heals`, async (t) => {
    const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
    const killed = nodeAt(lab(), at);
    const asked = nodeAt(lab(), 1 - at).name;
    const points: readonly Point[] = [
      { line: 'checking' },
      { line: 'storing' },
      { node: first, shows: 'advskew 254' },
      { node: second, shows: 'MASTER' },
      { line: 'moving' },
    ];
    const probe = await startProbe(lab());
    const ends: string[] = [];
    for (const point of points) {
      const args = ['failover', '--to', second.name, '--context', asked, '--timeout', '2s'];
      const { code, reached } = await interrupted(lab(), args, point, () =>
        fault(lab(), 'kill-agent', 'on', killed),
      );
      t.true(reached, `${JSON.stringify(point)} was not reached`);
      ends.push(`${'line' in point ? point.line : point.shows}: exit ${code}`);
      await eventually('one MASTER', async () => (await masters(lab())).length === 1);
      await fault(lab(), 'kill-agent', 'off', killed);
      await asAtFirst(lab());
    }
    const seen = await probe.end();
    const { longest_gap_ms: gapMs, failed, sent } = seen;
    t.log(`${who}: ${ends.join(', ')}; gap ${gapMs} ms, ${failed} of ${sent} failed`);
    t.true(gapMs < 300, seenBy(seen));
    t.true(failed <= within(300, points.length), seenBy(seen));
    t.deepEqual(await advskews(lab()), [0, 100]);
    const { json } = await status();
    t.like(json, { result: { addresses: [{ pin: null }] } });
  });
}

test('a frozen agent on the MASTER: no client notices; thawed it goes on', async (t) => {
  const probe = await startProbe(lab());
  await fault(lab(), 'freeze-agent', 'on', nodeAt(lab(), 0));
  await eventually('haproxy02 misses it', async () => {
    const { code, stdout } = await proxyctl(lab(), [
      'status',
      '-o',
      'json',
      '--context',
      'haproxy02',
    ]);
    return code === 0 && stdout.includes('"ok":false');
  });
  await probe.more(200);
  await fault(lab(), 'freeze-agent', 'off', nodeAt(lab(), 0));
  await calm(lab());
  const seen = await probe.end();
  const { failed, by } = seen;
  t.is(failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(by), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
  t.is(await adminState(nodeAt(lab(), 0), 'WEB/web1'), 0);
});
