import test from 'ava';
import { standingPings } from '../../agent/witness/standing-ping.ts';
import type { StartLines } from '../../agent/sys/line-program.ts';
import { FakeClock } from '../fake-clock.ts';

const PEER = '10.1.60.202';

interface Started {
  readonly argv: string;
  readonly line: (text: string) => void;
  readonly ends: (error?: Error) => void;
  ended: boolean;
}

/** Pings that print what a test says, and a record of what they led to, with the time. */
function scene() {
  const clock = new FakeClock();
  const started: Started[] = [];
  const record: string[] = [];
  const note = (what: string) => (address: string) =>
    void record.push(`${clock.nowMs()} ${what} ${address}`);
  const start: StartLines = (file, args, onLine, onEnd) => {
    const one: Started = {
      argv: [file, ...args].join(' '),
      line: (text) => void (one.ended || onLine(text)),
      ends: (error) => void (one.ended || onEnd(error ?? null)),
      ended: false,
    };
    started.push(one);
    return { end: () => void (one.ended = true) };
  };
  const pings = standingPings({
    ping: '/sbin/ping',
    clock,
    start,
    onAsked: note('asked'),
    onReply: note('answered'),
    askOnce: note('once'),
  });
  const answer = (sequence: number, took = '0.4', address = PEER): void =>
    started.at(-1)?.line(`64 bytes from ${address}: icmp_seq=${sequence} ttl=64 time=${took} ms`);
  /** What happened since the last call. */
  const since = (): string[] => record.splice(0);
  return { clock, started, pings, answer, since };
}

test('one process asks an address once a second, and its answers are told as they come', async (t) => {
  const { clock, started, pings, answer, since } = scene();
  pings.follow([PEER]);
  answer(0);
  await clock.advance(1005);
  answer(1);
  await clock.advance(1005);
  answer(2);
  t.deepEqual(since(), [
    `0 asked ${PEER}`,
    `0 answered ${PEER}`,
    `1000 asked ${PEER}`,
    `1005 answered ${PEER}`,
    `2005 asked ${PEER}`,
    `2010 answered ${PEER}`,
  ]);
  t.deepEqual(
    started.map(({ argv }) => argv),
    [`/sbin/ping -n -i 1 -c 60 ${PEER}`],
  );
});

test('a probe that nothing is printed of is asked all the same, once a second', async (t) => {
  const { clock, pings, answer, since } = scene();
  pings.follow([PEER]);
  answer(0);
  await clock.advance(4000);
  t.deepEqual(since(), [
    `0 asked ${PEER}`,
    `0 answered ${PEER}`,
    `1000 asked ${PEER}`,
    `2000 asked ${PEER}`,
    `3000 asked ${PEER}`,
    `4000 asked ${PEER}`,
  ]);
});

test('one that falls silent is replaced after two probes, then less often, and soon again after an answer', async (t) => {
  const { clock, started, pings, answer } = scene();
  pings.follow([PEER]);
  answer(0);
  const counts: number[] = [];
  for (let second = 1; second <= 20; second++) {
    await clock.advance(1000);
    counts.push(started.length);
  }
  t.deepEqual(counts, [1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]);
  t.deepEqual(
    started.map(({ ended }) => ended),
    [true, true, true, false],
  );
  answer(0);
  await clock.advance(2000);
  t.is(started.length, 5);
});

test('one that ends is started again for the next probe', async (t) => {
  const { clock, started, pings, answer, since } = scene();
  pings.follow([PEER]);
  answer(0);
  started[0]?.ends();
  await clock.advance(1000);
  t.is(started.length, 2);
  answer(0);
  t.deepEqual(since(), [
    `0 asked ${PEER}`,
    `0 answered ${PEER}`,
    `1000 asked ${PEER}`,
    `1000 answered ${PEER}`,
  ]);
});

test('where no descriptor is left it is asked by one that has a reserve', (t) => {
  const { started, pings, since } = scene();
  pings.follow([PEER]);
  started[0]?.ends(Object.assign(new Error('spawn EMFILE'), { code: 'EMFILE' }));
  t.deepEqual(since(), [`0 asked ${PEER}`, `0 once ${PEER}`]);
});

test('no answer: of another address, of before, a second one, one that took a second', async (t) => {
  const { clock, pings, answer, since } = scene();
  pings.follow([PEER]);
  answer(5);
  since();
  answer(5);
  answer(4);
  answer(6, '0.4', '10.1.60.20');
  answer(7, '1000');
  t.deepEqual(since(), []);
  await clock.advance(1);
  answer(8);
  t.deepEqual(since(), [`1 answered ${PEER}`]);
});

test('what was printed while this process stood still says nothing of now', async (t) => {
  const { clock, pings, answer, since } = scene();
  pings.follow([PEER]);
  answer(0);
  since();
  clock.freeze(5000);
  answer(1);
  t.deepEqual(since(), []);
  await clock.advance(1);
  since();
  answer(6);
  t.deepEqual(since(), [`5001 answered ${PEER}`]);
});

test('one that floods is ended, and started again only when the next probe is due', async (t) => {
  const { clock, started, pings, since } = scene();
  pings.follow([PEER]);
  for (let line = 0; line < 100; line++) started[0]?.line('y');
  t.is(started[0]?.ended, true);
  t.is(started.length, 1);
  await clock.advance(1000);
  t.is(started.length, 2);
  t.deepEqual(since(), [`0 asked ${PEER}`, `1000 asked ${PEER}`]);
});

test('an address that is no longer followed has none, and in the end nobody has', (t) => {
  const { started, pings, clock } = scene();
  const ended = (): boolean[] => started.map((one) => one.ended);
  pings.follow([PEER, '10.1.60.203']);
  pings.follow([PEER, '10.1.60.204']);
  t.deepEqual(ended(), [false, true, false]);
  pings.close();
  t.deepEqual(ended(), [true, true, true]);
  t.deepEqual(clock.sleeping(), []);
});
