import { readFileSync } from 'node:fs';
import test from 'ava';
import { CommandError, execWithin, type Exec } from '../../agent/sys/exec.ts';
import { standingShell } from '../../agent/sys/standing-shell.ts';
import { settled } from '../fake-clock.ts';

const LONG_MS = 20_000;
/** Long enough for a shell to start on a busy machine. */
const HANG_MS = 3000;

/** A shell, and what was run without it. */
function scene(limitMs = LONG_MS) {
  const otherwise: string[] = [];
  const plain = execWithin(LONG_MS);
  const second: Exec = (file, args) => {
    otherwise.push([file, ...args].join(' '));
    return plain(file, args);
  };
  const { exec, close } = standingShell(limitMs, second);
  return { exec, close, otherwise };
}

/** The pid of the shell that runs what `exec` runs. */
const shellOf = async (exec: Exec): Promise<number> =>
  Number(await exec('/bin/sh', ['-c', 'echo $PPID']));

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const failureOf = async (asked: Promise<string>): Promise<unknown> =>
  asked.then(
    (stdout) => stdout,
    (error: unknown) => (error instanceof CommandError ? [error.failure, error.message] : error),
  );

test('what programs print comes byte for byte and in order, all from one shell', async (t) => {
  const { exec, close, otherwise } = scene();
  const text = ' a\n\tb\n\n';
  const [first, second, third, one, other] = await Promise.all([
    exec('/usr/bin/printf', [' a\\n\\tb\\n\\n']),
    exec('/bin/echo', ['b']),
    exec('/usr/bin/printf', ['c']),
    shellOf(exec),
    shellOf(exec),
  ]);
  t.deepEqual([first, second, third], [text, 'b\n', 'c']);
  t.is(one, other);
  t.deepEqual(otherwise, []);
  close();
});

test('arguments reach the program as they are, and standard input is empty', async (t) => {
  const { exec, close } = scene();
  const args = ['$HOME', '; exit 3', '*', 'a b', '', "'", '"', '`id`', 'ü', '\\', "'\\''"];
  const script = 'cat; for one; do printf "<%s>" "$one"; done';
  t.is(
    await exec('/bin/sh', ['-c', script, 'sh', ...args]),
    args.map((one) => `<${one}>`).join(''),
  );
  close();
});

test('IFCONFIG_FORMAT does not reach the program', async (t) => {
  process.env['IFCONFIG_FORMAT'] = 'inet:cidr';
  const { exec, close } = scene();
  t.regex(await exec('/usr/bin/env', []), /^LC_ALL=C$/m);
  t.notRegex(await exec('/usr/bin/env', []), /IFCONFIG_FORMAT/);
  close();
});

test('a program that fails is run once more, to be told how', async (t) => {
  const { exec, close, otherwise } = scene();
  const script = ['-c', 'echo why >&2; exit 3'];
  t.deepEqual(await failureOf(exec('/bin/sh', script)), [
    { kind: 'exit', code: 3 },
    `/bin/sh ${script.join(' ')}: exit 3: why`,
  ]);
  t.deepEqual(await failureOf(exec('/nonexistent/ifconfig', [])), [
    { kind: 'spawn', code: 'ENOENT' },
    '/nonexistent/ifconfig: no such program',
  ]);
  t.is(otherwise.length, 2);
  t.is(await exec('/bin/echo', ['a']), 'a\n');
  close();
});

test('a line break in an argument goes another way', async (t) => {
  const { exec, close, otherwise } = scene();
  t.is(await exec('/bin/echo', ['a\nb']), 'a\nb\n');
  t.is(otherwise.length, 1);
  close();
});

test('one that hangs is killed with its shell, who waits behind it is run all the same, and another shell goes on', async (t) => {
  const { exec, close, otherwise } = scene(HANG_MS);
  const before = await shellOf(exec);
  const hung = exec('/bin/sh', ['-c', 'trap "" TERM; sleep 600']);
  const behind = exec('/bin/echo', ['b']);
  t.deepEqual(await failureOf(hung), [
    { kind: 'timeout', afterMs: HANG_MS },
    `/bin/sh -c trap "" TERM; sleep 600: no answer within ${HANG_MS} ms`,
  ]);
  t.is(await behind, 'b\n');
  t.deepEqual(otherwise, ['/bin/echo b']);
  while (isAlive(before)) await settled();
  t.not(await shellOf(exec), before);
  close();
});

test('a shell that is killed leaves nobody without an answer', async (t) => {
  const { exec, close, otherwise } = scene();
  const pid = await shellOf(exec);
  process.kill(pid, 'SIGKILL');
  t.deepEqual(await Promise.all([exec('/bin/echo', ['a']), exec('/bin/echo', ['b'])]), [
    'a\n',
    'b\n',
  ]);
  t.deepEqual(otherwise, ['/bin/echo a', '/bin/echo b']);
  t.not(await shellOf(exec), pid);
  close();
});

test('more output than anybody reads ends it', async (t) => {
  const { exec, close } = scene();
  const [failure] = (await failureOf(exec('/usr/bin/yes', []))) as [unknown];
  t.deepEqual(failure, { kind: 'output', bytes: 8 << 20 });
  t.is(await exec('/bin/echo', ['a']), 'a\n');
  close();
});

test('once it is closed nothing of it is left, and what is asked is done another way', async (t) => {
  const { exec, close, otherwise } = scene();
  const pid = await shellOf(exec);
  close();
  while (isAlive(pid)) await settled();
  t.is(await exec('/bin/echo', ['a']), 'a\n');
  t.deepEqual(otherwise, ['/bin/echo a']);
});
