import test from 'ava';
import { unexplained } from './unexplained.ts';
import type { Seen } from './words.ts';

const failedAt = (...times: readonly number[]) =>
  times.map((atMs) => ({ atMs, to: 'vip4', by: null, tookMs: 1, why: 'ECONNRESET', lateMs: 0 }));

const seen = (more: Partial<Seen>): Seen => ({
  nodes: ['one', 'two'],
  fromMs: 0,
  toMs: 60_000,
  attempts: failedAt(20_000, 20_100, 20_200),
  sessions: [{ atMs: 18_000, tookMs: 2000, whole: false }],
  held: [{ atMs: 0, masters: ['one'] }],
  broken: [],
  paused: [],
  ...more,
});

test('what fails while nothing happens that clients feel is a problem', (t) => {
  const broken = [{ name: 'kill-agent', node: 'one', fromMs: 19_000, toMs: 30_000 }];
  t.deepEqual(unexplained(seen({ broken })), [
    '3 requests failed though the address stayed and nothing was broken that clients feel; the first to vip4, ECONNRESET, at 00:00:20.000',
    'a long session of 00:00:18.000 was cut though the address stayed and nothing was broken that clients feel',
  ]);
});

test('a move explains what fails, and so does what clients feel, for some seconds', (t) => {
  const held = [
    { atMs: 0, masters: ['one'] },
    { atMs: 19_000, masters: ['two'] },
  ];
  const broken = [{ name: 'kill-haproxy', node: 'one', fromMs: 10_000, toMs: 16_000 }];
  t.deepEqual(unexplained(seen({ held })), []);
  t.deepEqual(unexplained(seen({ broken })), []);
});
