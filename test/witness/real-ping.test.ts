import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startLines } from '../../agent/sys/line-program.ts';
import { standingPings } from '../../agent/witness/standing-ping.ts';
import { FakeClock, settled } from '../fake-clock.ts';

const PING = ['/sbin/ping', '/bin/ping', '/usr/bin/ping'].find(existsSync);
const pinged = PING === undefined ? test.skip : test;

const folder = mkdtempSync(join(tmpdir(), 'proxyctl-ping-'));
test.after.always(() => rmSync(folder, { recursive: true }));

/** A program in ping's place. */
function standIn(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho $$ >${path}.pid\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Runs `ping` for an address, and counts its answers and its ends. */
function followed(ping: string, address: string) {
  const clock = new FakeClock();
  let ends = 0;
  let replies = 0;
  const pings = standingPings({
    ping,
    clock,
    start: (file, args, onLine, onEnd) =>
      startLines(file, args, onLine, (error) => {
        ends++;
        onEnd(error);
      }),
    onAsked: () => undefined,
    onReply: () => void replies++,
    askOnce: () => undefined,
  });
  pings.follow([address]);
  return { clock, pings, replies: () => replies, ends: () => ends };
}

/** Nothing of a followed program keeps a process alive by itself. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settled();
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** Its pid, once it has written that. */
async function pidOf(path: string): Promise<number> {
  await until(() => existsSync(`${path}.pid`) && readFileSync(`${path}.pid`, 'utf8') !== '');
  return Number(readFileSync(`${path}.pid`, 'utf8'));
}

for (const address of ['127.0.0.1', '::1'])
  pinged(`ping(8) of this host is understood line by line: ${address}`, async (t) => {
    const { pings, replies } = followed(PING ?? '', address);
    await until(() => replies() > 0);
    t.is(replies(), 1);
    pings.close();
  });

test('one that hangs and heeds no signal is gone once it is ended', async (t) => {
  const hung = standIn('hung', "trap '' TERM INT\nwhile :; do read x </dev/zero; done");
  const { pings, clock, replies } = followed(hung, '192.0.2.1');
  const first = await pidOf(hung);
  t.true(isAlive(first));
  rmSync(`${hung}.pid`);
  await clock.advance(2000);
  const second = await pidOf(hung);
  t.not(second, first);
  pings.close();
  await until(() => !isAlive(first) && !isAlive(second));
  t.is(replies(), 0);
});

test('one that floods is ended, and is no answer', async (t) => {
  const flood = standIn('flood', 'exec yes');
  const { pings, replies } = followed(flood, '192.0.2.1');
  const pid = await pidOf(flood);
  await until(() => !isAlive(pid));
  t.is(replies(), 0);
  pings.close();
});

test('one that prints no line end keeps no memory, and what follows is read', async (t) => {
  const words = '64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.1 ms';
  const long = standIn('long', `head -c 3000000 /dev/zero | tr '\\0' x; echo; echo '${words}'`);
  const { pings, replies } = followed(long, '192.0.2.1');
  await until(() => replies() > 0);
  t.is(replies(), 1);
  pings.close();
});

test('one that is not there is as one that ended', async (t) => {
  const { pings, ends, replies } = followed(join(folder, 'absent'), '192.0.2.1');
  await until(() => ends() > 0);
  t.is(replies(), 0);
  pings.close();
});

test('one whose reader is gone ends with the next line it prints', async (t) => {
  const words = '64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.1 ms';
  const talk = standIn('talk', `while :; do echo '${words}' || exit; done`);
  const program = startLines(
    talk,
    [],
    () => undefined,
    () => undefined,
  );
  const pid = await pidOf(talk);
  program.end();
  await until(() => !isAlive(pid));
  t.pass();
});

pinged('a process that is killed leaves neither ping(8) nor shell behind', async (t) => {
  const script = fileURLToPath(new URL('follower.js', import.meta.url));
  const child = spawn(process.execPath, [script, PING ?? '', '127.0.0.1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  t.is(children.length, 2);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(() => children.every((one) => !isAlive(one)));
});
