import test from 'ava';
import type { EventKind, PairEvent } from '../../agent/core/events/events.ts';
import {
  batches,
  isFor,
  opened,
  tellerOf,
  type NotifyFilter,
  type Open,
} from '../../agent/core/notify/notify.ts';

const FILTER: NotifyFilter = {
  name: 'mail',
  severity: 'warn',
  alerts: [],
  kinds: ['alert', 'moved'],
};
let number = 0;
const event = (kind: EventKind, more: Partial<PairEvent> = {}): PairEvent => ({
  id: `e${++number}`,
  time: '2027-01-15T08:00:00.000Z',
  node: 'haproxy01',
  kind,
  severity: 'info',
  subject: '1@wan',
  text: 'text',
  ...more,
});
const raised = (
  node: string,
  alert = 'split-brain',
  severity: 'warn' | 'fail' = 'fail',
): PairEvent => event('alert-raised', { node, alert, severity });
const cleared = (node: string, alert = 'split-brain', from = 'fail'): PairEvent =>
  event('alert-cleared', { node, alert, from });
const NONE: Open = new Map();

/** What is told, message by message. */
const told = (open: Open, events: readonly PairEvent[], filter = FILTER): string[][] =>
  batches(filter, open, events).map((batch) =>
    batch.told.map(
      ({ event: { kind, alert, node }, brief }) =>
        `${kind} ${alert ?? ''} ${node}${brief ? ' brief' : ''}`,
    ),
  );
const after = (events: readonly PairEvent[], filter = FILTER): Open =>
  events.reduce((open, one) => opened(filter, open, one), NONE);

test('an alert that both nodes raise is told once, and its end when it is over on both', (t) => {
  const rise = [raised('haproxy01'), raised('haproxy02')];
  t.deepEqual(told(NONE, rise), [['alert-raised split-brain haproxy01']]);
  const open = after(rise);
  t.deepEqual(told(open, [cleared('haproxy02')]), [[]]);
  t.deepEqual(told(after([...rise, cleared('haproxy02')]), [cleared('haproxy01')]), [
    ['alert-cleared split-brain haproxy01'],
  ]);
  t.deepEqual(after([...rise, cleared('haproxy02'), cleared('haproxy01')]), NONE);
});

test('HAProxy dead on both hosts is two troubles, a certificate that ends on both is one', (t) => {
  const down = ['haproxy01', 'haproxy02'].map((node) => raised(node, 'haproxy-down'));
  t.is(told(NONE, down).length, 2);
  const ends = ['haproxy01', 'haproxy02'].map((node) => ({
    ...raised(node, 'problem'),
    subject: 'certificate-expiry site',
  }));
  t.deepEqual(told(NONE, ends), [['alert-raised problem haproxy01']]);
});

test('raised and over before it was told: one message says both', (t) => {
  t.deepEqual(told(NONE, [raised('haproxy01'), cleared('haproxy01')]), [
    ['alert-cleared split-brain haproxy01 brief'],
  ]);
  t.deepEqual(batches(FILTER, NONE, [raised('a'), cleared('a')])[0]?.ids.length, 2);
});

test('an end is told also where nothing is known of its beginning', (t) => {
  t.deepEqual(told(NONE, [cleared('haproxy01')]), [['alert-cleared split-brain haproxy01']]);
});

test('by severity, by id and by kind; the end of what was told is told', (t) => {
  const grave = { ...FILTER, severity: 'fail' as const };
  const mild = event('alert-changed', { alert: 'partly', severity: 'warn', from: 'fail' });
  t.deepEqual(
    [
      isFor(grave, raised('a', 'drift', 'warn')),
      isFor(grave, raised('a', 'drift', 'fail')),
      isFor(grave, mild),
      isFor({ ...FILTER, alerts: ['drift'] }, raised('a', 'drift')),
      isFor({ ...FILTER, alerts: ['drift'] }, raised('a')),
      isFor(grave, event('moved')),
      isFor(grave, event('drain')),
      isFor({ ...FILTER, kinds: ['drain'] }, event('drain')),
    ],
    [false, true, true, true, false, true, false, true],
  );
  const open = after([raised('haproxy01', 'partly'), { ...mild, id: 'x' }], grave);
  t.deepEqual(told(open, [cleared('haproxy01', 'partly', 'warn')], grave), [
    ['alert-cleared partly haproxy01'],
  ]);
  t.deepEqual(told(NONE, [cleared('haproxy01', 'partly', 'warn')], grave), [[]]);
});

test('up to three have messages of their own; a storm is one message with a list', (t) => {
  const moves = (count: number): PairEvent[] => Array.from({ length: count }, () => event('moved'));
  t.deepEqual(
    told(NONE, moves(3)).map((one) => one.length),
    [1, 1, 1],
  );
  t.deepEqual(
    told(NONE, moves(4)).map((one) => one.length),
    [4],
  );
  t.deepEqual(
    told(NONE, moves(120)).map((one) => one.length),
    [50, 50, 20],
  );
});

test('every event is settled by some message, also what is not for the target', (t) => {
  const events = [
    event('drain'),
    raised('a'),
    raised('b'),
    event('moved'),
    cleared('c', 'x', 'info'),
  ];
  const ids = batches(FILTER, NONE, events).flatMap((one) => one.ids);
  t.deepEqual([...ids].sort(), events.map(({ id }) => id).sort());
  t.deepEqual(batches(FILTER, NONE, []), []);
});

test('the first by name that has the target and can tells it', (t) => {
  const has = (node: string, failing = false) => ({ node, targets: [{ name: 'mail', failing }] });
  t.is(tellerOf('mail', [has('b'), has('a')]), 'a');
  t.is(tellerOf('mail', [has('b'), has('a', true)]), 'b');
  t.is(tellerOf('mail', [has('b', true), has('a', true)]), 'a');
  t.is(tellerOf('mail', [{ node: 'a', targets: [] }, has('b')]), 'b');
  t.is(tellerOf('mail', []), null);
});
