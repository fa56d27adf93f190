import { labOrder } from '../lab/lab.ts';
import { asking, DRAIN, haproxyPid, MAINT, onBoth, READY, slow } from '../pair/sessions.ts';
import {
  adminState,
  asked,
  calm,
  eventually,
  exitOf,
  nodeAt,
  runtime,
  scene,
} from '../pair/scene.ts';

const { test, lab } = scene();

test('sessions left at the deadline: --then says what becomes of them', async (t) => {
  const rows = [
    ['leave', 6, [DRAIN, DRAIN], '200'],
    ['maint', 6, [MAINT, MAINT], '200'],
    ['kill', 0, [MAINT, MAINT], 'socket hang up'],
    ['fail', 1, [READY, READY], '200'],
  ] as const;
  for (const [then, code, states, end] of rows) {
    const { client, target } = await slow(lab(), 1500);
    const args = [target, '--wait', '--timeout', '300ms', '--then', then];
    const ended = await asked(lab(), 'drain', ...args);
    t.is(ended.code, code, `${then}: ${JSON.stringify(ended.json)}`);
    t.is(ended.json.error?.code, code === 0 ? undefined : 'sessions_left', then);
    t.is(ended.json.changed, then !== 'fail', then);
    t.deepEqual(await onBoth(lab(), target), [...states], then);
    const [answer = ''] = await client.end();
    t.true(answer.startsWith(end) || (then === 'kill' && answer.startsWith('5')), answer);
    t.is(await exitOf(lab(), 'ready', target), 0);
  }
});

test('clients that stick to a drained server are noticed and said', async (t) => {
  const client = asking(lab(), 'gitea.example.net', '/plain/', 100_000);
  const args = ['--accept-risk=last-server', '--wait', '--timeout', '1500ms'];
  await eventually('GITEA has a client', async () =>
    (await runtime(nodeAt(lab(), 0), 'show table GITEA')).includes('server_id='),
  );
  const { code, json } = await asked(lab(), 'drain', 'GITEA/gitea', ...args);
  client.stop();
  const cause = (json.error as { cause?: string } | undefined)?.cause ?? '';
  t.is(code, 6);
  t.regex(cause, /^GITEA\/gitea still gets clients that stick to it, \d+ since it was drained$/);
  t.is(await exitOf(lab(), 'ready', 'GITEA/gitea'), 0);
});

test('a drain is in force within 200 ms of the first answer of a reloaded HAProxy, on either node', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web3'), 0);
  for (const node of lab().nodes) {
    const before = await haproxyPid(node);
    const reloaded = labOrder(lab().name, { op: 'reload', node: node.name });
    let answeredMs = 0;
    for (let now = before; now === before || now === ''; answeredMs = performance.now())
      now = await haproxyPid(node);
    while ((await adminState(node, 'WEB/web3').catch(() => READY)) !== DRAIN)
      t.true(performance.now() - answeredMs < 5000, 'it is never drained again');
    const tookMs = performance.now() - answeredMs;
    t.true(tookMs < 200, `${node.name}: ${Math.round(tookMs)} ms`);
    await reloaded;
  }
  t.is(await exitOf(lab(), 'ready', 'WEB/web3'), 0);
});

test('what somebody changed past the agents is an alert, and said again is put right', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
  await runtime(nodeAt(lab(), 1), 'set server WEB/web1 state ready');
  await runtime(nodeAt(lab(), 0), 'set server WEB/web2 weight 9');
  const drift = async (): Promise<unknown[]> => {
    const { json } = await asked(lab(), 'status');
    type Node = { haproxy: { drift: unknown[] }[] };
    const nodes: Node[] = json.result?.['nodes'] ?? [];
    return nodes.map(({ haproxy }) => haproxy[0]?.drift);
  };
  const told = { backend: 'WEB', server: 'web1', is: 'ready', should: 'drain', wished: true };
  const weight = { backend: 'WEB', server: 'web2', is: 'weight 9', should: 'weight 1' };
  await eventually('both are seen', async () => (await drift()).flat().length === 2);
  t.deepEqual(await drift(), [[{ ...weight, wished: false }], [told]]);
  t.is(await exitOf(lab(), 'status', '--check'), 3);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
  t.is(await exitOf(lab(), 'weight', 'WEB/web2', 'reset'), 0);
  t.deepEqual(await onBoth(lab(), 'WEB/web1'), [DRAIN, DRAIN]);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  await calm(lab());
});
