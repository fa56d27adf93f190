import test from 'ava';
import type { VhidChange } from '../../agent/loop/ports.ts';
import { endWithHaproxy, keepWill } from '../../agent/loop/ending.ts';
import type { HaproxyState, NodeReport } from '../../agent/core/model.ts';
import { heard } from '../core/builders.ts';
import { address, haproxy, report } from '../reports.ts';
import { FakeClock, settled } from '../fake-clock.ts';

/** An agent that was told to end by SIGTERM; its rounds come when the test says. */
function endingWorld(haproxyIs: HaproxyState) {
  const clock = new FakeClock();
  const listeners = new Set<() => void>();
  const done: string[] = [];
  const world = { haproxyIs, here: 'MASTER' as 'MASTER' | 'BACKUP', peer: true, vhids: [1] };
  const own = (): NodeReport =>
    report('haproxy01', {
      addresses: world.vhids.map((vhid) =>
        address({ state: world.here, vhid, address: `${vhid}@wan` }),
      ),
    });
  const loop = {
    leave: () => void done.push('hands over'),
    report: own,
    peers: () => [heard(report('haproxy02', {}), { fresh: world.peer })],
    onRound(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const say = (_event: string, _fields: object, msg: string) => void done.push(msg);
  const log = { info: say, warn: say, error: say, reopen: () => undefined, flush: () => undefined };
  const carp = {
    set: (changes: readonly VhidChange[]) => {
      if (changes.length > 1) done.push(`${changes.length} at once`);
      for (const { interface: name, vhid, ...change } of changes)
        done.push(`${name} ${vhid} ${JSON.stringify(change)}`);
      return Promise.resolve();
    },
  };
  const now = { report: () => haproxy({ state: world.haproxyIs }) };
  void endWithHaproxy({ loop, carp, haproxy: now, clock, log }).then(() => void done.push('ends'));
  return {
    clock,
    done,
    listeners,
    world,
    round: async (change: Partial<typeof world> = {}): Promise<void> => {
      Object.assign(world, change);
      for (const listener of listeners) listener();
      await settled();
    },
    pass: async (ms: number): Promise<void> => {
      await clock.advance(ms);
      await settled();
    },
  };
}

const SETS_OUT = 'HAProxy ends as well: every address is given away';
const STEPS_OUT = [
  'vtnet0 1 {"advskew":254,"state":"BACKUP"}',
  '1@wan: MASTER no more, whoever takes it',
];

test('HAProxy lives on: a stop by hand moves nothing and ends after half a second', async (t) => {
  const { done, pass, round, listeners } = endingWorld('up');
  await pass(499);
  await round();
  t.deepEqual(done, []);
  await pass(1);
  t.deepEqual(done, ['ends']);
  t.is(listeners.size, 0);
});

test('HAProxy dies within half a second: handed over first, and nothing is set once it was taken', async (t) => {
  const { done, pass, round } = endingWorld('up');
  await pass(300);
  await round({ haproxyIs: 'down' });
  t.deepEqual(done, [SETS_OUT, 'hands over']);
  await pass(1900);
  t.is(done.length, 2);
  await round({ here: 'BACKUP' });
  await pass(100);
  t.deepEqual(done.slice(2), ['left: 1@wan', 'ends']);
});

test('HAProxy is dead, and the round that acts on it is still under way: it counts', async (t) => {
  const { done, pass, world } = endingWorld('up');
  await pass(450);
  world.haproxyIs = 'down';
  await pass(50);
  t.deepEqual(done, [SETS_OUT, 'hands over']);
});

test('nobody took it for two seconds: this host steps out, for the kernel of another', async (t) => {
  const { done, pass } = endingWorld('down');
  await pass(1999);
  t.deepEqual(done, [SETS_OUT, 'hands over']);
  await pass(1);
  t.deepEqual(done.slice(2), [
    'nobody took 1@wan: it goes down with this host',
    ...STEPS_OUT,
    'ends',
  ]);
});

test('with no agent to take it this host steps out at once', async (t) => {
  const { done, round, pass } = endingWorld('down');
  await pass(0);
  await round({ peer: false });
  t.deepEqual(done.slice(2), [
    'nobody took 1@wan: it goes down with this host',
    ...STEPS_OUT,
    'ends',
  ]);
});

test('the helper is told the pid of a HAProxy that is up, and where to step out', (t) => {
  const told: unknown[] = [];
  const listeners: (() => void)[] = [];
  let now: NodeReport | null = null;
  keepWill(
    {
      report: () => now,
      onRound: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    (pid, vhids) => {
      told.push([pid, vhids.map(({ interface: name, vhid }) => `${name} ${vhid}`)]);
      return Promise.resolve();
    },
  );
  const rounds: readonly (NodeReport | null)[] = [
    null,
    report('haproxy01', { haproxy: [haproxy({ state: 'up', pid: 71 })], addresses: [address({})] }),
    report('haproxy01', {
      haproxy: [haproxy({ state: 'down', pid: 0 })],
      addresses: [address({})],
    }),
  ];
  for (const next of rounds) {
    now = next;
    for (const listener of listeners) listener();
  }
  t.deepEqual(told, [[71, ['vtnet0 1']]]);
});

test('several addresses that nobody took are left in one act', async (t) => {
  const { done, pass, round } = endingWorld('down');
  await round({ vhids: [1, 2] });
  await pass(2000);
  t.deepEqual(done.slice(-5), [
    '2 at once',
    'vtnet0 1 {"advskew":254,"state":"BACKUP"}',
    'vtnet0 2 {"advskew":254,"state":"BACKUP"}',
    '1@wan, 2@wan: MASTER no more, whoever takes it',
    'ends',
  ]);
});
