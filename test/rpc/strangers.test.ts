import test from 'ava';
import { arrivals } from '../../agent/rpc/arrivals.ts';
import { framing } from '../../agent/rpc/framing.ts';
import { bounded } from '../../agent/rpc/quiet.ts';
import { SHARES, sourceOf, whoGoes, type Party } from '../../agent/rpc/shares.ts';
import { strangers } from '../../agent/rpc/strangers.ts';
import { FakeClock } from '../fake-clock.ts';

const events = () => {
  const said: string[] = [];
  return {
    said,
    refused: ({ source, cause, count }: { source: string; cause: string; count: number }) =>
      void said.push(`${count} ${source} ${cause}`),
    summary: (text: string) => void said.push(text),
    keptOut: (cause: string | null) => void said.push(`kept out: ${cause}`),
  };
};

test('whoever comes how often is one line a minute, and so many sources are told apart', async (t) => {
  const clock = new FakeClock();
  const told = events();
  const counted = strangers(clock, told);
  counted.count('10.0.0.1', 'left');
  counted.count('10.0.0.1', 'left');
  await clock.advance(1000);
  const first = told.said.splice(0);
  for (let i = 0; i < 1000; i++) counted.count(`10.0.${i >> 8}.${i & 255}`, 'left');
  await clock.advance(59_000);
  t.deepEqual(
    [first, told.said],
    [
      [
        '2 connections were closed before it was known whose they are, from 10.0.0.1 (left)',
        '2 10.0.0.1 left',
      ],
      [],
    ],
  );
  await clock.advance(1000);
  t.is(
    told.said[0],
    '1000 connections were closed before it was known whose they are, 744 from other addresses (left)',
  );
  t.is(told.said.length, 33);
});

test('that somebody was kept out is said once, and once that it is over', async (t) => {
  const clock = new FakeClock();
  const told = events();
  const counted = strangers(clock, told);
  for (let i = 0; i < 20; i++) {
    counted.keptOut(`anna ${i}`);
    await clock.advance(5000);
  }
  await clock.advance(60_000);
  t.deepEqual(told.said, ['kept out: anna 0', 'kept out: null']);
});

test('a caller that is refused again and again has ten lines a minute', async (t) => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const notices = bounded(
    { refused: (who, _method, why) => void lines.push(`${who} ${why}`), failed: () => undefined },
    clock,
  );
  for (let port = 1; port <= 50; port++) notices.refused(`10.0.0.1:${port}`, 'move', 'no');
  notices.refused('10.0.0.2:1', 'move', 'no');
  t.is(lines.length, 11);
  await clock.advance(60_000);
  t.is(lines.at(-1), 'several callers 40 more refusals in a minute were not written one by one');
});

test('of IPv6 a /64 is one source', (t) => {
  t.deepEqual(
    [
      '::ffff:10.0.0.1',
      '10.0.0.1',
      '2001:db8:0:1::5',
      '2001:0db8::1:9:9:9:9',
      'fe80::1%em0',
      '::1',
    ].map(sourceOf),
    [
      '10.0.0.1',
      '10.0.0.1',
      '2001:db8:0:1::/64',
      '2001:db8:0:1::/64',
      'fe80:0:0:0::/64',
      '0:0:0:0::/64',
    ],
  );
});

test('a newcomer takes the place of the oldest of the busiest, never of a peer', (t) => {
  const one = (at: number, source: string, party: Party | null, idle = true) => ({
    at,
    source,
    party,
    gone: () => false,
    idle: () => idle,
  });
  const shares = {
    ...SHARES,
    stranger: { total: 4, each: 3 },
    operator: { total: 3, each: 2 },
    peer: { total: Number.POSITIVE_INFINITY, each: 2 },
  };
  const peer: Party = { kind: 'peer', name: 'node haproxy02' };
  const [anna, bob, eve]: Party[] = ['anna', 'bob', 'eve'].map((name) => ({
    kind: 'operator',
    name,
  }));
  const goes = (
    sitting: ReturnType<typeof one>[],
    source: string,
    party: Party | null,
    known: string[] = [],
  ) => {
    const chosen = whoGoes(sitting, { source, party }, shares, new Set(known));
    return typeof chosen === 'string' ? chosen : chosen.at;
  };
  const crowd = [one(1, 'b', null), one(2, 'a', null), one(3, 'a', null), one(4, 'p', peer)];
  const full = [...crowd, one(5, 'c', null)];
  const eves = [one(1, 'x', eve ?? null, false), one(2, 'x', eve ?? null, false)];
  t.deepEqual(
    {
      room: goes(crowd, 'c', null),
      full: goes(full, 'd', null),
      'of known sources last': goes(full, 'd', null, ['a']),
      'its own share': goes([...crowd, one(5, 'a', null)], 'a', null),
      peer: goes(full, 'p', peer),
      'a peer again and again': goes([...full, one(6, 'p', peer)], 'p', peer),
      'all in use': goes(eves, 'x', eve ?? null),
      'another operator': goes([...eves, one(3, 'y', bob ?? null, false)], 'z', anna ?? null),
    },
    {
      room: 'nobody',
      full: 2,
      'of known sources last': 1,
      'its own share': 2,
      peer: 'nobody',
      'a peer again and again': 4,
      'all in use': 'newcomer',
      'another operator': 1,
    },
  );
});

test('handshakes that come to nothing are bounded a second, for one source and for all unknown ones', (t) => {
  const clock = new FakeClock();
  const rate = arrivals(clock, ['10.0.0.9']);
  const taken = (source: string, count: number) =>
    Array.from({ length: count }, () => rate.take(source)).filter(Boolean).length;
  const first = [taken('a', 300), taken('b', 300), taken('c', 300), taken('d', 300)];
  const [none, peer] = [taken('e', 1), taken('10.0.0.9', 1)];
  clock.freeze(1000);
  const later = [taken('a', 300), taken('e', 300)];
  // An operator's calls, one connection each, are no attack.
  const calls = Array.from({ length: 1000 }, () => {
    const begun = rate.take('10.0.0.9');
    rate.giveBack('10.0.0.9');
    return begun;
  });
  t.deepEqual(
    [first, none, peer, later, calls.every(Boolean)],
    [[200, 200, 200, 200], 0, 1, [50, 150], true],
  );
});

test('messages are followed however their bytes are cut', (t) => {
  const bytes = Buffer.from('0000000003010203000000000000000001ff07', 'hex');
  const whole = framing();
  whole.take(bytes);
  const cut = framing();
  for (const byte of bytes) cut.take(Uint8Array.of(byte));
  t.deepEqual([whole.whole, whole.pending, cut.whole, cut.pending], [2, 0x1ff, 2, 0x1ff]);
});
