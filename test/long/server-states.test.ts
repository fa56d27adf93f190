import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { labOrder } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { MAINT, onBoth, slow } from '../pair/sessions.ts';
import { asked, calm, eventually, exitOf, fault, runtime, scene } from '../pair/scene.ts';

const { test, lab } = scene();

test('a wait goes on in the agent when its client leaves, and the same request id joins it', async (t) => {
  const { client, target } = await slow(lab(), 2500);
  const args = ['drain', target, '--wait', '--then', 'maint', '--request-id', 'leaves1'];
  const main = join(CHECKOUT, 'dist/ctl/main.js');
  const env = { ...process.env, PROXYCTL_CONFIG: lab().proxyctl_config };
  const left = spawn(process.execPath, [main, ...args], { env, stdio: 'ignore' });
  await eventually('it is drained', async () => (await onBoth(lab(), target)).join() === '8,8');
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

test('a drain is in force after both agents and both HAProxys were killed', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web3'), 0);
  for (const name of ['kill-agent', 'kill-haproxy']) await fault(lab(), name, 'on');
  for (const name of ['kill-haproxy', 'kill-agent']) await fault(lab(), name, 'off');
  await eventually('it is drained on both', async () => {
    const states = await onBoth(lab(), 'WEB/web3').catch(() => []);
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

test('a drain with an end lifts itself', async (t) => {
  t.is(await exitOf(lab(), 'maint', 'WEB/web2', '--until', '1s'), 0);
  t.deepEqual(await onBoth(lab(), 'WEB/web2'), [MAINT, MAINT]);
  await eventually('it is ready', async () => (await onBoth(lab(), 'WEB/web2')).join() === '0,0');
  await calm(lab());
});
