import test from 'ava';
import type { Alert } from '../../agent/core/answers.ts';
import { eventsBetween, steadyAlerts, type Sight } from '../../agent/core/events/event-changes.ts';
import { wishEvents } from '../../agent/core/events/event-wishes.ts';
import type { OwnerChange } from '../../agent/core/history.ts';
import {
  maintenanceKey,
  PAUSE_KEY,
  pinKey,
  serverKey,
  weightKey,
} from '../../agent/core/intents.ts';
import { haproxy, NOW, report } from '../reports.ts';
import { heard, intent } from './builders.ts';

const WALL = 1_800_000_000_000;
const sight = (change: Partial<Sight> = {}): Sight => ({
  self: 'haproxy01',
  wallMs: WALL,
  report: report('haproxy01'),
  peers: [heard(report('haproxy02'))],
  alerts: [],
  moves: [],
  intents: new Map(),
  ...change,
});
const withHaproxy = (change: Parameters<typeof haproxy>[0]): Partial<Sight> => ({
  report: report('haproxy01', { haproxy: [haproxy(change)] }),
});
const move: OwnerChange = {
  address: '1@wan',
  from: 'haproxy02',
  to: 'haproxy01',
  cause: 'agent',
  reason: 'HAProxy down on haproxy02',
  atWallMs: WALL - 70,
};

test('nothing that stays as it is is an event', (t) => {
  const all = sight({ moves: [move] });
  t.deepEqual(eventsBetween(all, all), []);
  t.deepEqual(eventsBetween(all, structuredClone(all)), []);
});

test('a move keeps the time that history tells', (t) => {
  t.deepEqual(eventsBetween(sight(), sight({ moves: [move] })), [
    {
      kind: 'moved',
      severity: 'info',
      subject: '1@wan',
      text: '1@wan: haproxy02 -> haproxy01: HAProxy down on haproxy02',
      from: 'haproxy02',
      to: 'haproxy01',
      cause: 'agent',
      reason: 'HAProxy down on haproxy02',
      atWallMs: WALL - 70,
    },
  ]);
});

test('a move that the bounded list lets go is not told as new ones move up', (t) => {
  const older = { ...move, atWallMs: WALL - 5000 };
  const after = sight({ moves: [move] });
  t.deepEqual(eventsBetween(sight({ moves: [older, move] }), after), []);
});

test('HAProxy: each state in its word, and another process in its place', (t) => {
  const up = sight();
  const down = sight(withHaproxy({ state: 'down', problem: 'the process ended', pid: 100 }));
  t.deepEqual(
    [...eventsBetween(up, down), ...eventsBetween(down, up)].map(({ kind, text, from, to }) => ({
      kind,
      text,
      from,
      to,
    })),
    [
      { kind: 'haproxy-down', text: 'HAProxy down: the process ended', from: 'up', to: 'down' },
      { kind: 'haproxy-up', text: 'HAProxy up: pid 100, version 2.6.12', from: 'down', to: 'up' },
    ],
  );
  t.deepEqual(eventsBetween(up, sight(withHaproxy({ pid: 101 }))), [
    {
      kind: 'haproxy-reloaded',
      severity: 'info',
      subject: 'haproxy',
      text: 'HAProxy reloaded: pid 101 in place of 100',
    },
  ]);
});

test('a peer is lost with what is believed of it, and heard again', (t) => {
  const gone = sight({
    peers: [heard(report('haproxy02'), { fresh: false, peerClass: 'agent-down' })],
  });
  t.deepEqual(
    [...eventsBetween(sight(), gone), ...eventsBetween(gone, sight())],
    [
      {
        kind: 'peer-lost',
        severity: 'warn',
        subject: 'haproxy02',
        text: 'haproxy02 is not heard any more: agent-down',
        to: 'agent-down',
      },
      {
        kind: 'peer-heard',
        severity: 'info',
        subject: 'haproxy02',
        text: 'haproxy02 is heard, proxyagent 0.1.0',
        from: 'agent-down',
      },
    ],
  );
});

const alertOf = (change: Partial<Alert> = {}): Alert => ({
  id: 'haproxy-down',
  node: 'haproxy01',
  subject: 'haproxy',
  severity: 'fail',
  text: 'HAProxy down',
  remedy: '',
  sinceMs: NOW,
  ...change,
});

/** What stands after alerts were found, each time so many ms after the time before. */
function stood(...times: readonly (readonly [number, readonly Alert[]])[]) {
  const steady = steadyAlerts('haproxy01', []);
  let atMs = 0;
  return times.map(([afterMs, found]) => {
    atMs += afterMs;
    return steady.look(found, WALL + atMs, atMs);
  });
}

test('an alert is raised once, changes with its severity alone, and is cleared with how long it stood', (t) => {
  const mild = alertOf({ severity: 'warn' });
  const [early, raised, reworded, , milder, , gone] = stood(
    [0, [alertOf()]],
    [1000, [alertOf()]],
    [1000, [alertOf({ text: 'another' })]],
    [1000, [mild]],
    [1000, [mild]],
    [1000, []],
    [4000, []],
  );
  t.deepEqual([early, gone], [[], []]);
  t.is(reworded, raised);
  const told = [
    ...eventsBetween(sight(), sight({ alerts: raised ?? [] })),
    ...eventsBetween(sight({ alerts: raised ?? [] }), sight({ alerts: milder ?? [] })),
    ...eventsBetween(sight({ alerts: milder ?? [] }), sight({ wallMs: WALL + 9000 })),
  ];
  const about = { subject: 'haproxy', alert: 'haproxy-down' };
  t.deepEqual(told, [
    { kind: 'alert-raised', severity: 'fail', text: 'HAProxy down', ...about },
    {
      kind: 'alert-changed',
      severity: 'warn',
      text: 'HAProxy down',
      from: 'fail',
      to: 'warn',
      ...about,
    },
    {
      kind: 'alert-cleared',
      severity: 'info',
      text: 'over: HAProxy down',
      from: 'warn',
      lastedMs: 9000,
      ...about,
    },
  ]);
});

test('what is there, gone or graver for less than a second is none', (t) => {
  const one = alertOf({ severity: 'warn' });
  const all = stood(
    [0, [one]],
    [999, [one]],
    [0, []],
    [0, [one]],
    [1000, [one]],
    [0, [alertOf()]],
    [999, [alertOf()]],
    [0, [one]],
    [0, []],
    [999, []],
    [0, [one]],
  );
  t.deepEqual(
    all.map((stands) => stands.map(({ severity }) => severity).join()),
    ['', '', '', '', 'warn', 'warn', 'warn', 'warn', 'warn', 'warn', 'warn'],
  );
});

test("an alert that another node notices is that node's; two of one name are one, as grave as the graver", (t) => {
  const found = [
    alertOf({ node: 'haproxy02' }),
    alertOf({ id: 'drift', severity: 'warn' }),
    alertOf({ id: 'drift', severity: 'fail', text: 'worse' }),
  ];
  t.deepEqual(stood([0, found], [1000, found])[1], [
    {
      id: 'drift',
      subject: 'haproxy',
      severity: 'fail',
      text: 'worse',
      remedy: '',
      sinceWallMs: WALL,
    },
  ]);
  const many = Array.from({ length: 500 }, (_, at) => alertOf({ subject: `s${at}` }));
  t.is(stood([0, many], [1000, many])[1]?.length, 200);
});

test('what one act decides is one event, with who asked and why', (t) => {
  const act = { reason: 'kernel update', untilWallMs: WALL + 60_000 };
  const servers = ['web1', 'web2', 'web3', 'web4'].map((name) =>
    intent(serverKey('', 'WEB', name), 'drain', act),
  );
  t.deepEqual(wishEvents([...servers, intent('acme/token', 'x')]), [
    {
      kind: 'drain',
      severity: 'info',
      subject: 'WEB/web1',
      text: 'drain of WEB/web1, WEB/web2, WEB/web3 and 1 more, by anna: kernel update',
      actor: 'anna',
      requestId: 'r1',
      reason: 'kernel update',
      untilWallMs: WALL + 60_000,
      objects: ['WEB/web1', 'WEB/web2', 'WEB/web3', 'WEB/web4'],
      objectsCount: 4,
    },
  ]);
});

test('every decision has its word', (t) => {
  const off = { deleted: true };
  const told = wishEvents([
    intent(pinKey('1@wan'), 'haproxy02', { requestId: 'a' }),
    intent(pinKey('1@wan'), '', { requestId: 'b', ...off }),
    intent(pinKey('1@wan'), 'haproxy01', { requestId: 'c', failback: true }),
    intent(maintenanceKey('haproxy01'), 'on', { requestId: 'd' }),
    intent(maintenanceKey('haproxy01'), '', { requestId: 'e', ...off }),
    intent(PAUSE_KEY, 'on', { requestId: 'f' }),
    intent(PAUSE_KEY, '', { requestId: 'g', ...off }),
    intent(serverKey('', 'WEB', 'web1'), 'maint', { requestId: 'h' }),
    intent(serverKey('', 'WEB', 'web1'), '', { requestId: 'i', ...off }),
    intent(weightKey('', 'WEB', 'web1'), '50', { requestId: 'j' }),
    intent(weightKey('', 'WEB', 'web1'), '', { requestId: 'k', ...off }),
    intent('certificate/site', 'sha', { requestId: 'l' }),
  ]);
  t.deepEqual(
    told.map(({ kind, text }) => `${kind} | ${text}`),
    [
      'failover | pin of 1@wan to haproxy02, by anna',
      'failback | no pin any more on 1@wan, by anna',
      'failback | failback of 1@wan to haproxy01, by anna',
      'maintenance | maintenance on for haproxy01, by anna',
      'maintenance | maintenance off for haproxy01, by anna',
      'pause | pause of automation, by anna',
      'resume | resume of automation, by anna',
      'maint | maintenance (maint) of WEB/web1, by anna',
      'ready | ready for WEB/web1, by anna',
      'weight | weight 50 for WEB/web1, by anna',
      'weight | weight as configured for WEB/web1, by anna',
      'certificate | certificate for site, by anna',
    ],
  );
});

test('a wish that ends by itself is told by the node it was made on, once', (t) => {
  const one = intent(serverKey('', 'WEB', 'web1'), 'drain', { untilWallMs: WALL + 10 });
  const intents = new Map([[one.key, one]]);
  const before = sight({ intents });
  const after = sight({ intents, wallMs: WALL + 10 });
  t.deepEqual(eventsBetween(before, after), [
    {
      kind: 'wish-ended',
      severity: 'info',
      subject: 'WEB/web1',
      text: 'drain of WEB/web1 has ended, as anna asked',
      actor: 'anna',
      requestId: 'r1',
    },
  ]);
  t.deepEqual(eventsBetween(after, sight({ intents, wallMs: WALL + 20 })), []);
  t.deepEqual(eventsBetween({ ...before, self: 'haproxy02' }, { ...after, self: 'haproxy02' }), []);
  const again = { ...one, deleted: true, stamp: { ...one.stamp, count: 1 } };
  const taken = sight({ intents: new Map([[one.key, again]]), wallMs: WALL + 10 });
  t.deepEqual(eventsBetween(before, taken), []);
});
