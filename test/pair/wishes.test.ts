import { readFileSync, writeFileSync } from 'node:fs';
import { asking, busy, reloadHaproxy } from './sessions.ts';
import { asked, calm, eventually, exitOf, nodeAt, runtime, scene } from './scene.ts';

const { test, lab } = scene();

test('sessions that a reload left with the older process are waited for', async (t) => {
  const clients = Array.from({ length: 6 }, () =>
    asking(lab(), 'www.example.net', '/plain/slow/4000'),
  );
  await eventually('each server has some', async () => (await busy(lab())).length === 3);
  await reloadHaproxy(lab(), nodeAt(lab(), 0));
  const drained = asked(lab(), 'drain', 'WEB/web1', '--wait');
  const first = await Promise.race([
    drained.then(() => 'drain'),
    Promise.all(clients.map((client) => client.end())).then(() => 'requests'),
  ]);
  t.is(first, 'requests');
  t.like(await drained, { code: 0, json: { ok: true } });
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
});

test('a drain whose server is taken out of haproxy.conf is said, ends with ready, and its name is not drained again', async (t) => {
  t.is(await exitOf(lab(), 'drain', 'WEB/web3'), 0);
  const confs = lab().nodes.map(({ haproxy_config }) => haproxy_config);
  const before = confs.map((path) => readFileSync(path, 'utf8'));
  const without = /^ {4}server web3 .*\n/m;
  const alerts = async (): Promise<string[]> => {
    const { json } = await asked(lab(), 'status');
    const all = (json.result?.['alerts'] ?? []) as { id: string; subject: string }[];
    return all.map(({ id, subject }) => `${id} ${subject}`);
  };
  try {
    for (const [at, path] of confs.entries()) {
      writeFileSync(path, (before[at] ?? '').replace(without, ''));
      await reloadHaproxy(lab(), nodeAt(lab(), at));
    }
    await eventually(
      'it is said once',
      async () => (await alerts()).join() === 'server-gone WEB/web3',
    );
    // The name is used again on one node, and another goes on without.
    writeFileSync(confs[0] ?? '', before[0] ?? '');
    await reloadHaproxy(lab(), nodeAt(lab(), 0));
    await eventually(
      'it is said to be back',
      async () => (await alerts()).join() === 'server-back WEB/web3',
    );
    const state = await runtime(nodeAt(lab(), 0), 'show servers state WEB');
    t.regex(state, / WEB \d+ web3 \S+ 2 0 /);
    t.like(await asked(lab(), 'ready', 'WEB/web3'), { code: 0, json: { changed: true } });
    t.like(await asked(lab(), 'ready', 'WEB'), { code: 0, json: { changed: false } });
    t.deepEqual(await alerts(), []);
  } finally {
    for (const [at, path] of confs.entries()) {
      writeFileSync(path, before[at] ?? '');
      await reloadHaproxy(lab(), nodeAt(lab(), at));
    }
  }
  await calm(lab());
});
