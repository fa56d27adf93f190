import { startProbe } from '../lab/client.ts';
import { labOrder } from '../lab/lab.ts';
import {
  advskews,
  asAtFirst,
  asked,
  calm,
  eventually,
  fault,
  logOf,
  masters,
  nodeAt,
  scene,
  seenBy,
} from './scene.ts';
import { haproxyPid, succeeded } from './sessions.ts';

const GAP_MS = 300;
// HAProxy dies more often here than the budget of moves allows in ten minutes.
const { test, lab } = scene({ maxMoves: 100 });

const healths = async (): Promise<unknown> => {
  const { json } = await asked(lab(), 'status');
  const nodes = json.result?.['nodes'] as unknown as { node: string; health: string | null }[];
  return Object.fromEntries(nodes.map(({ node, health }) => [node, health]));
};

test('HAProxy killed on the MASTER: the address moves by itself, and home again after the hold', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  for (let round = 1; round <= 3; round++) {
    const probe = await startProbe(lab());
    await fault(lab(), 'kill-haproxy', 'on', first);
    await probe.answeredBy(second.name, 50);
    t.deepEqual(await masters(lab()), [second.name]);
    t.deepEqual(await advskews(lab()), [254, 100]);
    const away = await probe.end();
    t.log(`death ${round}: gap ${away.longest_gap_ms} ms, ${away.failed} failed`);
    t.true(away.longest_gap_ms < GAP_MS, `${away.longest_gap_ms} ms`);
    t.true(away.failed <= GAP_MS / 5, `${away.failed} failed`);
    t.deepEqual(await healths(), { haproxy01: 'down', haproxy02: 'serving' });

    const home = await startProbe(lab());
    const startedMs = performance.now();
    await fault(lab(), 'kill-haproxy', 'off', first);
    await home.answeredBy(first.name, 50);
    const tookMs = performance.now() - startedMs;
    const back = await home.end();
    t.log(`return ${round}: gap ${back.longest_gap_ms} ms, ${back.failed} failed`);
    // The hold of the lab is 1 s; before it the address stays where it is served.
    t.true(tookMs >= 1000, `back after ${tookMs} ms`);
    // What was under way at the switch; the address itself is never dark.
    t.true(back.failed <= 5, `${back.failed} failed`);
    t.true(back.longest_gap_ms < GAP_MS, `${back.longest_gap_ms} ms`);
    await calm(lab());
    t.deepEqual(await advskews(lab()), [0, 100]);
  }
});

test('every change of owner stands in the log with its cause', (t) => {
  const changes = logOf(nodeAt(lab(), 0)).filter(({ event }) => event === 'decided');
  t.true(
    changes.some(({ msg, reasons }) =>
      /HAProxy is down/.test(`${JSON.stringify(reasons)}${String(msg)}`),
    ),
  );
});

test('HAProxy killed on the BACKUP: nothing moves and no client notices', async (t) => {
  const probe = await startProbe(lab());
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 1));
  await eventually('haproxy02 is down', async () =>
    JSON.stringify(await healths()).includes('"haproxy02":"down"'),
  );
  await probe.more(200);
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 1));
  await calm(lab());
  const seen = await probe.end();
  const { failed, by } = seen;
  t.is(failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(by), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
});

test('a frozen HAProxy is hung, and the address moves', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const probe = await startProbe(lab());
  await fault(lab(), 'freeze-haproxy', 'on', first);
  try {
    await probe.answeredBy(second.name, 50);
    t.deepEqual(await masters(lab()), [second.name]);
    const { json } = await asked(lab(), 'status');
    const nodes = json.result?.['nodes'] as unknown as { haproxy: { state: string }[] }[];
    t.deepEqual(
      nodes.map(({ haproxy }) => haproxy.map(({ state }) => state)),
      [['hung'], ['up']],
    );
  } finally {
    await fault(lab(), 'freeze-haproxy', 'off', first);
  }
  await probe.answeredBy(first.name, 50);
  const { longest_gap_ms: gapMs } = await probe.end();
  t.log(`frozen: gap ${gapMs} ms`);
  // Two misses of hung_after (2 s), then the move.
  t.true(gapMs < 6000, `${gapMs} ms`);
  await asAtFirst(lab());
});

test('HAProxy dead on both: nothing moves, and it is said', async (t) => {
  const probe = await startProbe(lab());
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 1));
  await eventually('haproxy02 is down', async () =>
    JSON.stringify(await healths()).includes('"haproxy02":"down"'),
  );
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
  await eventually(
    'both are down',
    async () => JSON.stringify(await healths()) === '{"haproxy01":"down","haproxy02":"down"}',
  );
  await probe.more(400);
  t.deepEqual(await masters(lab()), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
  // The one that holds the address first: the other alone would rightly be given it.
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
  await eventually('haproxy01 serves', async () =>
    JSON.stringify(await healths()).includes('"haproxy01":"serving"'),
  );
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 1));
  await probe.answeredBy('haproxy01', 20);
  await calm(lab());
  const { by } = await probe.end();
  t.deepEqual(Object.keys(by), ['haproxy01']);
});

test('a reload of HAProxy is no death: no client fails, nothing moves', async (t) => {
  const first = nodeAt(lab(), 0);
  const before = await haproxyPid(first);
  const probe = await startProbe(lab());
  await labOrder(lab().name, { op: 'reload', node: first.name });
  await succeeded(first, before);
  await probe.more(300);
  const seen = await probe.end();
  const { failed, by } = seen;
  t.deepEqual(Object.keys(by), ['haproxy01']);
  t.true(failed <= 1, `${failed} failed`);
  await calm(lab());
  t.deepEqual(await advskews(lab()), [0, 100]);
});
