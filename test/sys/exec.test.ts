import test from 'ava';
import { CommandError, execWithin } from '../../agent/sys/exec.ts';
import { eventually } from '../record.ts';

const exec = execWithin(10_000);

/** How it failed, with its message and what it said on standard error. */
async function failed(asked: Promise<string>): Promise<unknown[]> {
  try {
    return ['succeeded', await asked];
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [error.failure, error.message, error.stderr];
  }
}

test('what the program prints, byte for byte, its standard error left out', async (t) => {
  t.is(await exec('/bin/sh', ['-c', 'printf " a\\n\\tb\\n\\n"; echo no >&2']), ' a\n\tb\n\n');
});

test('arguments reach the program as they are: no shell reads them', async (t) => {
  const args = ['$HOME', '; exit 3', '*', 'a b', '', "'", '"', '`id`', 'ü', '\n'];
  const printed = await exec('/bin/sh', [
    '-c',
    'for one; do printf "<%s>" "$one"; done',
    'sh',
    ...args,
  ]);
  t.is(printed, args.map((one) => `<${one}>`).join(''));
});

test('no such program: spawn, with the code', async (t) => {
  t.deepEqual(await failed(exec('/nonexistent/ifconfig', ['em0'])), [
    { kind: 'spawn', code: 'ENOENT' },
    '/nonexistent/ifconfig em0: no such program',
    '',
  ]);
});

test('a file that is no program: spawn, with the code', async (t) => {
  t.deepEqual(await failed(exec('/etc/passwd', [])), [
    { kind: 'spawn', code: 'EACCES' },
    '/etc/passwd: cannot be started (EACCES)',
    '',
  ]);
});

test('an exit code: exit, with the first line of what it said', async (t) => {
  const script = 'echo out; echo "ifconfig: SIOCSVH: Invalid argument" >&2; echo more >&2; exit 7';
  t.deepEqual(await failed(exec('/bin/sh', ['-c', script])), [
    { kind: 'exit', code: 7 },
    `/bin/sh -c ${script}: exit 7: ifconfig: SIOCSVH: Invalid argument`,
    'ifconfig: SIOCSVH: Invalid argument\nmore\n',
  ]);
});

test('killed by a signal is a failure, not an exit without code', async (t) => {
  for (const signal of ['TERM', 'KILL', 'SEGV']) {
    const [failure, message] = await failed(exec('/bin/sh', ['-c', `kill -${signal} $$`]));
    t.deepEqual(failure, { kind: 'signal', signal: `SIG${signal}` });
    t.regex(String(message), new RegExp(`: killed by SIG${signal}$`));
  }
});

test('no end within the limit: timeout, whatever signal the program ignores, and it is gone', async (t) => {
  const script = "trap '' TERM INT HUP; echo $$ >&2; while :; do :; done";
  const [failure, message, stderr] = await failed(execWithin(1000)('/bin/sh', ['-c', script]));
  t.deepEqual(failure, { kind: 'timeout', afterMs: 1000 });
  t.regex(String(message), /: no answer within 1000 ms/);
  const pid = Number(stderr);
  t.true(pid > 0);
  await eventually(() => !exists(pid));
});

test('a child of the program that keeps its output open does not keep the caller waiting', async (t) => {
  const [failure] = await failed(execWithin(1000)('/bin/sh', ['-c', 'sleep 30 & sleep 30']));
  t.deepEqual(failure, { kind: 'timeout', afterMs: 1000 });
});

test('more output than anybody reads is said as such', async (t) => {
  const [failure, message] = await failed(
    exec('/bin/sh', ['-c', 'exec head -c 9000000 /dev/zero']),
  );
  t.deepEqual(failure, { kind: 'output', bytes: 8 << 20 });
  t.regex(String(message), /: more than 8388608 bytes of output$/);
});

test('the program sees C-locale text and none of our variables', async (t) => {
  const names = ['IFCONFIG_FORMAT', 'PROXYCTL_TEST'];
  for (const name of names) process.env[name] = 'inet:cidr';
  t.teardown(() => {
    for (const name of names) delete process.env[name];
  });
  const printed = await exec('/usr/bin/env', []);
  const seen = printed.split('\n').filter((line) => /^(LC_ALL|LANG|IFCONFIG|PROXYCTL)/.test(line));
  t.deepEqual(seen, ['LC_ALL=C']);
});

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
