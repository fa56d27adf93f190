import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, NodeReport, NodeView, OneWay } from '../../../agent/core/model.ts';
import { heard, intent, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';

const A = 'haproxy01';
const B = 'haproxy02';
type Change = Partial<Omit<NodeReport, 'addresses'>>;
const onA = (change: Change = {}): NodeView =>
  heard(report(A, { ...change, addresses: [address({ state: 'MASTER' })] }));
const onB = (change: Change = {}, mine: Partial<AddressReport> = {}): NodeView =>
  heard(report(B, { ...change, addresses: [address({ baseAdvskew: 100, ...mine })] }));

/** Alerts of these ids after it has been so for `ms`, as id, severity, subject, text and remedy. */
function alertsOf(at: View, ms: number, ...ids: readonly string[]) {
  const first = decide(at, NO_MEMORY, NOW);
  return decide(at, first.memory, NOW + ms)
    .alerts.filter(({ id }) => ids.includes(id))
    .map(({ id, severity, subject, text, remedy }) => [id, severity, subject, text, remedy]);
}
const lost = (at: View, ms = 10_000) =>
  alertsOf(at, ms, 'redundancy-lost').map((one) => one.slice(3));

test('an address that nobody else could take for `hold` is an alert, with what keeps each', (t) => {
  const rows: readonly (readonly [View, string, string])[] = [
    [
      view(A, [onA(), onB({ demotion: 240 })]),
      'haproxy02 is demoted (net.inet.carp.demotion is 240)',
      'proxyctl doctor',
    ],
    [
      view(A, [onA(), onB()], { intents: wishes(intent(`maintenance/${B}`, 'on')) }),
      'haproxy02 is in maintenance',
      'proxyctl maintenance off haproxy02',
    ],
    [
      view(A, [onA(), onB()], { intents: wishes(intent('pause', 'on')) }),
      'automation is paused',
      'proxyctl resume',
    ],
    [
      view(A, [onA(), { ...onB(), fresh: false }]),
      'haproxy02 is not heard',
      'on haproxy02: service proxyagent status',
    ],
    [
      view(A, [onA(), onB({ health: 'down', healthReason: 'HAProxy is down' })]),
      'HAProxy is down on haproxy02',
      'on haproxy02: service haproxy status',
    ],
    [
      view(A, [onA(), onB({}, { advertsLost: true })]),
      'CARP adverts are lost between the nodes',
      'proxyctl doctor',
    ],
    [
      view(A, [onA(), onB({}, { state: 'INIT' })]),
      'haproxy02 cannot take it (its vhid is INIT)',
      'proxyctl doctor',
    ],
    [
      view(A, [onA(), { ...onB(), oneWay: { deaf: 'it', sinceMs: NOW } }]),
      'haproxy02 does not hear haproxy01',
      'proxyctl doctor',
    ],
  ];
  for (const [at, why, remedy] of rows) {
    t.deepEqual(lost(at), [[`nobody else could take it: ${why}`, remedy]]);
    t.deepEqual(lost(at, 9999), [], why);
  }
});

test('one of two others that could take it is enough, and each that could not is named', (t) => {
  const third = (change: Change) =>
    heard(report('haproxy03', { ...change, addresses: [address({ baseAdvskew: 150 })] }));
  const dead: Change = { health: 'down', healthReason: 'HAProxy is down' };
  t.deepEqual(lost(view(A, [onA(), onB(dead), third({})])), []);
  t.deepEqual(lost(view(A, [onA(), onB(dead), third({ demotion: 240 })])), [
    [
      'nobody else could take it: HAProxy is down on haproxy02, haproxy03 is demoted (net.inet.carp.demotion is 240)',
      'on haproxy02: service haproxy status',
    ],
  ]);
});

test('no word on redundancy: all is well, HAProxy there cannot be asked, nobody MASTER, alone by configuration', (t) => {
  for (const at of [
    view(A, [onA(), onB()]),
    view(B, [onA(), onB()]),
    view(A, [onA(), onB({ health: 'unknown' })]),
    view(A, [onA(), onB({ health: 'partly' })]),
    view(B, [heard(report(A)), onB({ health: 'down' })]),
    view(A, [onA()]),
  ])
    t.deepEqual(lost(at), []);
});

test('gossip that passes one way only is an alert after 2 s, on the side that hears and on the other', (t) => {
  const told = (deaf: OneWay['deaf'], ageMs: number) => {
    const other = { ...onB(), fresh: deaf === 'it', oneWay: { deaf, sinceMs: NOW - ageMs } };
    return alertsOf(view(A, [onA(), other]), 0, 'one-way');
  };
  const remedy = 'each host has to reach TCP port 7660 of the other: pf, routes; proxyctl doctor';
  t.deepEqual(
    [told('it', 1999), told('it', 2000), told('we', 2000)],
    [
      [],
      [
        [
          'one-way',
          'warn',
          B,
          'is heard and does not hear haproxy01: gossip passes one way only',
          remedy,
        ],
      ],
      [
        [
          'one-way',
          'warn',
          B,
          'hears haproxy01 and is not heard here: gossip passes one way only',
          remedy,
        ],
      ],
    ],
  );
});

test('automation that has been paused for an hour is an alert by whom', (t) => {
  const told = (wallMs: number) => {
    const pause = intent('pause', 'on', { stamp: { wallMs: NOW, count: 0, node: A } });
    const at = view(A, [onA(), onB()], { wallMs, intents: wishes(pause) });
    return alertsOf(at, 0, 'paused-long');
  };
  t.deepEqual(told(NOW + 3_599_999), []);
  t.deepEqual(told(NOW + 3_600_000), [
    [
      'paused-long',
      'warn',
      'automation',
      'paused for more than an hour by anna: nothing moves by itself',
      'proxyctl resume',
    ],
  ]);
});

test('two agents with one name are an alert where they are heard, and where that is told', (t) => {
  const told = (at: View) => alertsOf(at, 0, 'same-name').map((one) => one.slice(0, 3));
  const twice = { ...onB(), fresh: false, doubleSinceMs: NOW };
  t.deepEqual(told(view(A, [onA(), twice])), [['same-name', 'fail', B]]);
  t.deepEqual(told(view(B, [onB(), onA({ doubles: [B] })])), [['same-name', 'fail', B]]);
  t.deepEqual(told(view(A, [onA(), onB()])), []);
});
