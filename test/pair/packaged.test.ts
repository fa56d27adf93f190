import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../agent/version.ts';
import { newSite, sha1Of } from '../lab/certificates.ts';
import { proxyctl } from '../lab/client.ts';
import { labOrder } from '../lab/lab.ts';
import { identityOf } from './processes.ts';
import {
  adminState,
  advskews,
  asAtFirst,
  asked,
  calm,
  eventually,
  fault,
  logOf,
  masters,
  nodeAt,
  nodeNow,
  scene,
} from './scene.ts';
import { everywhere, filed, leftovers } from './swaps.ts';

// What is shipped: the package of this tree, unpacked, and started as rc.d/proxyagent does. Where
// root runs this, the agents become somebody else, as they do on a host.
const isRoot = process.getuid?.() === 0;
const { test, lab } = scene({ asPackaged: true, ...(isRoot ? { user: 'nobody' } : {}) });
/** As `show servers state` has it. */
const READY = 0;
const DRAIN = 8;

const onBoth = (target: string): Promise<number[]> =>
  Promise.all(lab().nodes.map((node) => adminState(node, target)));

test('the agents are the package, and nothing else is in them', async (t) => {
  await calm(lab());
  const root = join(lab().runtime, 'package/usr/local');
  for (const at of [0, 1]) {
    const { agent, agent_pid: pid, agent_config: config } = await nodeNow(lab(), at);
    t.is(agent, null);
    const of = (file: string): string[] => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
    const program = join(root, 'libexec/proxyctl/proxyagent');
    const args = ['--config', config, '--supervised', '--leave-file', join(config, '../leave')];
    t.deepEqual(of('cmdline').slice(1, -1), [program, ...args]);
    const names = of('environ').map((line) => line.split('=')[0]);
    t.deepEqual(
      names.filter((name) => /^(NODE|LAB)_/.test(name ?? '')),
      [],
    );
    t.notRegex(readFileSync(`/proc/${pid}/maps`, 'utf8'), /\.node$/m);
    if (isRoot) t.not(identityOf(pid ?? 0).uids, '0 0 0 0');
  }
  const { json } = await asked(lab(), 'status');
  t.like(json, {
    result: {
      nodes: lab().nodes.map(({ name: node }) => ({
        node,
        agent: { version: VERSION, icmp: 'ping' },
      })),
    },
  });
});

test('proxyctl is the package, and answers with the same version', async (t) => {
  t.is(lab().proxyctl, join(lab().runtime, 'package/usr/local/bin/proxyctl'));
  const { code, stdout } = await proxyctl(lab(), ['--version']);
  t.deepEqual([code, stdout], [0, `proxyctl ${VERSION}\n`]);
});

test('a planned move there and back', async (t) => {
  const moves: unknown[] = [];
  for (const to of ['haproxy02', 'haproxy01']) {
    const { code } = await asked(lab(), 'failover', '--to', to);
    moves.push([code, await masters(lab()), await advskews(lab())]);
  }
  t.deepEqual(moves, [
    [0, ['haproxy02'], [254, 100]],
    [0, ['haproxy01'], [0, 100]],
  ]);
  await asAtFirst(lab());
});

test('a drain and a ready are in force on both', async (t) => {
  const states: number[][] = [];
  for (const verb of ['drain', 'ready']) {
    const { code, json } = await asked(lab(), verb, 'WEB/web1');
    t.like({ code, json }, { code: 0, json: { ok: true, changed: true } }, verb);
    states.push(await onBoth('WEB/web1'));
  }
  t.deepEqual(states, [
    [DRAIN, DRAIN],
    [READY, READY],
  ]);
});

test('a certificate is swapped on both', async (t) => {
  const pem = await newSite(90);
  const push = await asked(lab(), 'cert', 'push', filed(lab(), pem));
  t.like(push, { code: 0, json: { ok: true, changed: true } });
  const sha1 = sha1Of(pem);
  const swapped = lab().nodes.map(() => ({ served: sha1, memory: sha1, disk: sha1 }));
  t.deepEqual(await everywhere(lab()), swapped);
  t.deepEqual(await leftovers(lab()), []);
});

test('HAProxy dies on the holder: the other is MASTER until it is back', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const isMaster = (node: string) => async (): Promise<boolean> =>
    (await masters(lab())).join() === node;
  await fault(lab(), 'kill-haproxy', 'on', first);
  await eventually('haproxy02 alone is MASTER', isMaster(second.name));
  await fault(lab(), 'kill-haproxy', 'off', first);
  await eventually('haproxy01 alone is MASTER', isMaster(first.name));
  await asAtFirst(lab());
  t.deepEqual(await advskews(lab()), [0, 100]);
});

test("what only the lab's own imports can do is refused", async (t) => {
  const clock = labOrder(lab().name, { op: 'fault', fault: 'clock', state: 'on' });
  await t.throwsAsync(clock, { message: 'an agent as packaged has the clock of the host' });
});

test('no agent met an error of its own', (t) => {
  const errors = lab()
    .nodes.flatMap(logOf)
    .filter(({ event }) => event === 'internal-error');
  t.deepEqual(errors, []);
});
