import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { noDescriptor } from '../../agent/core/descriptors.ts';
import { descriptorReserve } from '../../agent/sys/descriptors.ts';
import { FakeClock } from '../fake-clock.ts';
import { says, scriptedSocket } from '../haproxy/scripted.ts';

const NONE = 'no file descriptor is left here (EMFILE)';

/** What a process that has no descriptor left says of what it tried. */
async function crowded(t: ExecutionContext, how: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-crowded-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { path } = await scriptedSocket(t, says('Name: HAProxy\n\n'));
  const script = fileURLToPath(new URL('crowded.js', import.meta.url));
  const args = [process.execPath, script, how, folder, path];
  const child = spawn('/bin/sh', ['-c', 'ulimit -n 96; exec "$@"', 'sh', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(String(chunk)));
  await once(child, 'close');
  return { ...(JSON.parse(printed.join('')) as object), files: readdirSync(folder) };
}

test('no descriptor is left: programs, HAProxy, state and peers are still reached, and strangers go first', async (t) => {
  t.deepEqual(await crowded(t, 'reserve'), {
    program: 'done',
    asked: 'done',
    state: 'done',
    dialled: 'done',
    heard: ['shed', NONE, 'shed', NONE],
    scarce: true,
    files: ['state.json'],
  });
});

test('where the reserve is gone already, what is shed is waited for; strangers get none until it is back', async (t) => {
  const clock = new FakeClock();
  const reserve = descriptorReserve({
    clock,
    shed: () => undefined,
    onShort: () => undefined,
    onEnough: () => undefined,
    count: 2,
  });
  t.teardown(reserve.close);
  const before = reserve.scarce();
  let isFree = false;
  let tries = 0;
  const spent = reserve.spend(() => {
    tries += 1;
    if (isFree) return Promise.resolve('done');
    setImmediate(() => (isFree = true));
    return Promise.reject(Object.assign(new Error('no'), { code: 'EMFILE' }));
  });
  t.deepEqual([await spent, tries, before, reserve.scarce()], ['done', 3, false, true]);
  await clock.advance(1000);
  t.false(reserve.scarce());
});

test('without a reserve each says what it is, and a probe that was not sent is no silence', async (t) => {
  const said = (await crowded(t, 'none')) as Record<string, unknown>;
  t.deepEqual(said, {
    program: `/bin/echo a: cannot be started: ${NONE}`,
    asked: 'show info: the connection to SOCKET broke (EMFILE)'.replace(
      'SOCKET',
      /to (\S+)/.exec(String(said['asked']))?.[1] ?? '',
    ),
    state: `EMFILE: too many open files, open '${/open '(.*)'/.exec(String(said['state']))?.[1]}'`,
    dialled: said['dialled'],
    heard: ['unsent'],
    scarce: false,
    files: [],
  });
  t.regex(String(said['dialled']), /^connect EMFILE 127\.0\.0\.1:/);
});

test('what says so is found below other errors, and nothing else is taken for it', (t) => {
  const system = (code: string): Error => Object.assign(new Error(code), { code });
  const below = (cause: unknown): Error => new Error('above', { cause });
  const found = [
    system('EMFILE'),
    system('ENFILE'),
    below(below(system('EMFILE'))),
    below(Object.assign(new Error(''), { failure: { kind: 'spawn', code: 'EMFILE' } })),
    system('ENOENT'),
    below(system('ECONNREFUSED')),
    new Error('EMFILE'),
    'EMFILE',
    null,
  ].map((error) => noDescriptor(error));
  const host = 'no file descriptor is left here (ENFILE)';
  t.deepEqual(found, [NONE, host, NONE, NONE, null, null, null, null, null]);
});

test('it is over a minute after the last want, and begins again with the next', async (t) => {
  const clock = new FakeClock();
  const heard: string[] = [];
  const reserve = descriptorReserve({
    clock,
    shed: () => void heard.push('shed'),
    onShort: (cause) => void heard.push(cause),
    onEnough: () => void heard.push('enough'),
    count: 2,
  });
  t.teardown(reserve.close);
  let tries = 0;
  const fails = Object.assign(new Error('no'), { code: 'EMFILE' });
  const error = await t.throwsAsync(reserve.spend(() => (tries++, Promise.reject(fails))));
  t.deepEqual([error, tries, heard.splice(0)], [fails, 3, ['shed', NONE]]);
  await clock.advance(59_000);
  reserve.letGo(NONE);
  await clock.advance(59_000);
  t.deepEqual(heard.splice(0), ['shed', NONE]);
  await clock.advance(2000);
  t.deepEqual([heard.splice(0), clock.sleeping()], [['enough'], []]);
  t.is(await reserve.spend(() => Promise.resolve('as it is')), 'as it is');
  const other = new Error('something else');
  t.is(await t.throwsAsync(reserve.spend(() => Promise.reject(other))), other);
  t.deepEqual(heard, []);
});
