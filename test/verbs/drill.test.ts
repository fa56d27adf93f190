import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { drillKey, drillValue, type DrillRecord } from '../../agent/core/drill.ts';
import { maintenanceKey, PAUSE_KEY, pinKey } from '../../agent/core/intents.ts';
import { intent } from '../core/builders.ts';
import { address } from '../reports.ts';
import { A, ACT, B, DrillDesk, HEADER } from './drill-desk.ts';

/** What is stored and shown of the last drill, without its times. */
const standing = (desk: DrillDesk) => {
  const { state, darkMs, why, homes, by } = desk.last() ?? {};
  return { state, darkMs, why, homes, by };
};

test('a drill moves there and back, leaves no pin, and passes where clients waited less than the bound', async (t) => {
  const desk = new DrillDesk();
  const stored: unknown[] = [];
  desk.onStep = (step) => {
    if (step === 'begun') stored.push(desk.last()?.state, desk.been.length);
    if (step === 'restored') desk.seen({ darkMs: 40 });
  };
  const { outcome, changed, addresses, error, drill } = await desk.run();
  t.deepEqual([outcome, changed, error], ['reached', false, null]);
  t.deepEqual(
    addresses.map(({ from, to, outcome }) => [from, to, outcome]),
    [[A, B, 'moved']],
  );
  t.deepEqual(drill, { node: A, means: null, probes: ['10.1.60.200:443'] });
  t.deepEqual(desk.been, [A, B, A]);
  t.deepEqual(desk.pins(), []);
  // On record before anything moves.
  t.deepEqual(stored, ['running', 1]);
  t.deepEqual(standing(desk), {
    state: 'passed',
    darkMs: 40,
    why: '',
    homes: { [A]: ['1@wan'] },
    by: A,
  });
  t.deepEqual(
    desk.said.map(({ step }) => step),
    ['checking', 'begun', 'away', 'stayed', 'restored'],
  );
});

test('it fails where clients waited longer, and everything is as before', async (t) => {
  const desk = new DrillDesk();
  desk.onStep = (step) => {
    if (step === 'restored') desk.seen({ darkMs: 501 });
  };
  const { outcome, error } = await desk.run();
  t.deepEqual(
    [outcome, error?.code, error?.message],
    ['failed', 'outage', 'clients waited 501 ms, more than 500 ms'],
  );
  t.deepEqual(desk.been, [A, B, A]);
  t.is(desk.last()?.state, 'failed');
});

test('whoever watches clients ends it at once: all is put back without the rest of its time', async (t) => {
  const desk = new DrillDesk();
  let awayMs = 0;
  desk.onStep = (step) => {
    if (step === 'away') {
      awayMs = desk.clock.nowMs();
      desk.seen({ stop: true, why: 'clients have waited 600 ms' });
    }
    if (step === 'restored') desk.seen({ darkMs: 600 });
  };
  const { outcome, error } = await desk.run({ stayMs: 600_000 });
  t.deepEqual(
    [outcome, error?.code, error?.message],
    ['failed', 'stopped', 'clients have waited 600 ms'],
  );
  t.deepEqual(desk.been, [A, B, A]);
  t.true(desk.clock.nowMs() - awayMs <= 200);
  t.deepEqual(standing(desk), {
    state: 'failed',
    darkMs: 600,
    why: 'clients have waited 600 ms',
    homes: { [A]: ['1@wan'] },
    by: A,
  });
});

test('it can be ended while the move itself hangs', async (t) => {
  const desk = new DrillDesk();
  desk.stuck = true;
  desk.onStep = (step) => {
    if (step === 'begun') desk.clock.after(300, () => desk.seen({ stop: true, why: 'dark' }));
    if (step === 'restored') desk.seen();
  };
  const { outcome, error } = await desk.run();
  t.deepEqual([outcome, error?.message], ['failed', 'dark']);
  t.true(desk.clock.nowMs() < 1000);
  // The move's own end, which nobody waits for, leaves nothing either.
  for (let step = 0; step < 200; step++) await desk.clock.advance(100);
  t.deepEqual([desk.been, desk.pins()], [[A], []]);
});

test('where nobody says what clients saw it has not passed', async (t) => {
  const desk = new DrillDesk();
  const { outcome, error } = await desk.run();
  t.deepEqual([outcome, error?.code, desk.last()?.state], ['failed', 'not_watched', 'interrupted']);
  t.deepEqual(desk.been, [A, B, A]);
});

test('what cannot be put back is said, and is neither passed nor failed unchanged', async (t) => {
  const desk = new DrillDesk();
  desk.onStep = (step) => {
    if (step === 'stayed') desk.stuck = true;
    if (step === 'restored') desk.seen();
  };
  const { outcome, changed, error } = await desk.run();
  t.deepEqual(
    [outcome, changed, error?.code, error?.message],
    ['result-unknown', true, 'not_restored', `not everything is as before: 1@wan is not on ${A}`],
  );
});

test('a pin that an operator sets meanwhile stays', async (t) => {
  const desk = new DrillDesk();
  desk.onStep = (step) => {
    if (step === 'away') {
      const stamp = { wallMs: desk.clock.wallMs() + 1000, count: 0, node: A };
      desk.store([intent(pinKey('1@wan'), B, { stamp, requestId: 'other' })]);
    }
    if (step === 'restored') desk.seen();
  };
  const { error } = await desk.run();
  t.is(error?.code, 'not_restored');
  t.deepEqual(
    desk.pins().map(({ value, requestId }) => [value, requestId]),
    [[B, 'other']],
  );
});

test('a dry run says what would move, where clients are, and stores nothing', async (t) => {
  const desk = new DrillDesk();
  const { outcome, addresses, drill } = await desk.run({ header: { ...HEADER, dryRun: true } });
  t.deepEqual(
    [outcome, addresses.map(({ to, outcome }) => [to, outcome]), drill?.probes, desk.intents.size],
    ['would-change', [[B, 'would-move']], ['10.1.60.200:443'], 0],
  );
});

const fail = {
  id: 'all-down',
  node: A,
  subject: 'x',
  severity: 'fail' as const,
  text: 'HAProxy serves on no node',
  remedy: '',
  sinceMs: 0,
};
const RISKS: readonly (readonly [string, string, string, (desk: DrillDesk) => void])[] = [
  [
    'an agent that is not heard',
    'unreachable',
    'agent_unreachable',
    ({ views }) => (views[B] = { fresh: false }),
  ],
  [
    'one that has just started',
    'conflict',
    'just_started',
    ({ more }) => (more[B] = { joined: false }),
  ],
  [
    'a HAProxy that is dead',
    'unsafe',
    'peer_unhealthy',
    ({ more }) => (more[B] = { health: 'down' }),
  ],
  [
    'maintenance',
    'conflict',
    'in_maintenance',
    (desk) => desk.store([intent(maintenanceKey(B), 'on')]),
  ],
  ['a pause', 'conflict', 'paused', (desk) => desk.store([intent(PAUSE_KEY, 'on')])],
  ['a pin', 'conflict', 'pinned', (desk) => desk.store([intent(pinKey('1@wan'), A)])],
  ['an alert of severity fail', 'unsafe', 'alerts', (desk) => (desk.alerts = [fail])],
  [
    'two MASTERs',
    'unsafe',
    'split_brain',
    ({ more }) => (more[B] = { addresses: [address({ state: 'MASTER', baseAdvskew: 100 })] }),
  ],
  [
    'no MASTER',
    'unsafe',
    'no_master',
    ({ more }) => (more[A] = { addresses: [address({ state: 'BACKUP' })] }),
  ],
  [
    'an address that is about to move',
    'conflict',
    'moving',
    ({ more }) => (more[A] = { addresses: [address({ state: 'MASTER', owner: B })] }),
  ],
  ['adverts that are lost', 'unsafe', 'adverts_lost', ({ more }) => (more[B] = { fenced: true })],
];

for (const [what, outcome, code, plant] of RISKS)
  test(`it refuses, dry or not, for ${what}`, async (t) => {
    for (const dryRun of [true, false]) {
      const desk = new DrillDesk();
      plant(desk);
      const failure = await t.throwsAsync(desk.run({ header: { ...HEADER, dryRun } }), {
        instanceOf: ActFailure,
      });
      t.deepEqual([failure.outcome, failure.detail.code], [outcome, code]);
      t.deepEqual([desk.been, desk.last()], [[A], undefined]);
    }
  });

test('it refuses for a node that is not there, and for one without an address', async (t) => {
  const desk = new DrillDesk();
  const codes = [];
  for (const node of ['haproxy09', B]) {
    const failure = await t.throwsAsync(desk.run({ node }), { instanceOf: ActFailure });
    codes.push([failure.outcome, failure.detail.code]);
  }
  t.deepEqual(codes, [
    ['not-found', 'no_such_node'],
    ['conflict', 'nothing_held'],
  ]);
});

test('a word on a drill that does not go on here is not found', (t) => {
  const desk = new DrillDesk();
  t.is(t.throws(() => desk.seen(), { instanceOf: ActFailure }).outcome, 'not-found');
});

test('haproxy: the addresses leave by themselves, and all is put back without a pin before that', async (t) => {
  const desk = new DrillDesk();
  const pinned: number[] = [];
  desk.onStep = (step) => {
    pinned.push(desk.pins().length);
    if (step === 'restored') desk.seen();
  };
  const { outcome, drill } = await desk.run({ kind: 'haproxy', means: 'frontends' });
  t.deepEqual([outcome, drill?.means, desk.last()?.means], ['reached', 'frontends', 'frontends']);
  t.deepEqual(desk.been, [A, B, A]);
  t.deepEqual(desk.askedFor, [`${A} close frontends 12000`, `${A} open`]);
  t.deepEqual(
    desk.said.map(({ step }) => step),
    ['checking', 'begun', 'closed', 'away', 'stayed', 'restored'],
  );
  t.deepEqual(pinned, [0, 0, 0, 0, 0, 0]);
});

test('haproxy: where nobody takes over it fails, and the frontends are open again', async (t) => {
  const desk = new DrillDesk();
  desk.stuck = true;
  desk.onStep = (step) => {
    if (step === 'restored') desk.seen();
  };
  const { outcome, error } = await desk.run({ kind: 'haproxy' });
  t.deepEqual([outcome, error?.code], ['failed', 'not_rescued']);
  t.deepEqual(desk.askedFor, [`${A} close null 12000`, `${A} open`]);
});

test('haproxy: ended early the frontends are opened at once', async (t) => {
  const desk = new DrillDesk();
  desk.onStep = (step) => {
    if (step === 'closed') desk.seen({ stop: true, why: 'dark' });
    if (step === 'restored') desk.seen();
  };
  const { error } = await desk.run({ kind: 'haproxy', stayMs: 60_000 });
  t.deepEqual([error?.message, desk.closed, desk.been.at(-1)], ['dark', false, A]);
  t.true(desk.clock.nowMs() < 1000);
});

/** The agent on B ends and comes back after a second. */
const restarts = (desk: DrillDesk) => (): void => {
  desk.clock.after(100, () => (desk.views[B] = { fresh: false }));
  desk.clock.after(1100, () => {
    desk.views[B] = {};
    desk.more[B] = { startId: 2, joined: false };
  });
  desk.clock.after(1400, () => (desk.more[B] = { startId: 2 }));
};

test('agent: another one than that which is asked ends, and passes once it has met the others', async (t) => {
  const desk = new DrillDesk();
  desk.onEnd = restarts(desk);
  desk.onStep = (step) => {
    if (step === 'restored') desk.seen({ darkMs: 0 });
  };
  const { outcome, addresses } = await desk.run({ kind: 'agent' });
  t.deepEqual([outcome, addresses, desk.askedFor, desk.been], ['reached', [], [`${B} end`], [A]]);
  t.deepEqual(
    desk.said.map(({ step }) => step),
    ['checking', 'begun', 'ended', 'gone', 'back', 'restored'],
  );
  t.true(desk.clock.nowMs() >= 1400);
});

test('agent: an address that moved for it, and one that does not come back, are failures', async (t) => {
  const [moves, stays] = [new DrillDesk(), new DrillDesk()];
  for (const desk of [moves, stays])
    desk.onStep = (step) => {
      if (step === 'gone') moves.closed = true;
      if (step === 'back') moves.closed = false;
      if (step === 'restored') desk.seen();
    };
  moves.onEnd = restarts(moves);
  stays.onEnd = () => void (stays.views[B] = { fresh: false });
  const [first, second] = [await moves.run({ kind: 'agent' }), await stays.run({ kind: 'agent' })];
  t.deepEqual([first.error?.code, second.error?.code], ['moved', 'not_back']);
});

test('agent: nobody watches their own end', async (t) => {
  const desk = new DrillDesk();
  const failure = await t.throwsAsync(desk.run({ kind: 'agent', node: A }), {
    instanceOf: ActFailure,
  });
  t.deepEqual([failure.outcome, failure.detail.code], ['conflict', 'own_agent']);
});

test('a node whose frontends are closed opens them as soon as it does not hear who carries it out', async (t) => {
  const desk = new DrillDesk();
  cutShort(desk, { kind: 'haproxy', by: B });
  desk.closed = true;
  await desk.recovered(200);
  t.deepEqual(desk.askedFor, []);
  desk.views[B] = { fresh: false };
  await desk.recovered(200);
  t.deepEqual([desk.askedFor, desk.closed], [[`${A} open`], false]);
});

/** What an agent that was killed in the middle leaves: the record, and the pin to the other node. */
function cutShort(desk: DrillDesk, more: Partial<DrillRecord> = {}): void {
  const record: DrillRecord = {
    kind: ACT.kind,
    state: 'running',
    node: A,
    by: A,
    means: null,
    startedWallMs: desk.clock.wallMs(),
    endedWallMs: null,
    deadlineWallMs: desk.clock.wallMs() + 60_000,
    maxOutageMs: 500,
    darkMs: null,
    sent: null,
    lost: null,
    why: '',
    homes: { [A]: ['1@wan'] },
    ...more,
  };
  desk.store([
    intent(drillKey(record.kind), drillValue(record), { requestId: 'r', actor: 'anna' }),
    intent(pinKey('1@wan'), B, { requestId: 'r' }),
  ]);
}

test('an agent that was killed in the middle puts everything back once it has met the others', async (t) => {
  const desk = new DrillDesk();
  cutShort(desk);
  desk.more[A] = { joined: false };
  await desk.recovered(500);
  t.deepEqual(desk.been, [A, B]);
  desk.more[A] = {};
  await desk.recovered(500);
  t.deepEqual([desk.been, desk.pins()], [[A, B, A], []]);
  t.like(desk.last(), {
    state: 'interrupted',
    why: `the agent on ${A} ended in the middle of it; everything is as before`,
    actor: 'anna',
    requestId: 'r',
  });
});

test('until it is back the others take the pins of the drill back, and leave the end to it', async (t) => {
  const desk = new DrillDesk(B);
  cutShort(desk);
  await desk.recovered(200);
  t.is(desk.pins().length, 1);
  desk.views[A] = { fresh: false };
  await desk.recovered(200);
  t.deepEqual([desk.pins(), desk.last()?.state], [[], 'running']);
});

test('a drill that nobody ends is interrupted once its time is over, and the next may begin', async (t) => {
  const desk = new DrillDesk(B);
  cutShort(desk);
  const refused = await t.throwsAsync(desk.run(), { instanceOf: ActFailure });
  t.is(refused.detail.code, 'drill_running');
  desk.stuck = true;
  desk.been.splice(0, 9, A);
  for (let passed = 0; passed < 61; passed++) await desk.clock.advance(1000);
  t.like(desk.last(), { state: 'interrupted', why: `the agent on ${A} did not end it` });
});
