import test from 'ava';
import { virtualMac } from './arp.ts';
import { adverts, BEFORE, onOld, seen } from '../core/decide/arriving.ts';
import { fixture } from '../fixture.ts';
import { seenIn, type Seen } from './seen/trace.ts';
import { master, VIP6 } from './scene.ts';
import { wrongPortMs, type Passing, type Taking } from './switch.ts';

// FreeBSD 12.1, preempt=1, both families, no agent: the old MASTER's last IPv6 advert may leave after
// the first ones of the new MASTER, and a client was not answered for 1.04 to 1.44 s.

const MAC = virtualMac(1);
const RECORDED = seenIn(fixture('freebsd-12.1/traces/sniff-12.1-preempt-dualstack.txt'));
const LIMIT_MS = 100;

const hostOf = (frame: Seen): string => {
  const from = frame.kind === 'arp' ? frame.mac : frame.from;
  return from.endsWith('1') ? 'fb1' : 'fb2';
};
const macOf = ({ words }: Seen): string => / mac=(\S+)/.exec(words)?.[1] ?? '';
const passing = (frames: readonly Seen[]): Passing[] =>
  frames.map((frame) => ({ atMs: frame.atMs, port: hostOf(frame), mac: macOf(frame) }));

/** A host became MASTER with the first of the adverts that go before its gratuitous ARP. */
const TAKINGS: readonly Taking[] = RECORDED.filter(
  ({ kind, words }) => kind === 'arp' && words.startsWith('op=1 '),
).map((announcement) => {
  const port = hostOf(announcement);
  const first = RECORDED.find(
    (one) =>
      one.kind === 'advert' && hostOf(one) === port && one.atMs > announcement.atMs - LIMIT_MS,
  );
  return { atMs: first?.atMs ?? announcement.atMs, port };
});

/** Adverts of the old MASTER behind the first of the new one, of each taking; moved by `lateMs`. */
const late = (frames: readonly Passing[], lateMs: number): Passing[] =>
  frames.map((frame) => {
    const taking = TAKINGS.findLast(({ atMs }) => atMs <= frame.atMs);
    const isLate = frame.mac === MAC && taking !== undefined && taking.port !== frame.port;
    return isLate ? { ...frame, atMs: frame.atMs + lateMs } : frame;
  });

/** What a taker's agent adds once it hears, `heardMs` after the taking, that the old one is BACKUP. */
const added = (heardMs: number): Passing[] => {
  const sent = adverts([
    [0, BEFORE],
    [1, seen('MASTER', onOld('MASTER'))],
    [heardMs, seen('MASTER', onOld('BACKUP'))],
  ]);
  return TAKINGS.flatMap(({ atMs, port }) =>
    sent.map((afterMs) => ({ atMs: atMs + afterMs, port, mac: MAC })),
  );
};

const long = (times: readonly number[]): number[] =>
  times.filter((ms) => ms >= LIMIT_MS).map(Math.round);

test('a switch learns from every frame: the last one decides, and frames of other MACs say nothing', (t) => {
  const frames = [
    { atMs: 0, port: 'fb1', mac: MAC },
    { atMs: 10, port: 'fb2', mac: MAC },
    { atMs: 12, port: 'fb1', mac: MAC },
    { atMs: 20, port: 'fb2', mac: '52:54:00:fb:01:02' },
    { atMs: 50, port: 'fb2', mac: MAC },
    { atMs: 90, port: 'fb1', mac: MAC },
    { atMs: 99, port: 'fb1', mac: MAC },
  ];
  const takings = [
    { atMs: 8, port: 'fb2' },
    { atMs: 90, port: 'fb1' },
  ];
  t.deepEqual(wrongPortMs(MAC, frames, takings), [40, 0]);
  t.deepEqual(wrongPortMs(MAC, frames.slice(0, 3), takings.slice(0, 1)), [2]);
});

test('as recorded: five of the preemptions leave the switch with the old port until the next advert', (t) => {
  const wrong = wrongPortMs(MAC, passing(RECORDED), TAKINGS);
  t.is(wrong.length, 16);
  t.deepEqual(long(wrong), [1441, 1424, 1044, 1414, 1414]);
});

test('demotion=0 makes a MASTER advertise in both families now: the frames that are added', (t) => {
  const scene = master({ advskew: 100, v6: [VIP6] });
  t.deepEqual(scene.sysctl('demotion', 0), ['advert 1@vtnet0 1/100 on IPv4 IPv6']);
});

for (const heardMs of [3, 20, 80])
  test(`the taker advertises when the old MASTER says BACKUP, after ${heardMs} ms: no preemption is dark for long`, (t) => {
    const wrong = wrongPortMs(MAC, [...passing(RECORDED), ...added(heardMs)], TAKINGS);
    t.deepEqual(long(wrong), []);
  });

test('a last advert that leaves even after that is mended by the one 100 ms later', (t) => {
  const frames = late(passing(RECORDED), 40);
  t.deepEqual(long(wrongPortMs(MAC, frames, TAKINGS)), [1401, 1384, 1004, 1374, 1374]);
  const mended = wrongPortMs(MAC, [...frames, ...added(20)], TAKINGS);
  t.deepEqual(long(mended), []);
  t.true(Math.max(...mended) > 70, 'the first of the two came too early');
});
