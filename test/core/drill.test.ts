import test from 'ava';
import {
  drillKey,
  drillOf,
  drillValue,
  lastDrills,
  type DrillRecord,
} from '../../agent/core/drill.ts';
import { LONGEST_VALUE } from '../../agent/core/intent-limits.ts';
import { wishEvents } from '../../agent/core/events/event-wishes.ts';
import { intent } from './builders.ts';

const RECORD: DrillRecord = {
  kind: 'failover',
  state: 'passed',
  node: 'haproxy01',
  by: 'haproxy02',
  means: null,
  startedWallMs: 1000,
  endedWallMs: 4000,
  deadlineWallMs: 62_000,
  maxOutageMs: 500,
  darkMs: 41.4,
  sent: 240,
  lost: 2,
  why: '',
  homes: { haproxy01: ['1@wan'], haproxy02: ['2@wan', '3@wan'] },
};
const decided = (record: object, more = {}) =>
  intent(drillKey('failover'), JSON.stringify(record), {
    actor: 'anna',
    reason: 'monthly',
    requestId: 'r',
    ...more,
  });

test('a drill is read as it was stored, with who asked for it', (t) => {
  const asked = { actor: 'anna', reason: 'monthly', requestId: 'r' };
  t.deepEqual(drillOf(decided(RECORD)), { ...RECORD, ...asked });
});

test('what is no drill is none: another key, taken back, cut short, of other words or types', (t) => {
  const wrong = [
    intent('pin/1@wan', drillValue(RECORD)),
    decided(RECORD, { deleted: true }),
    intent(drillKey('failover'), drillValue(RECORD).slice(0, -9)),
    decided({ ...RECORD, state: 'perhaps' }),
    decided({ ...RECORD, means: 'axe' }),
    decided({ ...RECORD, darkMs: '9' }),
    decided({ ...RECORD, homes: { haproxy01: '1@wan' } }),
    decided({ ...RECORD, node: undefined }),
    intent(drillKey('failover'), 'null'),
  ];
  t.deepEqual(
    wrong.map((one) => drillOf(one)),
    wrong.map(() => null),
  );
});

test('one that runs after its time is interrupted', (t) => {
  const running = decided({ ...RECORD, state: 'running', endedWallMs: null });
  const states = [62_000, 62_001].map((wallMs) => lastDrills([running], wallMs)[0]?.state);
  t.deepEqual(states, ['running', 'interrupted']);
});

test('the longest fits a decision: 64 addresses of two nodes, and a reason', (t) => {
  const names = Array.from({ length: 64 }, (_, at) => `${at + 1}@vtnet0.${100 + at}`);
  const homes = { haproxy01: names.slice(0, 32), haproxy02: names.slice(32) };
  t.true(drillValue({ ...RECORD, homes, why: 'w'.repeat(200) }).length < LONGEST_VALUE);
});

test('each stage of it is an event of its own, with how long clients waited', (t) => {
  const said = [
    RECORD,
    { ...RECORD, state: 'running', darkMs: null },
    { ...RECORD, state: 'failed', why: 'clients have waited 600 ms' },
  ].flatMap((one) => wishEvents([decided(one)]));
  t.deepEqual(
    said.map(({ kind, severity, subject, text }) => [kind, severity, subject, text]),
    [
      [
        'drill-passed',
        'info',
        'haproxy01',
        'drill failover passed on haproxy01, clients waited 41 ms at most (bound 500 ms), by anna: monthly',
      ],
      ['drill-begun', 'info', 'haproxy01', 'drill failover begun on haproxy01, by anna: monthly'],
      [
        'drill-failed',
        'warn',
        'haproxy01',
        'drill failover failed on haproxy01, clients waited 41 ms at most: clients have waited 600 ms, by anna: monthly',
      ],
    ],
  );
});
