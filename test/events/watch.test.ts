import test from 'ava';
import type { Alert } from '../../agent/core/answers.ts';
import type { Standing } from '../../agent/core/events/event-changes.ts';
import type { Happening } from '../../agent/core/events/events.ts';
import { serverKey } from '../../agent/core/intents.ts';
import { watchEvents, type Look } from '../../agent/events/watch.ts';
import { heard, intent } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

const look = (change: Partial<Look> = {}): Look => ({
  report: report('haproxy01'),
  peers: [heard(report('haproxy02'))],
  alerts: [],
  moves: [],
  intents: new Map(),
  ...change,
});
const alertOf = (id: string): Alert => ({
  id,
  node: 'haproxy01',
  subject: 'haproxy',
  severity: 'warn',
  text: id,
  remedy: '',
  sinceMs: null,
});
const stood = (id: string): Standing => ({
  id,
  subject: 'haproxy',
  severity: 'warn',
  text: id,
  remedy: '',
  sinceWallMs: 1_799_999_990_000,
});

function watched(standing: readonly Standing[] = []) {
  const clock = new FakeClock();
  const added: Happening[] = [];
  const kept: (readonly Standing[])[] = [];
  const watch = watchEvents({
    node: 'haproxy01',
    clock,
    record: { add: (some) => void added.push(...some) },
    standing,
    moves: [],
    keep: (all) => void kept.push(all),
  });
  return {
    clock,
    watch,
    kept,
    told: () => added.splice(0).map(({ kind, alert }) => `${kind} ${alert ?? ''}`),
  };
}

test('before it has met its peers an agent raises and clears nothing', async (t) => {
  const { clock, watch, told, kept } = watched([stood('drift')]);
  const starting = look({
    report: report('haproxy01', { joined: false }),
    alerts: [alertOf('haproxy-down')],
  });
  watch.look(starting);
  await clock.advance(4999);
  watch.look(starting);
  t.deepEqual([told(), kept], [[], []]);
  await clock.advance(1);
  watch.look(starting);
  await clock.advance(1000);
  watch.look(starting);
  t.deepEqual(told(), ['peer-heard ', 'alert-raised haproxy-down', 'alert-cleared drift']);
  t.deepEqual(
    kept.map((all) => all.map(({ id }) => id)),
    [['haproxy-down']],
  );
});

test('an alert that stood before the start is not raised again, and its end is told', async (t) => {
  const { clock, watch, told } = watched([stood('haproxy-down')]);
  watch.look(look({ alerts: [alertOf('haproxy-down')] }));
  t.deepEqual(told(), ['peer-heard ']);
  watch.look(look());
  await clock.advance(1000);
  watch.look(look());
  t.deepEqual(told(), ['alert-cleared haproxy-down']);
});

test('an act is told where it was decided, once, whatever gossip brings', (t) => {
  const { watch, told } = watched();
  const own = intent(serverKey('', 'WEB', 'web1'), 'drain');
  watch.decided([own]);
  watch.decided([own]);
  watch.decided([intent('pause', 'on', { stamp: { ...own.stamp, node: 'haproxy02' } })]);
  t.deepEqual(told(), ['drain ']);
});
