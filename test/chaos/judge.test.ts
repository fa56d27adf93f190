import test from 'ava';
import { judge, outagesOf } from './judge.ts';
import type { Attempt, Seen } from './words.ts';

const attempt = (atMs: number, to: string, by: string | null, more: Partial<Attempt> = {}) => ({
  atMs,
  to,
  by,
  tookMs: 1,
  why: by === null ? 'timeout' : '',
  lateMs: 0,
  ...more,
});

/** An attempt each 100 ms of 20 s; `dark`: when the address does not answer. */
const attempts = (to: string, by: string, dark: (atMs: number) => boolean): Attempt[] =>
  Array.from({ length: 200 }, (_, at) => attempt(at * 100, to, dark(at * 100) ? null : by));

const seen = (more: Partial<Seen>): Seen => ({
  nodes: ['one', 'two'],
  fromMs: 0,
  toMs: 20_000,
  attempts: [],
  sessions: [],
  held: [{ atMs: 0, masters: ['one'] }],
  broken: [],
  paused: [],
  ...more,
});

const between = (fromMs: number, toMs: number) => (atMs: number) => atMs >= fromMs && atMs < toMs;
const never = (): boolean => false;
const inTrouble = (dark: (atMs: number) => boolean): Attempt[] => [
  ...attempts('vip4', 'one', dark),
  ...attempts('two', 'two', never),
];

test('an outage is from the first request that failed to the first that was answered again', (t) => {
  const all = [
    attempt(0, 'vip4', 'one'),
    attempt(100, 'vip4', null),
    attempt(200, 'vip4', null),
    attempt(300, 'vip4', 'two'),
    attempt(350, 'vip6', null),
    attempt(400, 'vip4', null),
  ];
  t.deepEqual(outagesOf(all, 'vip4', 500), [
    { to: 'vip4', fromMs: 100, toMs: 300 },
    { to: 'vip4', fromMs: 400, toMs: 500 },
  ]);
});

test('an address that is dark for long while a host could serve is a problem', (t) => {
  const { problems } = judge(seen({ attempts: inTrouble(between(5000, 13_000)) }), 0);
  t.deepEqual(problems, [
    'vip4 was dark for 8000 ms while two answered its own address all the time; at most 6000 ms with no fault',
  ]);
});

test('what a move takes is no problem, nor what nobody could serve', (t) => {
  const short = judge(seen({ attempts: inTrouble(between(5000, 9000)) }), 0);
  const dead = between(5000, 13_000);
  const nobody = [...attempts('vip4', 'one', dead), ...attempts('two', 'two', dead)];
  t.deepEqual(short.problems, []);
  t.deepEqual(judge(seen({ attempts: nobody }), 0).problems, []);
});

test('while an operator has stopped all moves an address may stay dark', (t) => {
  const paused = [{ fromMs: 1000, toMs: Infinity }];
  const { problems } = judge(seen({ attempts: inTrouble(between(5000, 13_000)), paused }), 0);
  t.deepEqual(problems, []);
});

test('a machine that had no time for the client says nothing about time', (t) => {
  const late = [...inTrouble(between(5000, 13_000)), attempt(6000, 'two', 'two', { lateMs: 1500 })];
  const { problems, starved, lateMs } = judge(seen({ attempts: late }), 20);
  t.deepEqual({ problems, starved, lateMs }, { problems: [], starved: true, lateMs: 1500 });
});

test('two MASTERs are a problem where nothing is between them for longer than a move takes', (t) => {
  const held = [
    { atMs: 0, masters: ['one'] },
    { atMs: 2000, masters: ['one', 'two'] },
    { atMs: 9000, masters: ['one'] },
  ];
  const cut = [{ name: 'cut', node: 'one', fromMs: 1000, toMs: 7000 }];
  t.deepEqual(judge(seen({ held }), 0).problems, [
    'one and two were MASTER for 7000 ms with nothing between them',
  ]);
  t.deepEqual(judge(seen({ held, broken: cut }), 0).problems, []);
});
