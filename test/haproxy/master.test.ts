import { readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../record.ts';
import { testClock } from '../rpc/world.ts';
import { holdOpen } from './haproxy.ts';
import { startMaster, type TestMaster } from './master.ts';
import { kinds, up, watch } from './watching.ts';

/** Changes haproxy.conf, and gives back what takes it back. */
function change(master: TestMaster, how: (text: string) => string): () => void {
  const before = readFileSync(master.config, 'utf8');
  writeFileSync(master.config, how(before));
  return () => writeFileSync(master.config, before);
}

/** A client of the worker, which it knows of. */
async function served(t: ExecutionContext, master: TestMaster): Promise<Socket> {
  const client = await holdOpen(t, master);
  await eventually(async () => /^CurrConns: [1-9]/m.test(await master.ask('show info')));
  return client;
}

/** Resolves once the watch has looked again, twice at least. */
async function looked(master: TestMaster): Promise<void> {
  const connections = async (): Promise<number> =>
    Number(/^CumConns: (\d+)$/m.exec(await master.ask('show info'))?.[1]);
  const before = await connections();
  let asked = 0;
  await eventually(async () => (await connections()) - before - ++asked >= 2);
}

test('a reload of the master: the new worker is up, the old one is kept as long as it serves', async (t) => {
  const master = await startMaster(t);
  const old = await master.worker();
  const { said, older } = watch(t, master.socketPath, { clock: testClock });
  await said.until(up(old));
  const client = await served(t, master);
  master.signal('SIGUSR2');
  await said.until((one) => up()(one) && !up(old)(one));
  t.is(said.items.length, 2);
  t.true(up(await master.worker())(said.items[1] ?? { kind: 'down', cause: '' }));
  await eventually(() => older.list().length === 1);
  t.is(older.list()[0]?.pid, old);
  client.destroy();
  await master.said(new RegExp(`Former worker \\(${old}\\) exited with code 0`));
  await eventually(() => older.list().length === 0);
  t.deepEqual(kinds(said.items), ['up', 'up']);
});

test('a reload with a bad configuration: the old worker is up all the time, and the next one once it is mended', async (t) => {
  const master = await startMaster(t);
  const old = await master.worker();
  const { said, older } = watch(t, master.socketPath, { clock: testClock });
  await said.until(up(old));
  const mend = change(master, (text) => `${text}nonsense\n`);
  master.signal('SIGUSR2');
  await master.said(/Loading failure!/);
  await master.hears();
  await looked(master);
  t.deepEqual([kinds(said.items), await master.worker(), older.list()], [['up'], old, []]);
  mend();
  master.signal('SIGUSR2');
  await said.until((one) => up()(one) && !up(old)(one));
  t.deepEqual(kinds(said.items), ['up', 'up']);
});

test('a reload whose new worker cannot start: down, since HAProxy ends the old one and the master too', async (t) => {
  // 2.6 tells the old worker to stop before the new one has started; also with `master-worker
  // no-exit-on-failure`, which the master forgets when it waits.
  const master = await startMaster(t);
  const { said } = watch(t, master.socketPath, { clock: testClock });
  await said.until(up());
  await served(t, master);
  change(master, (text) => text.replace('global\n', 'global\n    chroot /nowhere\n'));
  master.signal('SIGUSR2');
  await said.until(({ kind }) => kind === 'down');
  await master.ended;
  t.deepEqual(
    kinds(said.items).filter((kind) => kind !== 'stopping'),
    ['up', 'down'],
  );
});

test('a reload whose new worker dies once it serves: down, with the old one and its sessions', async (t) => {
  const master = await startMaster(t);
  const old = await master.worker();
  const { said, older } = watch(t, master.socketPath, { clock: testClock });
  await said.until(up(old));
  await served(t, master);
  master.signal('SIGUSR2');
  await said.until((one) => up()(one) && !up(old)(one));
  process.kill(await master.worker(), 'SIGKILL');
  await said.until(({ kind }) => kind === 'down');
  await master.ended;
  await eventually(() => older.list().length === 0);
  t.deepEqual(
    kinds(said.items).filter((kind) => kind !== 'stopping'),
    ['up', 'up', 'down'],
  );
});

test('the worker is killed: down at once, and the master goes too', async (t) => {
  const master = await startMaster(t);
  const { said } = watch(t, master.socketPath);
  await said.until(up());
  process.kill(await master.worker(), 'SIGKILL');
  // The clock stands: no poll has told it.
  await said.until(({ kind }) => kind === 'down');
  await master.ended;
  t.deepEqual(kinds(said.items), ['up', 'down']);
});

test('a soft stop of the master: stopping while the worker has a session, then down', async (t) => {
  const master = await startMaster(t);
  const old = await master.worker();
  const { said } = watch(t, master.socketPath, { clock: testClock });
  await said.until(up(old));
  const client = await served(t, master);
  master.signal('SIGUSR1');
  t.deepEqual(await said.until(({ kind }) => kind === 'stopping'), {
    kind: 'stopping',
    pid: old,
    cause: 'it accepts no new connections and ends with the sessions it has',
  });
  client.destroy();
  await said.until(({ kind }) => kind === 'down');
  await master.ended;
  t.deepEqual(kinds(said.items), ['up', 'stopping', 'down']);
});
