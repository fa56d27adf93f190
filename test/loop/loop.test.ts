import test from 'ava';
import type { Action } from '../../agent/core/decide/decision.ts';
import { LOWER, loopWorld, OBSERVED, POLL_MS, shown } from './world.ts';

const SET = 'set vtnet0 1 {"advskew":254}';

test('reads, learns the base on disk, decides; reads again after every poll', async (t) => {
  const { loop, clock, log } = loopWorld();
  loop.wake();
  await clock.advance(0);
  t.deepEqual(log.splice(0), [
    [0, 'read'],
    [0, 'save {"bases":{"1@vtnet0":100}}'],
    [0, 'decide'],
  ]);
  await clock.advance(2 * POLL_MS);
  t.deepEqual(
    log.filter(([, what]) => what === 'read').map(([atMs]) => atMs),
    [1000, 2000],
  );
});

test('where devd tells of every change, the rest is read every third time', async (t) => {
  const { loop, clock, log } = loopWorld({ carpEvents: 'events' });
  loop.wake();
  await clock.advance(7 * POLL_MS);
  const times = (word: string) => log.filter(([, what]) => what === word).map(([atMs]) => atMs);
  t.deepEqual(times('read'), [0, 3000, 6000]);
  // Until it has joined it looks every 100 ms; then time alone may change a verdict.
  t.deepEqual(times('decide'), [0, 100, 200, 300, 1300, 2300, 3000, 4000, 5000, 6000, 7000]);
});

test('a machine that stood still for a second reads CARP at once, also where devd tells of changes', async (t) => {
  const { loop, clock, log } = loopWorld({ carpEvents: 'events' });
  loop.wake();
  await clock.advance(3500);
  clock.freeze(1600);
  await clock.advance(0);
  t.deepEqual(
    log.filter(([, what]) => what === 'read').map(([atMs]) => atMs),
    [0, 3000, 5100],
  );
});

test('acts, and reads again before anything else is decided', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  world.plan = (view) => ({ actions: shown(view)?.advskew === 254 ? [] : [LOWER] });
  loop.wake();
  await clock.advance(0);
  t.deepEqual(
    log.map(([, what]) => what),
    ['read', 'save {"bases":{"1@vtnet0":100}}', 'decide set-advskew', SET, 'read', 'decide'],
  );
  t.is(loop.report()?.addresses[0]?.advskew, 254);
});

test('what a round sets of many addresses is one call, and one reading follows', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  const vhids = [1, 2, 3, 4];
  const addresses = OBSERVED.addresses.flatMap((one) => vhids.map((vhid) => ({ ...one, vhid })));
  world.carp = { ...OBSERVED, addresses };
  let rounds = 0;
  world.plan = () => ({ actions: rounds++ === 0 ? plan : [] });
  const where = (vhid: number) => ({ address: `${vhid}@vtnet0`, interface: 'vtnet0', vhid });
  const of = (vhid: number): Action => ({
    kind: 'set-advskew',
    advskew: 254,
    reason: 'planned',
    ...where(vhid),
  });
  const plan: Action[] = [
    of(1),
    { kind: 'take', advskew: 100, reason: 'planned', ...where(2) },
    of(3),
    { kind: 'advertise', reason: 'split' },
    of(4),
  ];
  loop.wake();
  await clock.advance(0);
  t.deepEqual(
    log.map(([, what]) => what).filter((what) => !/^(save|log)/.test(what)),
    [
      'read',
      'decide set-advskew take set-advskew advertise set-advskew',
      'set vtnet0 1 {"advskew":254}, vtnet0 2 {"advskew":100,"state":"MASTER"}, vtnet0 3 {"advskew":254}',
      'advertise',
      'set vtnet0 4 {"advskew":254}',
      'read',
      'decide',
    ],
  );
});

test('success is what was read: a set that changed nothing is tried again, one reading apart', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  let rounds = 0;
  world.deaf = true;
  world.plan = () => ({ actions: rounds++ < 3 ? [LOWER] : [] });
  loop.wake();
  await clock.advance(0);
  const acts = log.map(([, what]) => what).filter((what) => what === 'read' || what === SET);
  t.deepEqual(acts, ['read', SET, 'read', SET, 'read', SET, 'read']);
  t.is(loop.report()?.addresses[0]?.advskew, 100);
});

test('an action that fails ends the round, is said, and nothing is tried for a second', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  world.setTrouble = 'ifconfig: exit 1';
  world.plan = () => ({ actions: [LOWER, { kind: 'advertise', reason: 'next' }] });
  loop.wake();
  await clock.advance(0);
  for (let wakes = 0; wakes < 9; wakes++) {
    await clock.advance(100);
    loop.carpChanged();
  }
  await clock.advance(99);
  t.deepEqual(
    log.filter(([, what]) => what.startsWith('set') || what.startsWith('adv')),
    [[0, SET]],
  );
  const [problem] = loop.report()?.problems ?? [];
  t.deepEqual([problem?.subject, problem?.cause], ['action', 'ifconfig: exit 1']);
  world.setTrouble = '';
  world.plan = (view) => ({ actions: shown(view)?.advskew === 254 ? [] : [LOWER] });
  await clock.advance(1);
  t.deepEqual(
    log.filter(([, what]) => what.startsWith('set')),
    [
      [0, SET],
      [1000, SET],
    ],
  );
  t.deepEqual(loop.report()?.problems, []);
});

test('what failed is tried again after a second though CARP is read more seldom', async (t) => {
  const { loop, clock, log, world } = loopWorld({ pollMs: 5000 });
  world.setTrouble = 'ifconfig: exit 1';
  world.plan = () => ({ actions: [LOWER] });
  loop.wake();
  await clock.advance(3000);
  t.deepEqual(
    log.filter(([, what]) => what === SET).map(([atMs]) => atMs),
    [0, 1000, 2000, 3000],
  );
});

test('CARP that cannot be read: a problem with since-when, and nothing is decided from what was', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  const seen: unknown[] = [];
  world.plan = (view) => {
    const now = shown(view);
    if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
    return {};
  };
  loop.wake();
  await clock.advance(0);
  world.carpTrouble = new Error('ifconfig: no answer within 2000 ms');
  await clock.advance(3 * POLL_MS);
  t.deepEqual(seen, [{ advskew: 100, state: 'BACKUP' }, null]);
  t.deepEqual(loop.report()?.addresses, []);
  t.deepEqual(loop.report()?.problems, [
    {
      subject: 'carp',
      cause: 'ifconfig: no answer within 2000 ms',
      remedy: 'check ifconfig and carp(4) on this host',
      sinceMs: 11_000,
    },
  ]);
  t.deepEqual(
    log.filter(([, what]) => what.startsWith('log')),
    [[1000, 'log problem: ifconfig: no answer within 2000 ms']],
  );
  world.carpTrouble = null;
  await clock.advance(POLL_MS);
  t.deepEqual(seen.at(-1), { advskew: 100, state: 'BACKUP' });
  t.deepEqual(loop.report()?.problems, []);
});

test('CARP that only this process cannot read stands for a while, with its own age, unless it changed', async (t) => {
  const { loop, clock, world } = loopWorld();
  loop.wake();
  await clock.advance(0);
  const states = (): unknown => loop.report()?.addresses.map(({ state }) => state);
  world.carpTrouble = Object.assign(new Error('spawn ifconfig EMFILE'), { code: 'EMFILE' });
  await clock.advance(10 * POLL_MS);
  t.deepEqual(states(), ['BACKUP']);
  t.deepEqual(loop.report()?.problems, [
    {
      subject: 'carp',
      cause: 'no file descriptor is left here (EMFILE)',
      remedy: 'sysrc proxyagent_limits="-n 16384"; service proxyagent restart',
      sinceMs: 11_000,
    },
  ]);
  await clock.advance(POLL_MS);
  t.deepEqual(states(), []);
  world.carpTrouble = null;
  await clock.advance(POLL_MS);
  t.deepEqual([states(), loop.report()?.problems], [['BACKUP'], []]);
  world.carpTrouble = Object.assign(new Error('spawn ifconfig EMFILE'), { code: 'EMFILE' });
  loop.carpChanged();
  await clock.advance(0);
  t.deepEqual(states(), []);
});

test('a wake-up in the past, or now, does not spin', async (t) => {
  for (const behindMs of [0, 1, 60_000]) {
    const { loop, clock, log, world } = loopWorld();
    world.plan = () => ({ wakeAtMs: clock.nowMs() - behindMs });
    loop.wake();
    await clock.advance(20);
    const rounds = log.filter(([, what]) => what === 'decide').map(([atMs]) => atMs);
    t.deepEqual(
      rounds,
      Array.from({ length: 21 }, (_, at) => at),
    );
  }
});

test('the moment the policy names is kept, between two polls', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  world.plan = () => ({ wakeAtMs: 10_350 });
  loop.wake();
  await clock.advance(349);
  const before = log.filter(([, what]) => what === 'decide').length;
  await clock.advance(1);
  t.is(log.filter(([, what]) => what === 'decide').length, before + 1);
});

test('events during a round are one more round, not one each', async (t) => {
  const { loop, clock, log } = loopWorld();
  loop.wake();
  for (let events = 0; events < 50; events++) loop.carpChanged();
  await clock.advance(0);
  t.deepEqual(
    log.map(([, what]) => what).filter((what) => what === 'read' || what === 'decide'),
    ['read', 'decide', 'read', 'decide'],
  );
});

test('a policy that throws is said, and the next round is made all the same', async (t) => {
  const { loop, clock, log, world } = loopWorld();
  world.plan = () => {
    throw new Error('bug');
  };
  loop.wake();
  await clock.advance(0);
  t.deepEqual(log.at(-1), [0, 'log problem: bug']);
  world.plan = () => ({});
  await clock.advance(POLL_MS);
  t.true(log.some(([atMs, what]) => atMs > 0 && what === 'decide'));
});

test('a base that the disk does not take is not known', async (t) => {
  const { loop, clock, world } = loopWorld();
  world.saveTrouble = 'ENOSPC';
  loop.wake();
  await clock.advance(0);
  t.is(loop.report()?.addresses[0]?.baseAdvskew, null);
  world.saveTrouble = '';
  await clock.advance(POLL_MS);
  t.is(loop.report()?.addresses[0]?.baseAdvskew, 100);
});

test('peers are told what changed at once, each time with the next number, and nothing while nothing does', async (t) => {
  const { loop, clock, published, world } = loopWorld();
  loop.wake();
  await clock.advance(5 * POLL_MS);
  const settledAt = published.length;
  await clock.advance(60 * POLL_MS);
  t.is(published.length, settledAt);
  const [address] = OBSERVED.addresses;
  if (address === undefined) throw new Error('no address');
  world.carp = { ...OBSERVED, addresses: [{ ...address, state: 'MASTER' }] };
  loop.carpChanged();
  await clock.advance(0);
  t.is(published.length, settledAt + 1);
  t.is(published.at(-1)?.addresses[0]?.state, 'MASTER');
  t.deepEqual(
    published.map(({ sequence }) => sequence),
    published.map((_, at) => at + 1),
  );
});

test('stopped: no further round and no action, and nothing is undone that was not ours', async (t) => {
  const { loop, clock, log } = loopWorld();
  loop.wake();
  await clock.advance(0);
  await loop.stop();
  const before = log.length;
  loop.wake();
  loop.carpChanged();
  await clock.advance(60_000);
  t.deepEqual([log.length, clock.sleeping()], [before, []]);
});

test('a demotion that nothing explains is told after hold with the line that takes it back', async (t) => {
  const { loop, clock, world } = loopWorld();
  world.carp = { ...OBSERVED, demotion: 240 };
  loop.wake();
  await clock.advance(9000);
  t.deepEqual(loop.report()?.problems, []);
  await clock.advance(3000);
  t.deepEqual(
    loop.report()?.problems.map(({ subject, cause, remedy }) => [subject, cause, remedy]),
    [
      [
        'demotion',
        'CARP demotion is 240 and nothing here explains 240 of it: this host stands back ' +
          '(an advert was not sent, see pf; or a program)',
        'sysctl net.inet.carp.demotion=-240',
      ],
    ],
  );
  world.carp = OBSERVED;
  await clock.advance(3000);
  t.deepEqual(loop.report()?.problems, []);
});
