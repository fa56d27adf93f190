import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { writeStandIns } from './standins.ts';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The stand-ins in a directory of their own, with the texts a kernel would keep there. */
function install(t: ExecutionContext, texts: Readonly<Record<string, string>> = {}) {
  const runtime = mkdtempSync(join(tmpdir(), 'pkstand-'));
  t.teardown(() => rmSync(runtime, { recursive: true, force: true }));
  mkdirSync(join(runtime, 'text'));
  for (const [name, text] of Object.entries(texts))
    writeFileSync(join(runtime, 'text', name), text);
  writeStandIns(runtime);
  const run = async (tool: string, ...args: readonly string[]): Promise<Ran> => {
    const child = spawn(join(runtime, 'bin', tool), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await once(child, 'close');
    return { code: child.exitCode, stdout, stderr };
  };
  return { runtime, run };
}

/** A kernel that answers every call with one reply and remembers the arguments. */
async function answering(t: ExecutionContext, runtime: string, reply: string) {
  const calls: string[][] = [];
  const server: Server = createServer((client) => {
    client.once('data', (request: Buffer) => {
      t.is(request.readUInt32BE(), request.length - 4);
      calls.push(request.subarray(4).toString().split('\0'));
      client.end(reply);
    });
  });
  server.listen(join(runtime, 'carp.sock'));
  await once(server, 'listening');
  t.teardown(() => server.close());
  return calls;
}

test('reads are answered from the texts that the kernel keeps, byte for byte', async (t) => {
  const texts = {
    ifconfig: 'vtnet0: flags=1\n\tcarp: MASTER vhid 1 advbase 1 advskew 0\n\t  % \\n "$x"\n',
    'ifconfig.vtnet0': 'vtnet0: flags=1\n',
    sysctl: 'net.inet.carp.allow: 1\n',
    netstat: 'carp:\n\t0 packets received (IPv4)\n',
  };
  const { run } = install(t, texts);
  const printed = (stdout: string) => ({ code: 0, stdout, stderr: '' });
  t.deepEqual(await run('ifconfig'), printed(texts.ifconfig));
  t.deepEqual(await run('ifconfig', 'vtnet0'), printed(texts['ifconfig.vtnet0']));
  t.deepEqual(await run('sysctl', 'net.inet.carp'), printed(texts.sysctl));
  t.deepEqual(await run('netstat', '-s', '-p', 'carp'), printed(texts.netstat));
  t.deepEqual(await run('kldstat', '-q', '-m', 'carp'), printed(''));
});

test('without the module kldstat says no, netstat nothing, and an unknown interface is named', async (t) => {
  const { run } = install(t, { ifconfig: '' });
  t.deepEqual(await run('kldstat', '-q', '-m', 'carp'), { code: 1, stdout: '', stderr: '' });
  t.deepEqual(await run('netstat', '-s', '-p', 'carp'), { code: 0, stdout: '', stderr: '' });
  t.deepEqual(await run('ifconfig', 'em9'), {
    code: 1,
    stdout: '',
    stderr: 'ifconfig: interface em9 does not exist\n',
  });
});

test('everything else goes to the kernel with its arguments, and its answer comes back', async (t) => {
  const { runtime, run } = install(t, { sysctl: '' });
  const calls = await answering(t, runtime, '3 4\nout\nerr\n');
  const answer = { code: 3, stdout: 'out\n', stderr: 'err\n' };
  t.deepEqual(await run('ifconfig', 'vtnet0', 'vhid', '1', 'pass', 'a b'), answer);
  t.deepEqual(await run('sysctl', 'net.inet.carp.demotion=0'), answer);
  t.deepEqual(calls, [
    ['ifconfig', 'vtnet0', 'vhid', '1', 'pass', 'a b'],
    ['sysctl', 'net.inet.carp.demotion=0'],
  ]);
});

test('a kernel that is gone, or dies over a call, fails the call at once', async (t) => {
  const { runtime, run } = install(t);
  const failed = (stderr: string) => ({ code: 1, stdout: '', stderr });
  t.deepEqual(
    await run('ifconfig', 'vtnet0', 'vhid', '1'),
    failed('ifconfig: no kernel answers\n'),
  );
  await answering(t, runtime, '');
  t.deepEqual(await run('ifconfig', 'vtnet0', 'vhid', '1'), failed('ifconfig: the kernel died\n'));
});

test('a fault makes the tools fail, or print a line nobody knows', async (t) => {
  const { runtime, run } = install(t, { ifconfig: 'vtnet0: flags=1\n', sysctl: '', netstat: '' });
  writeFileSync(join(runtime, 'fault'), 'fail\n');
  for (const [tool, ...args] of [
    ['ifconfig'],
    ['sysctl', 'net.inet.carp'],
    ['kldstat', '-q', '-m', 'carp'],
    ['netstat', '-s', '-p', 'carp'],
  ] as const) {
    const { code, stdout, stderr } = await run(tool, ...args);
    t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    t.regex(stderr, /Operation not permitted/);
  }
  writeFileSync(join(runtime, 'fault'), 'garbage\n');
  t.is(
    (await run('ifconfig')).stdout,
    'vtnet0: flags=1\n\tcarp: STANDBY vhid 1 advbase 1 advskew 0\n',
  );
});
