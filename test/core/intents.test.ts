import test from 'ava';
import fc from 'fast-check';
import {
  compareStamps,
  digestText,
  inForce,
  mergeIntents,
  nextStamp,
  parseServerKey,
  serverKey,
  STAMP_AHEAD_LIMIT_MS,
} from '../../agent/core/intents.ts';
import type { Intent, Stamp } from '../../agent/core/model.ts';
import { intent, wishes } from './builders.ts';
import { NOW } from '../reports.ts';

const stamps = fc.record({
  wallMs: fc.integer({ min: NOW - 5, max: NOW + 5 }),
  count: fc.integer({ min: 0, max: 2 }),
  node: fc.constantFrom('haproxy01', 'haproxy02', 'haproxy03'),
});
// One writer stamps once: equal stamps mean equal intents.
const intents: fc.Arbitrary<Intent> = fc
  .record({ key: fc.constantFrom('pin/1@wan', 'pause', 'server//WEB/web1'), stamp: stamps })
  .map(({ key, stamp }) => intent(key, JSON.stringify(stamp), { stamp }));

test('merging is commutative and idempotent, and the newest stamp of a key always stays', (t) => {
  fc.assert(
    fc.property(fc.array(intents), fc.array(intents), (left, right) => {
      const empty = new Map();
      const a = mergeIntents(mergeIntents(empty, left, NOW).intents, right, NOW).intents;
      const b = mergeIntents(mergeIntents(empty, right, NOW).intents, left, NOW).intents;
      const again = mergeIntents(a, [...left, ...right], NOW);
      return (
        digestText(a) === digestText(b) &&
        again.taken.length === 0 &&
        digestText(again.intents) === digestText(a) &&
        [...left, ...right].every(({ key, stamp }) => {
          const kept = a.get(key);
          return kept !== undefined && compareStamps(kept.stamp, stamp) >= 0;
        })
      );
    }),
  );
  t.pass();
});

test('a new stamp is later than every stamp seen, even when the wall clock stepped back', (t) => {
  fc.assert(
    fc.property(stamps, fc.integer({ min: NOW - 1000, max: NOW + 1000 }), (last, wallMs) => {
      const next: Stamp = nextStamp(last, wallMs, 'haproxy01');
      return compareStamps(next, last) > 0 && next.wallMs >= wallMs;
    }),
  );
  t.pass();
});

test('an older intent is refused and the newer stored one is handed back', (t) => {
  const stored = intent('pin/1@wan', 'haproxy02', {
    stamp: { wallMs: NOW, count: 1, node: 'haproxy01' },
  });
  const older = intent('pin/1@wan', 'haproxy01', {
    stamp: { wallMs: NOW, count: 0, node: 'haproxy02' },
  });
  t.deepEqual(mergeIntents(wishes(stored), [older], NOW), {
    intents: wishes(stored),
    taken: [],
    newer: [stored],
    refused: [],
  });
});

test('an intent stamped more than a day ahead is refused and replaces nothing', (t) => {
  const stored = intent('pause', 'on');
  const ahead = intent('pause', '', {
    deleted: true,
    stamp: { wallMs: NOW + STAMP_AHEAD_LIMIT_MS + 1, count: 0, node: 'haproxy02' },
  });
  t.deepEqual(mergeIntents(wishes(stored), [ahead], NOW), {
    intents: wishes(stored),
    taken: [],
    newer: [],
    refused: [ahead],
  });
});

test('an intent is in force until its end, and a tombstone never is', (t) => {
  const until = intent('pause', 'on', { untilWallMs: NOW });
  t.deepEqual(
    [
      inForce(until, NOW - 1),
      inForce(until, NOW),
      inForce(intent('pause', '', { deleted: true }), NOW),
    ],
    [true, false, false],
  );
});

test('server keys carry instance, backend and server, and other keys are none', (t) => {
  const target = { instance: '', backend: 'WEB', server: 'web1' };
  t.deepEqual(parseServerKey(serverKey('', 'WEB', 'web1')), target);
  t.deepEqual(
    ['pin/1@wan', 'server//WEB', 'server//WEB/a/b', ''].map((key) => parseServerKey(key)),
    [null, null, null, null],
  );
});
