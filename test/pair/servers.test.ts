import { startProbe } from '../lab/client.ts';
import { labOrder } from '../lab/lab.ts';
import { adminState, asked, calm, eventually, exitOf, fault, nodeAt, scene } from './scene.ts';
import { haproxyPid, succeeded } from './sessions.ts';

const { test, lab } = scene();

/** As `show servers state` has it. */
const READY = 0;
const MAINT = 1;
const DRAIN = 8;

const onBoth = (target: string): Promise<number[]> =>
  Promise.all(lab().nodes.map((node) => adminState(node, target)));

test('drain, maint and ready are in force on both nodes when they return, and twice is once', async (t) => {
  for (const [verb, state] of [
    ['drain', DRAIN],
    ['maint', MAINT],
    ['ready', READY],
  ] as const) {
    const first = await asked(lab(), verb, 'WEB/web1');
    t.like(first, { code: 0, json: { ok: true, changed: true } });
    t.deepEqual(await onBoth('WEB/web1'), [state, state]);
    const second = await asked(lab(), verb, 'WEB/web1');
    t.like(second, { code: 0, json: { ok: true, changed: false } });
    t.deepEqual(await onBoth('WEB/web1'), [state, state]);
  }
});

test('a drained server gets no client any more, on either node, and gets them back', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
  const drained = await startProbe(lab());
  await drained.more(100);
  t.is(await exitOf(lab(), 'failover', '--to', 'haproxy02'), 0);
  await drained.answeredBy('haproxy02', 50);
  const without = await drained.end();
  t.deepEqual(Object.keys(without.servers).sort(), ['WEB/web2', 'WEB/web3']);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  const ready = await startProbe(lab());
  await ready.more(100);
  const { servers, failed } = await ready.end();
  t.deepEqual(Object.keys(servers).sort(), ['WEB/web1', 'WEB/web2', 'WEB/web3']);
  t.is(failed, 0);
  t.is(await exitOf(lab(), 'failback'), 0);
});

test('a server or backend that does not exist is exit 8, and nothing of the others is touched', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web9'), 8);
  t.is(await exitOf(lab(), 'drain', 'web/web1'), 8);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1', 'WEB/web9'), 8);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1/x'), 2);
  t.deepEqual(await onBoth('WEB/web1'), [READY, READY]);
});

test('the last server of a backend is exit 5, by one name or by many, unless that is accepted', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'GITEA/gitea'), 5);
  t.is(await exitOf(lab(), 'maint', 'WEB'), 5);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1', 'WEB/web2', 'WEB/web3'), 5);
  t.is(await exitOf(lab(), 'drain', 'MINEOS/mineos'), 5);
  t.deepEqual(await onBoth('GITEA/gitea'), [READY, READY]);
  t.deepEqual(await onBoth('WEB/web1'), [READY, READY]);
  t.is(await exitOf(lab(), 'drain', 'GITEA/gitea', '--accept-risk=last-server'), 0);
  t.deepEqual(await onBoth('GITEA/gitea'), [DRAIN, DRAIN]);
  t.is(await exitOf(lab(), 'ready', 'GITEA/gitea'), 0);
});

test('a dry run exits 3 and drains nothing', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web1', '--dry-run'), 3);
  t.deepEqual(await onBoth('WEB/web1'), [READY, READY]);
});

test("the peer's agent is away: exit 6, and it catches up when it is back", async (t) => {
  const second = nodeAt(lab(), 1);
  await fault(lab(), 'kill-agent', 'on', second);
  try {
    const { code, json } = await asked(lab(), 'drain', 'WEB/web2');
    t.is(code, 6);
    t.deepEqual(
      json.nodes.map(({ node, ok, error }) => ({ node, ok, code: error?.code ?? null })),
      [
        { node: 'haproxy01', ok: true, code: null },
        { node: 'haproxy02', ok: false, code: 'agent_unreachable' },
      ],
    );
    t.deepEqual(await onBoth('WEB/web2'), [DRAIN, READY]);
  } finally {
    await fault(lab(), 'kill-agent', 'off', second);
  }
  await eventually('haproxy02 has caught up', async () => (await onBoth('WEB/web2'))[1] === DRAIN);
  t.is(await exitOf(lab(), 'ready', 'WEB/web2'), 0);
  t.deepEqual(await onBoth('WEB/web2'), [READY, READY]);
});

test('a drain is in force again after HAProxy was reloaded, and after it was killed', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web3'), 0);
  for (const again of [
    () => labOrder(lab().name, { op: 'reload', node: 'haproxy01' }),
    async () => {
      await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
      await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
    },
  ]) {
    const before = await haproxyPid(nodeAt(lab(), 0));
    await again();
    await succeeded(nodeAt(lab(), 0), before);
    await eventually('it is drained again', async () => (await onBoth('WEB/web3'))[0] === DRAIN);
  }
  await calm(lab());
  const { json } = await asked(lab(), 'status');
  t.like(json, { result: { drained: [{ backend: 'WEB', server: 'web3', state: 'drain' }] } });
  t.is(await exitOf(lab(), 'ready', 'WEB/web3'), 0);
  t.deepEqual(await onBoth('WEB/web3'), [READY, READY]);
});
