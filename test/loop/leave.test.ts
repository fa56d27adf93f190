import test from 'ava';
import { leave } from '../../agent/loop/leave.ts';
import type { NodeReport } from '../../agent/core/model.ts';
import { heard } from '../core/builders.ts';
import { address, report } from '../reports.ts';
import { FakeClock, settled } from '../fake-clock.ts';

/** A loop whose rounds come when the test says; what leaving logs. */
function leavingWorld() {
  const clock = new FakeClock();
  const listeners = new Set<() => void>();
  const logged: unknown[] = [];
  const world = {
    leaving: false,
    here: 'MASTER' as 'MASTER' | 'BACKUP',
    there: 'BACKUP' as 'MASTER' | 'BACKUP',
    fresh: true,
    done: false,
  };
  const own = (): NodeReport =>
    report('haproxy01', { leaving: world.leaving, addresses: [address({ state: world.here })] });
  const peer = (): NodeReport =>
    report('haproxy02', { addresses: [address({ state: world.there })] });
  const loop = {
    leave: () => void (world.leaving = true),
    report: own,
    peers: () => [heard(peer(), { fresh: world.fresh })],
    onRound(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const nothing = (): undefined => undefined;
  const log = {
    info: (event: string, fields: object, msg: string) =>
      void logged.push({ event, ...fields, msg }),
    warn: nothing,
    error: nothing,
    reopen: nothing,
    flush: nothing,
  };
  void leave(loop, clock, log).then(() => void (world.done = true));
  const round = async (change: Partial<typeof world> = {}): Promise<boolean> => {
    Object.assign(world, change);
    for (const listener of listeners) listener();
    await settled();
    return world.done;
  };
  return { clock, world, logged, listeners, round };
}

test('leaving ends when the other node is MASTER, not when this one is only BACKUP', async (t) => {
  const { round, logged, listeners, clock } = leavingWorld();
  t.deepEqual(
    [await round(), await round({ here: 'BACKUP' }), await round({ there: 'MASTER' })],
    [false, false, true],
  );
  t.deepEqual(logged, [
    { event: 'agent-left', addresses: ['1@wan'], still_here: [], took_ms: 0, msg: 'left: 1@wan' },
  ]);
  t.deepEqual([listeners.size, clock.sleeping()], [0, []]);
});

test('with no peer in touch leaving does not wait, and says what goes down', async (t) => {
  const { round, logged } = leavingWorld();
  t.true(await round({ fresh: false }));
  t.deepEqual(logged, [
    {
      event: 'agent-left',
      addresses: [],
      still_here: ['1@wan'],
      took_ms: 0,
      msg: 'nobody took 1@wan: it goes down with this host',
    },
  ]);
});

test('a peer that does not take the address holds the shutdown for 5 s', async (t) => {
  const { round, clock, world } = leavingWorld();
  t.false(await round());
  await clock.advance(4999);
  t.false(world.done);
  await clock.advance(1);
  t.true(world.done);
});
