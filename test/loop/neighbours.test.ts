import test from 'ava';
import { tellingNeighbours } from '../../agent/loop/neighbours.ts';
import type { AddressReport, CarpState } from '../../agent/core/model.ts';
import { address, report } from '../reports.ts';
import { FakeClock, settled } from '../fake-clock.ts';

const V6 = ['10.1.60.200', 'fd00:60::200'];

/** Rounds come when the test says; what was told is noted with its time. */
function neighbourWorld() {
  const clock = new FakeClock();
  const told: (readonly [number, string])[] = [];
  const listeners = new Set<() => void>();
  const world = { addresses: [] as readonly AddressReport[], trouble: '', problem: '' };
  const telling = tellingNeighbours({
    clock,
    tell(name, vhids) {
      told.push([clock.nowMs(), `${name} ${vhids.join(' ')}`.trim()]);
      return world.trouble === '' ? Promise.resolve() : Promise.reject(new Error(world.trouble));
    },
    report: () => report('haproxy01', { addresses: world.addresses }),
    onRound(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problems: {
      raise: (subject, cause) => void (world.problem = `${subject}: ${cause}`),
      clear: () => void (world.problem = ''),
    },
  });
  return {
    clock,
    told,
    world,
    telling,
    listeners,
    /** A round that finds these states, by vhid from 1 on. */
    round: async (...states: readonly CarpState[]): Promise<void> => {
      world.addresses = states.map((state, at) =>
        address({
          address: `${at + 1}@vtnet0`,
          interface: 'vtnet0',
          vhid: at + 1,
          state,
          vips: V6,
        }),
      );
      for (const listener of listeners) listener();
      await settled();
    },
    pass: async (ms: number): Promise<void> => {
      await clock.advance(ms);
      await settled();
    },
  };
}

test('an address that came here is told of at once, after 0.5, 1, 2 and 5 s, and every minute', async (t) => {
  const { round, pass, told } = neighbourWorld();
  await round('BACKUP');
  told.length = 0;
  await pass(10_000);
  await round('MASTER');
  await pass(200_000);
  t.deepEqual(
    told,
    [0, 500, 1000, 2000, 5000, 65_000, 125_000, 185_000].map((ms) => [10_000 + ms, 'vtnet0 1']),
  );
});

test('where it is not MASTER the way is tried at the start and every minute, and nobody is told', async (t) => {
  const { round, pass, told } = neighbourWorld();
  await round('BACKUP');
  await round('BACKUP');
  await pass(60_000);
  t.deepEqual(told, [
    [0, 'vtnet0'],
    [60_000, 'vtnet0'],
  ]);
});

test('an address that left is told of no more', async (t) => {
  const { round, pass, told } = neighbourWorld();
  await round('MASTER');
  await pass(600);
  await round('BACKUP');
  told.length = 0;
  await pass(59_000);
  t.deepEqual(told, []);
});

test('eight addresses that come together are told of in one call', async (t) => {
  const { round, told } = neighbourWorld();
  await round(...Array.from({ length: 8 }, () => 'MASTER' as const));
  t.deepEqual(told, [[0, 'vtnet0 1 2 3 4 5 6 7 8']]);
});

test('what comes while somebody is told is told after it, not beside it', async (t) => {
  const { round, told, world, listeners } = neighbourWorld();
  await round('MASTER', 'BACKUP');
  told.length = 0;
  const both = world.addresses.map((one) => ({ ...one, state: 'MASTER' as const }));
  world.addresses = both;
  for (const listener of listeners) listener();
  for (const listener of listeners) listener();
  t.deepEqual(told, [[0, 'vtnet0 2']]);
  await settled();
  t.deepEqual(told, [[0, 'vtnet0 2']]);
});

test('a host without IPv6 addresses asks nobody and has no problem', async (t) => {
  const { told, world, listeners, pass } = neighbourWorld();
  world.addresses = [address({ state: 'MASTER', vips: ['10.1.60.200'] })];
  world.trouble = 'no ng_ether';
  for (const listener of listeners) listener();
  await pass(120_000);
  t.deepEqual(told, []);
  t.is(world.problem, '');
});

test('a host that cannot tell has a problem with the cause, until it can', async (t) => {
  const { round, pass, world } = neighbourWorld();
  world.trouble = "ngctl: can't create node: Protocol not supported";
  await round('BACKUP');
  t.is(world.problem, `neighbours: no IPv6 neighbour hears of moves: ${world.trouble}`);
  world.trouble = '';
  await pass(60_000);
  t.is(world.problem, '');
});

test('after its end it tells nobody', async (t) => {
  const { round, pass, told, telling, listeners } = neighbourWorld();
  await round('MASTER');
  told.length = 0;
  telling.stop();
  await pass(120_000);
  t.deepEqual(told, []);
  t.is(listeners.size, 0);
});
