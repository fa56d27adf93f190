import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startProbe } from '../lab/client.ts';
import { inside, labOrder } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import {
  adminState,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  nodeAt,
  runtime,
  scene,
  seenBy,
} from './scene.ts';

const { test, lab } = scene();
const [READY, MAINT, DRAIN] = [0, 1, 8];

const onBoth = (target: string): Promise<number[]> =>
  Promise.all(lab().nodes.map((node) => adminState(node, target)));

/** Requests of a client of the lab, one after the other; `lines` has an answer each. */
function asking(host: string, path: string, times = 1) {
  const script = join(CHECKOUT, 'dist/test/lab/asks.js');
  const argv = [process.execPath, script, lab().vip4, host, path, String(times)];
  const [file = '', ...args] = inside(lab(), 'client', argv);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = once(child, 'close');
  return {
    end: async () => {
      await ended;
      return text.trimEnd().split('\n');
    },
    stop: () => child.kill(),
  };
}

/** Servers that serve WEB now, by their sessions on the first node. */
async function busy(): Promise<string[]> {
  const text = await runtime(nodeAt(lab(), 0), 'show stat WEB 4 -1');
  return text.split('\n').flatMap((line) => {
    const [, name = '', , , sessions] = line.split(',');
    return Number(sessions) > 0 ? [name] : [];
  });
}

/** A request that takes `ms`, and the server that has it. */
async function slow(ms: number) {
  const client = asking('www.example.net', `/plain/slow/${ms}`);
  let names: string[] = [];
  await eventually('the request has a server', async () => (names = await busy()).length === 1);
  return { client, target: `WEB/${names[0] ?? ''}` };
}

test('no request of 200 a second fails from drain --wait to its end, and from ready on', async (t) => {
  const probe = await startProbe(lab());
  await probe.more(50);
  const drained = await asked(lab(), 'drain', 'WEB/web1', '--wait');
  t.like(drained, { code: 0, json: { ok: true, changed: true } });
  t.deepEqual(await onBoth('WEB/web1'), [DRAIN, DRAIN]);
  await probe.more(100);
  t.is(await exitOf(lab(), 'maint', 'WEB/web1', '--wait'), 0);
  await probe.more(50);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  await probe.more(200);
  const seen = await probe.end();
  t.is(seen.failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(seen.servers).sort(), ['WEB/web1', 'WEB/web2', 'WEB/web3']);
});

test('--wait ends when the last session has', async (t) => {
  const { client, target } = await slow(1500);
  const { code, json } = await asked(lab(), 'drain', target, '--wait');
  // The request had its end first: nothing is left to wait for.
  t.deepEqual([code, await client.end(), await busy()], [0, [`200 ${target}`], []]);
  t.like(json, { result: { servers: [{ before: 'ready', after: 'drain', sessions: 0 }] } });
  t.is(await exitOf(lab(), 'ready', target), 0);
});

test('sessions left at the deadline: --then says what becomes of them', async (t) => {
  const rows = [
    ['leave', 6, [DRAIN, DRAIN], '200'],
    ['maint', 6, [MAINT, MAINT], '200'],
    ['kill', 0, [MAINT, MAINT], 'socket hang up'],
    ['fail', 1, [READY, READY], '200'],
  ] as const;
  for (const [then, code, states, end] of rows) {
    const { client, target } = await slow(3000);
    const args = [target, '--wait', '--timeout', '600ms', '--then', then];
    const ended = await asked(lab(), 'drain', ...args);
    t.is(ended.code, code, `${then}: ${JSON.stringify(ended.json)}`);
    t.is(ended.json.error?.code, code === 0 ? undefined : 'sessions_left', then);
    t.is(ended.json.changed, then !== 'fail', then);
    t.deepEqual(await onBoth(target), [...states], then);
    const [answer = ''] = await client.end();
    t.true(answer.startsWith(end) || (then === 'kill' && answer.startsWith('5')), answer);
    t.is(await exitOf(lab(), 'ready', target), 0);
  }
});

test('clients that stick to a drained server are noticed and said', async (t) => {
  const client = asking('gitea.example.net', '/plain/', 100_000);
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

test('a wait goes on in the agent when its client leaves, and the same request id joins it', async (t) => {
  const { client, target } = await slow(2500);
  const args = ['drain', target, '--wait', '--then', 'maint', '--request-id', 'leaves1'];
  const main = join(CHECKOUT, 'dist/ctl/main.js');
  const env = { ...process.env, PROXYCTL_CONFIG: lab().proxyctl_config };
  const left = spawn(process.execPath, [main, ...args], { env, stdio: 'ignore' });
  await eventually('it is drained', async () => (await onBoth(target)).join() === '8,8');
  left.kill('SIGKILL');
  const { code, json } = await asked(lab(), ...args);
  t.deepEqual([code, await client.end(), json.ok], [0, [`200 ${target}`], true]);
  t.is(await exitOf(lab(), 'ready', target), 0);
});

test('a weight holds on both nodes and over a reload, what HAProxy refuses is undone', async (t) => {
  const weights = () =>
    Promise.all(
      lab().nodes.map(async (node) => {
        const text = await runtime(node, 'show servers state WEB');
        return Number(
          text
            .split('\n')
            .find((line) => line.split(' ')[3] === 'web2')
            ?.split(' ')[7],
        );
      }),
    );
  t.like(await asked(lab(), 'weight', 'WEB/web2', '7'), { code: 0, json: { changed: true } });
  t.like(await asked(lab(), 'weight', 'WEB/web2', '7'), { code: 0, json: { changed: false } });
  t.deepEqual(await weights(), [7, 7]);
  await labOrder(lab().name, { op: 'reload', node: 'haproxy01' });
  await eventually('the new process has it', async () => (await weights()).join() === '7,7');
  t.is(await exitOf(lab(), 'weight', 'WEB/web2', '300'), 2);
  t.is(await exitOf(lab(), 'weight', 'WEB', '0'), 5);
  t.is(await exitOf(lab(), 'weight', 'WEB', '50%'), 5);
  t.is(await exitOf(lab(), 'weight', 'WEB/web2', 'reset'), 0);
  t.deepEqual(await weights(), [1, 1]);
  await calm(lab());
});

test('a drain is in force within 200 ms of the first answer of a reloaded HAProxy, on either node', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web3'), 0);
  for (const node of lab().nodes) {
    const pid = async () =>
      /^Pid: (\d+)$/m.exec(await runtime(node, 'show info').catch(() => ''))?.[1] ?? '';
    const before = await pid();
    const reloaded = labOrder(lab().name, { op: 'reload', node: node.name });
    let answeredMs = 0;
    for (let now = before; now === before || now === ''; answeredMs = performance.now())
      now = await pid();
    while ((await adminState(node, 'WEB/web3').catch(() => READY)) !== DRAIN)
      t.true(performance.now() - answeredMs < 5000, 'it is never drained again');
    const tookMs = performance.now() - answeredMs;
    t.true(tookMs < 200, `${node.name}: ${Math.round(tookMs)} ms`);
    await reloaded;
  }
});

test('a drain is in force after both agents and both HAProxys were killed', async (t) => {
  for (const name of ['kill-agent', 'kill-haproxy']) await fault(lab(), name, 'on');
  for (const name of ['kill-haproxy', 'kill-agent']) await fault(lab(), name, 'off');
  await eventually('it is drained on both', async () => {
    const states = await onBoth('WEB/web3').catch(() => []);
    return states.join() === '8,8';
  });
  await calm(lab());
  const { json } = await asked(lab(), 'servers', 'WEB');
  t.like(json, {
    result: {
      servers: [{ wish: null }, { wish: null }, { server: 'web3', wish: { state: 'drain' } }],
    },
  });
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
  t.deepEqual(await onBoth('WEB/web1'), [DRAIN, DRAIN]);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  await calm(lab());
});

test('a drain with an end lifts itself', async (t) => {
  t.is(await exitOf(lab(), 'maint', 'WEB/web2', '--until', '1s'), 0);
  t.deepEqual(await onBoth('WEB/web2'), [MAINT, MAINT]);
  await eventually('it is ready', async () => (await onBoth('WEB/web2')).join() === '0,0');
  await calm(lab());
});
