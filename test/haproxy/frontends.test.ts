import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { frontends, type FrontendsOptions } from '../../agent/haproxy/frontends.ts';
import { observeHaproxy } from '../../agent/haproxy/observe.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';
import { haproxy } from '../reports.ts';
import { startHaproxy, type TestHaproxy } from './haproxy.ts';

const CLOSING = fileURLToPath(new URL('closing.js', import.meta.url));

/** Its frontends as HAProxy has them now. */
async function seen({ ask }: TestHaproxy) {
  const { frontends: all } = await observeHaproxy({
    instance: '',
    runtime: ask,
    requiredFrontends: [],
    withCertificates: false,
    nowMs: () => 0,
  });
  return all;
}
const openOnes = async (one: TestHaproxy): Promise<string[]> =>
  (await seen(one)).filter(({ open }) => open).map(({ name }) => name);

async function world(t: ExecutionContext, more: Partial<FrontendsOptions> = {}) {
  const one = await startHaproxy(t);
  const clock = new FakeClock();
  let report = haproxy({ frontends: await seen(one) });
  const look = async (): Promise<void> => {
    report = haproxy({ frontends: await seen(one) });
  };
  const options: FrontendsOptions = {
    node: 'haproxy01',
    clock,
    ask: one.ask,
    path: () => one.socketPath,
    report: () => report,
    look,
    onChange: () => undefined,
    folder: one.folder,
    ...more,
  };
  return {
    one,
    clock,
    options,
    closing: frontends(options),
    file: join(one.folder, 'closed-frontends.json'),
    report: () => report,
    all: report.frontends.map(({ name }) => name),
  };
}

test('closed frontends refuse clients until they are opened, and are written down meanwhile', async (t) => {
  const { one, closing, file, all, report } = await world(t);
  t.is(await closing.close('frontends', 60_000), 'frontends');
  t.deepEqual(await openOnes(one), []);
  t.true(report().frontends.every(({ open }) => !open));
  t.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { names: all });
  await closing.open();
  t.deepEqual([await openOnes(one), existsSync(file)], [all, false]);
  await closing.open();
  t.deepEqual(await openOnes(one), all);
});

test('at the end of the lease they open without being asked', async (t) => {
  const { one, clock, closing, all } = await world(t);
  await closing.close('frontends', 3000);
  await clock.advance(3000);
  await eventually(async () => (await openOnes(one)).length === all.length);
  t.deepEqual(await openOnes(one), all);
});

test('an agent that is killed leaves them open: somebody else opens them, and its next start forgets them', async (t) => {
  const { one, options, file, all } = await world(t);
  const child = spawn(process.execPath, [CLOSING, one.socketPath, one.folder, ...all], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  t.deepEqual(await openOnes(one), []);
  child.kill('SIGKILL');
  await eventually(async () => (await openOnes(one)).length === all.length);
  t.true(existsSync(file));
  await frontends(options).recover();
  t.deepEqual([await openOnes(one), existsSync(file)], [all, false]);
});

test('what an agent and its guard have left closed is opened at the next start of the agent', async (t) => {
  const { one, closing, file, all } = await world(t);
  writeFileSync(file, JSON.stringify({ names: [...all, 'gone'] }));
  for (const name of all) await one.ask(`disable frontend ${name}`);
  await closing.recover();
  t.deepEqual([await openOnes(one), existsSync(file)], [all, false]);
  writeFileSync(file, '{"names');
  await closing.recover();
  t.deepEqual(await openOnes(one), all);
});

test('counted as closed HAProxy goes on serving, and others hear that it does not', async (t) => {
  let changes = 0;
  const { one, clock, closing, file, all, report } = await world(t, { onChange: () => changes++ });
  t.is(await closing.close('health', 3000), 'health');
  const told = closing.counted(report()).frontends.filter(({ open }) => open);
  t.deepEqual([told, await openOnes(one), existsSync(file), changes], [[], all, false, 1]);
  await clock.advance(3000);
  t.deepEqual([closing.counted(report()), changes], [report(), 2]);
});

test('on FreeBSD none is closed: the agent counts them, and refuses what was asked for by name', async (t) => {
  const { one, closing, all } = await world(t, { platform: 'freebsd' });
  const failure = await t.throwsAsync(closing.close('frontends', 3000), { instanceOf: ActFailure });
  t.deepEqual([failure.outcome, failure.detail.code], ['unsafe', 'cannot_close']);
  t.is(await closing.close(null, 3000), 'health');
  t.deepEqual(await openOnes(one), all);
});

test('one that cannot be closed leaves none closed, and nothing written down', async (t) => {
  const { one, options, file, all } = await world(t);
  const broken = frontends({
    ...options,
    ask: (command) =>
      command === `disable frontend ${all.at(-1)}`
        ? Promise.reject(new Error('Failed to pause frontend'))
        : one.ask(command),
  });
  const failure = await t.throwsAsync(broken.close('frontends', 3000), { instanceOf: ActFailure });
  t.deepEqual(
    [failure.detail.code, failure.detail.cause],
    ['not_closed', 'Failed to pause frontend'],
  );
  t.deepEqual([await openOnes(one), existsSync(file)], [all, false]);
});
