import test from 'ava';
import { hear, setSysctl } from './acts.ts';
import type { Host } from './host.ts';
import { ifconfig, type ToolRun } from './ifconfig.ts';
import { find, newKernel, type Release } from './kernel.ts';
import { IF, VIP4, VIP6 } from './scene.ts';
import { advertDigest } from './wire.ts';

const RELEASES = [13, 14, 15] as const;

const hostOf = (release: Release, module = true): Host => ({
  kernel: newKernel(release, false, [IF]),
  interfaces: [
    { name: IF, mac: '58:9c:fc:00:01:01', addresses: [{ address: '192.0.2.1', length: 24 }] },
  ],
  module,
  keys: {},
});

/** Command lines one after the other, all at 0 ms. Throws for one that fails. */
function after(host: Host, ...lines: readonly string[]): Host {
  return lines.reduce((now, line) => {
    const run = ifconfig(now, line.split(' '), 0);
    if (run.code !== 0) throw new Error(`${line}: ${run.stderr}`);
    return run.host;
  }, host);
}

const carrying = (release: Release): Host =>
  after(hostOf(release), `${IF} vhid 1 advskew 100 pass secret alias ${VIP4}/32`);

const run = (host: Host, line: string): ToolRun => ifconfig(host, line.split(' '), 0);
const vhidOf = ({ kernel }: Host, vhid = 1) => find(kernel, IF, vhid);
const outcome = ({ code, stdout, stderr }: ToolRun) => ({ code, stdout, stderr });
const refused = (stderr: string) => ({ code: 1, stdout: '', stderr: `ifconfig: ${stderr}\n` });
const silent = { code: 0, stdout: '', stderr: '' };

test('one command makes a vhid with its password and first address; rc.conf’s inet6 form too', (t) => {
  for (const release of RELEASES) {
    const host = after(carrying(release), `${IF} inet6 vhid 1 advskew 100 pass secret ${VIP6}/128`);
    const { vips4, vips6, advbase, advskew, state } = vhidOf(host) ?? {};
    t.deepEqual(
      { vips4, vips6, advbase, advskew, state, keys: host.keys },
      {
        vips4: [VIP4],
        vips6: [VIP6],
        advbase: 1,
        advskew: 100,
        state: 'BACKUP',
        keys: { [`1@${IF}`]: 'secret' },
      },
    );
  }
});

test('an option that needs a vhid before it, and others ifconfig refuses', (t) => {
  const refusals = [
    [`${IF} advskew 1 vhid 1`, 'advskew requires vhid'],
    [`${IF} advbase 1`, 'advbase requires vhid'],
    [`${IF} state master`, 'state requires vhid'],
    [`${IF} pass secret`, 'passwd requires vhid'],
    [`${IF} vhid 0`, 'vhid must be greater than 0 and less than 255'],
    [`${IF} vhid 256`, 'vhid must be greater than 0 and less than 255'],
    [`${IF} vhid x`, 'vhid must be greater than 0 and less than 255'],
    [`${IF} vhid -1`, 'vhid must be greater than 0 and less than 255'],
    [`${IF} vhid`, "'vhid' requires argument"],
    [`${IF} vhid 1 advskew`, "'advskew' requires argument"],
    [`${IF} vhid 1 state standby`, 'unknown state'],
    [`${IF} vhid 1 192.0.2.300/32`, '192.0.2.300/32: bad value'],
    [`em9 vhid 1`, 'interface em9 does not exist'],
    [`em9`, 'interface em9 does not exist'],
  ] as const;
  for (const release of RELEASES) {
    const host = carrying(release);
    t.deepEqual(
      refusals.map(([line]) => outcome(run(host, line))),
      refusals.map(([, text]) => refused(text)),
    );
    for (const [line] of refusals) t.deepEqual(run(host, line).host, host, line);
  }
});

test('255 is a vhid, although the refusal says less than 255', (t) => {
  t.is(vhidOf(run(hostOf(14), `${IF} vhid 255`).host, 255)?.state, 'INIT');
});

test('states are taken in any case; a set prints nothing', (t) => {
  for (const word of ['master', 'MASTER', 'MaStEr']) {
    const done = run(carrying(14), `${IF} vhid 1 state ${word}`);
    t.deepEqual(outcome(done), silent);
    t.is(vhidOf(done.host)?.state, 'MASTER');
  }
});

test('numbers are read as atoi does: words are 0, what follows a number is dropped, negatives are let pass', (t) => {
  const skew = (word: string): number | undefined =>
    vhidOf(run(carrying(14), `${IF} vhid 1 advskew ${word}`).host)?.advskew;
  t.deepEqual(['abc', '12abc', '-5', '254', '0'].map(skew), [0, 12, 100, 254, 0]);
  const base = (word: string): number | undefined =>
    vhidOf(run(after(carrying(14), `${IF} vhid 1 advbase 3`), `${IF} vhid 1 advbase ${word}`).host)
      ?.advbase;
  t.deepEqual(['abc', '-1', '0', '255'].map(base), [3, 3, 3, 255]);
});

test('advskew above 254 and advbase above 255 are refused by the kernel', (t) => {
  for (const words of ['advskew 255', 'advskew 1000', 'advbase 256']) {
    const line = `${IF} vhid 1 ${words}`;
    t.deepEqual(outcome(run(carrying(13), line)), refused('SIOCSVH: Invalid argument'));
    for (const release of [14, 15] as const) {
      const { code, stderr, host } = run(carrying(release), line);
      t.is(code, 1);
      t.regex(stderr, /^ifconfig: SIOCSVH: /);
      t.deepEqual(host, carrying(release), 'nothing was changed');
    }
  }
});

test('13.x keeps a good advbase although it refuses the advskew beside it, and makes the vhid', (t) => {
  const half = run(carrying(13), `${IF} vhid 1 advbase 5 advskew 255 state master`);
  const { advbase, advskew, state } = vhidOf(half.host) ?? {};
  t.deepEqual(
    { code: half.code, advbase, advskew, state },
    { code: 1, advbase: 5, advskew: 100, state: 'BACKUP' },
  );
  t.is(vhidOf(run(hostOf(13), `${IF} vhid 9 advskew 255`).host, 9)?.state, 'INIT');
  t.is(vhidOf(run(hostOf(14), `${IF} vhid 9 advskew 255`).host, 9), undefined);
});

test('a set of one value leaves the others, the password among them', (t) => {
  for (const release of RELEASES) {
    const before = carrying(release);
    const after = run(before, `${IF} vhid 1 advskew 254`).host;
    t.deepEqual(vhidOf(after)?.advskew, 254);
    t.deepEqual(after.keys, before.keys);
    t.deepEqual({ ...vhidOf(after), advskew: 100 }, { ...vhidOf(before) });
  }
});

test('an empty password is none: it cannot be taken away; 19 characters of it count', (t) => {
  t.deepEqual(ifconfig(carrying(14), [IF, 'vhid', '1', 'pass', ''], 0).host.keys, {
    [`1@${IF}`]: 'secret',
  });
  t.deepEqual(run(carrying(14), `${IF} vhid 1 pass abcdefghijklmnopqrstuvw`).host.keys, {
    [`1@${IF}`]: 'abcdefghijklmnopqrs',
  });
});

test('a shorter password on a live vhid leaves the end of the longer one, unseen, until 19 characters or a new vhid', (t) => {
  const id = `1@${IF}`;
  const longer = after(hostOf(13), `${IF} vhid 1 pass a-longer-password alias ${VIP4}/32`);
  const shorter = after(longer, `${IF} vhid 1 pass secret`);
  t.is(shorter.keys[id], 'secret\0r-password');
  t.true(ifconfig(shorter, ['-k', IF], 0).stdout.includes(' key "secret"\n'));
  const hashed = (host: Host) => advertDigest(host.keys[id] ?? '', 1, [VIP4], 1n);
  t.notDeepEqual(hashed(shorter), hashed(carrying(13)), 'the other host, booted since');
  t.deepEqual(
    hashed(after(shorter, `${IF} vhid 1 pass seventeen-letters`)),
    hashed(after(hostOf(13), `${IF} vhid 1 pass seventeen-letters alias ${VIP4}/32`)),
  );
  t.is(after(shorter, `${IF} vhid 1 pass nineteen-characters`).keys[id], 'nineteen-characters');
  const anew = after(shorter, `${IF} inet ${VIP4} -alias`, `${IF} vhid 1 pass secret ${VIP4}/32`);
  t.deepEqual(anew.keys, { [id]: 'secret' });
  const later = after(hostOf(14), `${IF} vhid 1 pass a-longer-password alias ${VIP4}/32`);
  t.deepEqual(after(later, `${IF} vhid 1 pass secret`).keys, { [id]: 'secret' });
});

test('a vhid that is not on the interface is made empty, with exit 0, and its state is ignored', (t) => {
  for (const release of RELEASES) {
    const made = run(carrying(release), `${IF} vhid 99 state master`);
    t.deepEqual(outcome(made), silent);
    t.deepEqual(vhidOf(made.host, 99)?.vips4, []);
    t.is(vhidOf(made.host, 99)?.state, 'INIT');
    const gone = after(
      made.host,
      `${IF} vhid 99 198.51.100.1/32`,
      `${IF} inet 198.51.100.1 -alias`,
    );
    t.is(vhidOf(gone, 99), undefined, 'an address that comes and goes takes it away');
  }
});

test('unicast peers: unknown on 13.x, forgotten by every set of 14.x, kept from 15.0 on', (t) => {
  const set = `${IF} vhid 1 peer 192.0.2.2 peer6 fe80::2`;
  t.deepEqual(outcome(run(carrying(13), set)), refused('peer: bad value'));
  const kept = (release: 14 | 15, line: string) => {
    const { peer, peer6 } = vhidOf(after(carrying(release), set, line)) ?? {};
    return [peer, peer6];
  };
  const group = ['224.0.0.18', 'ff02::12'];
  t.deepEqual(kept(14, `${IF} vhid 1 advskew 5`), group);
  t.deepEqual(kept(15, `${IF} vhid 1 advskew 5`), ['192.0.2.2', 'fe80::2']);
  t.deepEqual(kept(14, `${set} advskew 5`), ['192.0.2.2', 'fe80::2']);
  t.deepEqual(kept(15, `${IF} vhid 1 mcast mcast6`), group);
});

test('a peer that is no IPv4 address is 255.255.255.255; a peer6 that is none is refused', (t) => {
  t.is(vhidOf(run(carrying(15), `${IF} vhid 1 peer haproxy02`).host)?.peer, '255.255.255.255');
  t.deepEqual(
    outcome(run(carrying(15), `${IF} vhid 1 peer6 haproxy02`)),
    refused('Invalid IPv6 address haproxy02'),
  );
});

test('without carp.ko a set fails on 13.x and does nothing, with exit 0, from 14.0 on', (t) => {
  const line = `${IF} vhid 1 advskew 254 state master`;
  t.deepEqual(outcome(run(hostOf(13, false), line)), refused('SIOCGVH: Protocol not supported'));
  for (const release of [14, 15] as const) {
    const host = hostOf(release, false);
    t.deepEqual(outcome(run(host, line)), silent);
    t.deepEqual(run(host, line).host, host);
    t.is(run(host, `${IF} vhid 1 ${VIP4}/32`).code, 1, 'an address fails all the same');
  }
});

test('a change between GET and SET is undone by an innocent advskew', (t) => {
  for (const release of RELEASES) {
    const holder = after(carrying(release), `${IF} vhid 1 state master`);
    const advert = { interface: IF, vhid: 1, family: 4, advbase: 1, advskew: 0 } as const;
    const { host, effects } = ifconfig(holder, [IF, 'vhid', '1', 'advskew', '7'], 0, {
      during: (now) => {
        const { kernel, effects } = hear(now.kernel, { ...advert, authentic: true }, 0);
        return { host: { ...now, kernel }, effects };
      },
    });
    t.deepEqual(
      effects.flatMap((one) => (one.kind === 'state' ? [`${one.to}: ${one.reason}`] : [])),
      ['BACKUP: more frequent advertisement received', 'MASTER: user requested via ifconfig'],
    );
    t.is(vhidOf(host)?.state, 'MASTER');
  }
});

test('what else changed in between stays: a set writes only what it read of its vhid', (t) => {
  const { host } = ifconfig(carrying(14), [IF, 'vhid', '1', 'advskew', '7'], 0, {
    during: (now) => ({
      host: { ...now, kernel: setSysctl(now.kernel, 'demotion', 5, 0).kernel },
      effects: [],
    }),
  });
  t.is(host.kernel.demotion, 5);
  t.is(vhidOf(host)?.advskew, 7);
});

test('adding an alias to a MASTER drops it to BACKUP; so does adding the same one again', (t) => {
  const holder = after(carrying(14), `${IF} vhid 1 state master`);
  for (const address of ['192.0.2.201', VIP4]) {
    const { host } = run(holder, `${IF} inet vhid 1 alias ${address}/32`);
    t.is(vhidOf(host)?.state, 'BACKUP');
    t.deepEqual(vhidOf(host)?.vips4, [...new Set([VIP4, address])]);
  }
});

test('-alias takes an address away, the last one its vhid too; a strange one is refused', (t) => {
  const two = after(carrying(14), `${IF} vhid 1 192.0.2.201/32`);
  const one = run(two, `${IF} inet ${VIP4} -alias`);
  t.deepEqual([one.code, vhidOf(one.host)?.vips4], [0, ['192.0.2.201']]);
  t.deepEqual(run(one.host, `${IF} inet 192.0.2.201 -alias`).host.kernel.vhids, []);
  t.deepEqual(
    outcome(run(two, `${IF} inet 192.0.2.7 -alias`)),
    refused("ioctl (SIOCDIFADDR): Can't assign requested address"),
  );
});

test('down takes the interface’s vhids to INIT, up brings them back', (t) => {
  const down = run(carrying(14), `${IF} down`).host;
  t.is(vhidOf(down)?.state, 'INIT');
  t.is(down.kernel.demotion, 240);
  t.is(vhidOf(run(down, `${IF} up`).host)?.state, 'BACKUP');
});
