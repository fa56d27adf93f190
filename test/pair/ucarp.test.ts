import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  buildHosts,
  carpHostsMissing,
  PASSWORD,
  removeHosts,
  start,
  testUnless,
  until,
  VHID,
  type CarpHost,
  type CarpLab,
  type Program,
} from './carp-hosts.ts';

// An independent implementation of CARP on the same vhid. It knows one IPv4 VIP, so
// the vhid has no other. ucarp looks once a second and counts advskew three times:
// its master-down time is up to 3 * (advbase + skew/256) + 1 s.
const UCARP_TAKES_MS = 6500;
const KERNEL_TAKES_MS = 4500;

const installed = spawnSync('sh', ['-c', 'command -v ucarp']).status === 0;
const missing = carpHostsMissing() ?? (installed ? null : 'ucarp is not installed');
const withUcarp = testUnless(missing);

let lab: CarpLab | null = null;

test.serial.before(async () => {
  if (missing === null) lab = await buildHosts('pku');
});

test.serial.after.always(async () => {
  if (lab !== null) await removeHosts(lab);
});

interface Ucarp extends Program {
  /** As its log tells. */
  readonly state: string;
}

/** ucarp on the second host, and the kernel on the first; both end with the test. */
function pair(t: ExecutionContext) {
  if (lab === null) throw new Error('the lab is not up');
  const { plan, hosts } = lab;
  const [host, other] = hosts;
  const folder = join(plan.runtime, 'ucarp');
  mkdirSync(folder, { recursive: true });
  const hook = join(folder, 'hook');
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  chmodSync(hook, 0o755);
  t.teardown(() => host.halt());
  const ucarp = (skew: number, pass = PASSWORD): Ucarp => {
    const where = ['-i', 'eth0', '-s', other.plan.address4, '-v', String(VHID), '-a', plan.vip4];
    const how = ['-p', pass, '-u', hook, '-d', hook, '-b', '1', '-k', String(skew)];
    const program = start(other.plan.namespace, ['ucarp', ...where, ...how]);
    t.teardown(() => program.end());
    return {
      ...program,
      get state(): string {
        const said = program.lines.flatMap((line) => /Switching to state: (\w+)/.exec(line) ?? []);
        return said.at(-1) ?? 'none';
      },
    };
  };
  return { host, vips: [plan.vip4], ucarp };
}

const settles = (host: CarpHost, ucarp: Ucarp, wanted: string, withinMs: number): Promise<void> =>
  until(
    () => `${wanted}, it is ${host.state}/${ucarp.state}\n${ucarp.lines.join('\n')}`,
    withinMs,
    () => `${host.state}/${ucarp.state}` === wanted,
  );

withUcarp('ucarp backs the kernel up and takes over when it is killed', async (t) => {
  const { host, vips, ucarp } = pair(t);
  await host.boot(vips, { advskew: 0 });
  await host.ifconfig('state master');
  const peer = ucarp(100);
  await settles(host, peer, 'MASTER/BACKUP', 3000);
  host.kill();
  await settles(host, peer, 'gone/MASTER', UCARP_TAKES_MS);
  t.pass();
});

withUcarp('the kernel backs ucarp up and takes over when it is killed', async (t) => {
  const { host, vips, ucarp } = pair(t);
  const peer = ucarp(0);
  await until(
    () => 'ucarp is MASTER',
    UCARP_TAKES_MS,
    () => peer.state === 'MASTER',
  );
  await host.boot(vips, { advskew: 100 });
  // ucarp's adverts hold it down for longer than its own timer, 3.39 s.
  await t.throwsAsync(host.becomes('MASTER', 4000));
  t.is(host.state, 'BACKUP');
  peer.kill();
  await host.becomes('MASTER', KERNEL_TAKES_MS);
});

withUcarp('`state master` makes a ucarp of higher advskew yield at once', async (t) => {
  const { host, vips, ucarp } = pair(t);
  const peer = ucarp(100);
  await until(
    () => 'ucarp is MASTER',
    UCARP_TAKES_MS,
    () => peer.state === 'MASTER',
  );
  await host.boot(vips, { advskew: 0 });
  t.is(host.state, 'BACKUP', 'it does not preempt');
  await host.ifconfig('state master');
  await settles(host, peer, 'MASTER/BACKUP', 1000);
  t.pass();
});

withUcarp('with another password both become MASTER, and each tells why', async (t) => {
  const { host, vips, ucarp } = pair(t);
  await host.boot(vips, { advskew: 0 });
  await host.ifconfig('state master');
  const peer = ucarp(0, 'another');
  await settles(host, peer, 'MASTER/MASTER', UCARP_TAKES_MS);
  t.true(peer.lines.some((line) => line.includes('Bad digest')));
  const refused = async (): Promise<boolean> =>
    /^\t\t[1-9]\d* discarded for bad authentication$/m.test(
      await host.tool('netstat', '-s', '-p', 'carp'),
    );
  await until(() => 'netstat counts bad authentication', 2000, refused);
  peer.kill();
  t.is(host.state, 'MASTER');
});
