import test from 'ava';
import { healthOf, NOT_READ } from '../../agent/core/health.ts';
import { planServers, type ServerRecord } from '../../agent/core/servers/servers.ts';
import { intent, wishes } from './builders.ts';
import { address, haproxy, NOW, report } from '../reports.ts';

const down = (name: string) => ({ name, up: false, serversUp: 0, servers: 1 });
const up = (name: string) => ({ name, up: true, serversUp: 1, servers: 1 });
const withBackends = (...backends: ReturnType<typeof up>[]) =>
  report('n', { haproxy: [haproxy({ backends })] });

test('all is well: serving', (t) => {
  t.deepEqual(healthOf(report('haproxy01'), [report('haproxy02')]), {
    health: 'serving',
    reason: 'HAProxy serves',
  });
});

test('a dead, hung or stopping HAProxy is down, a closed required frontend partly, one that cannot be asked unknown', (t) => {
  const closed = [
    { name: 'stats', open: false, required: false },
    { name: 'web', open: false, required: true },
  ];
  t.deepEqual(
    [
      haproxy({ state: 'down', problem: 'connection refused' }),
      haproxy({ state: 'hung', problem: 'no reply for 4 s' }),
      haproxy({ state: 'stopping', problem: 'it ends with its sessions' }),
      haproxy({ frontends: closed }),
      haproxy({ state: 'unknown', problem: 'no stats socket in haproxy.conf' }),
      haproxy({ state: 'down', problem: NOT_READ }),
    ].map((one) => healthOf(report('haproxy01', { haproxy: [one] }), [report('haproxy02')])),
    [
      { health: 'down', reason: 'HAProxy is down: connection refused' },
      { health: 'down', reason: 'HAProxy is hung: no reply for 4 s' },
      { health: 'down', reason: 'HAProxy is stopping: it ends with its sessions' },
      { health: 'partly', reason: 'HAProxy: frontend web is not open' },
      {
        health: 'unknown',
        reason: 'HAProxy cannot be asked: no stats socket in haproxy.conf',
      },
      { health: 'unknown', reason: 'HAProxy was not asked yet' },
    ],
  );
});

test('of several HAProxys of a host the worst counts', (t) => {
  const shut = [{ name: 'web', open: false, required: true }];
  const all = [
    haproxy(),
    haproxy({ instance: 'a', frontends: shut }),
    haproxy({ instance: 'b', state: 'unknown' }),
    haproxy({ instance: 'c', state: 'down' }),
  ];
  const worst = [1, 2, 3, 4].map((count) =>
    healthOf(report('n', { haproxy: all.slice(0, count) }), []),
  );
  t.deepEqual(
    worst.map(({ health }) => health),
    ['serving', 'partly', 'unknown', 'down'],
  );
});

test('a backend down here and up at a peer degrades; one that is down everywhere does not count', (t) => {
  const self = withBackends(down('GITEA'), down('WEB'));
  t.deepEqual(healthOf(self, [withBackends(up('GITEA'), down('WEB'))]), {
    health: 'degraded',
    reason: 'backend GITEA is down here and up on a peer',
  });
  t.is(healthOf(self, [withBackends(down('GITEA'), down('WEB'))]).health, 'serving');
  t.is(healthOf(self, []).health, 'serving', 'nobody to compare with');
});

test("a peer whose HAProxy is dead proves nothing about this host's backends", (t) => {
  const dead = report('haproxy02', { haproxy: [haproxy({ state: 'down' })] });
  t.is(healthOf(withBackends(down('GITEA')), [dead]).health, 'serving');
});

test('a vhid that is INIT here and not at a peer degrades', (t) => {
  const self = report('haproxy01', { addresses: [address({ state: 'INIT' })] });
  t.deepEqual(healthOf(self, [report('haproxy02')]), {
    health: 'degraded',
    reason: 'vhid 1 is INIT here and not on a peer',
  });
});

const drain = intent('server//WEB/web1', 'drain');
const record = (change: Partial<ServerRecord>): ReadonlyMap<string, ServerRecord> =>
  new Map([
    [
      drain.key,
      { key: drain.key, stamp: drain.stamp, state: 'drain', pid: 100, problem: '', ...change },
    ],
  ]);
const task = {
  instance: '',
  backend: 'WEB',
  server: 'web1',
  key: drain.key,
  stamp: drain.stamp,
  how: 'tell' as const,
};

test('a new wish, a new process and a failure before each make a task; what is in force makes none', (t) => {
  const plan = (records: ReadonlyMap<string, ServerRecord>) =>
    planServers(wishes(drain), records, '', 100, NOW);
  const todo = [{ ...task, kind: 'state' as const, value: 'drain' }];
  t.deepEqual(plan(new Map()), todo);
  t.deepEqual(plan(record({ pid: 99 })), todo, 'HAProxy was reloaded');
  t.deepEqual(plan(record({ problem: 'refused' })), todo);
  t.deepEqual(plan(record({})), []);
});

test('a wish taken back or past its end makes the server ready once, and a new process needs no word', (t) => {
  const stamp = { wallMs: NOW, count: 0, node: 'haproxy01' };
  const gone = { ...drain, deleted: true, value: '', stamp };
  const todo = [{ ...task, stamp, kind: 'state' as const, value: 'ready' }];
  t.deepEqual(planServers(wishes(gone), record({}), '', 100, NOW), todo);
  const done = record({ stamp, state: 'ready' });
  t.deepEqual(planServers(wishes(gone), done, '', 100, NOW), []);
  t.deepEqual(planServers(wishes(gone), done, '', 101, NOW), []);
  const ended = { ...drain, untilWallMs: NOW };
  t.deepEqual(planServers(wishes(ended), record({}), '', 100, NOW), [
    { ...task, kind: 'state' as const, value: 'ready' },
  ]);
});

test('a weight is a task beside the state; taken back it is the configured one again', (t) => {
  const weight = intent('weight//WEB/web1', '50%');
  const todo = { ...task, key: weight.key, stamp: weight.stamp, kind: 'weight' as const };
  const plan = (one: typeof weight, records: readonly ServerRecord[] = []) =>
    planServers(wishes(one), new Map(records.map((it) => [it.key, it])), '', 100, NOW);
  const told = { key: weight.key, stamp: weight.stamp, state: '50%', pid: 100, problem: '' };
  t.deepEqual(plan(weight), [{ ...todo, value: '50%' }]);
  t.deepEqual(plan(weight, [told]), []);
  t.deepEqual(plan({ ...weight, deleted: true, value: '' }, [told]), [{ ...todo, value: '100%' }]);
  t.deepEqual(plan({ ...weight, value: '7;x' }), [{ ...todo, value: '100%' }]);
});

test('of several HAProxys the worst is told, the first of those that are alike', (t) => {
  const of = (...states: readonly ('up' | 'down' | 'unknown')[]) =>
    healthOf(
      report('n', {
        haproxy: states.map((state, at) => haproxy({ instance: `i${at}`, state })),
      }),
      [],
    ).reason;
  t.is(of('down', 'down'), 'HAProxy i0 is down');
  t.is(of('up', 'unknown', 'down', 'up'), 'HAProxy i2 is down');
  t.is(of('down', 'up'), 'HAProxy i0 is down');
});

test('of many backends that are down here three are named, and how many more', (t) => {
  const names = ['A', 'B', 'C', 'D', 'E'];
  const reason = (count: number) =>
    healthOf(withBackends(...names.slice(0, count).map(down)), [withBackends(...names.map(up))])
      .reason;
  t.is(reason(3), 'backends A, B, C are down here and up on a peer');
  t.is(reason(5), 'backends A, B, C and 2 more are down here and up on a peer');
});
