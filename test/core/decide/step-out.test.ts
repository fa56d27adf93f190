import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY, type Memory } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, NodeReport, NodeView } from '../../../agent/core/model.ts';
import { heard, intent, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';

// haproxy01 is preferred (base 0), haproxy02 the other (base 100); hold is 10 s.
const A = 'haproxy01';
const B = 'haproxy02';
type Change = Partial<Omit<NodeReport, 'addresses'>>;
const on =
  (node: string, baseAdvskew: number) =>
  (mine: Partial<AddressReport> = {}, change: Change = {}): NodeView =>
    heard(report(node, { ...change, addresses: [address({ baseAdvskew, ...mine })] }));
const onA = on(A, 0);
const onB = on(B, 100);
const DEAD: Change = { health: 'down', healthReason: 'HAProxy is down', healthSinceMs: NOW - 100 };
const UNPRIVILEGED = { subject: 'privilege', cause: 'not root', remedy: '', sinceMs: 0 };
const away = (node: NodeView, change: Partial<NodeView> = {}): NodeView => ({
  ...node,
  fresh: false,
  peerClass: 'suspect',
  ...change,
});

/** What is done at each of these times, one decision after the other. */
function course(at: (nowMs: number) => View, times: readonly number[]) {
  let memory: Memory = NO_MEMORY;
  return times.map((ms) => {
    const decision = decide(at(NOW + ms), memory, NOW + ms);
    ({ memory } = decision);
    const done = decision.actions.map((one) =>
      'advskew' in one ? `${one.kind} ${one.advskew}` : one.kind,
    );
    return [ms, done.join(', '), decision.wakeAtMs === null ? null : decision.wakeAtMs - NOW];
  });
}

test('HAProxy dead and nobody heard: left to whoever lives after a second, once in ten', (t) => {
  const alone = (advskew: number) => () =>
    view(A, [onA({ state: 'MASTER', advskew }, DEAD), away(onB())]);
  t.deepEqual(course(alone(0), [0, 999, 1000, 1001, 10_999, 11_000]), [
    [0, '', 1000],
    [999, '', 1000],
    [1000, 'step-out 254', 11_000],
    [1001, 'set-advskew 254', 11_000],
    [10_999, 'set-advskew 254', 11_000],
    [11_000, 'step-out 254', 21_000],
  ]);
  // MASTER again because nobody took it: it is not raised meanwhile.
  t.deepEqual(course(alone(254), [0, 500]), [
    [0, '', 1000],
    [500, '', 1000],
  ]);
});

test('HAProxy dead and two agents heard under the name of the other: neither is an answer', (t) => {
  const twice = (nowMs: number) =>
    away(onB(), { peerClass: 'alive', heardAtMs: nowMs, doubleSinceMs: NOW });
  const at = (nowMs: number) => view(A, [onA({ state: 'MASTER' }, DEAD), twice(nowMs)]);
  t.deepEqual(course(at, [0, 999, 1000]), [
    [0, '', 1000],
    [999, '', 1000],
    [1000, 'step-out 254', 11_000],
  ]);
});

test('a HAProxy that lived for a second and dies again is not kept by an earlier time', (t) => {
  const dies = (aliveMs: number) => (nowMs: number) => {
    const alive = nowMs - NOW > 1000 && nowMs - NOW <= 1000 + aliveMs;
    const since: Change = alive ? { healthSinceMs: NOW + 1001 } : DEAD;
    return view(A, [onA({ state: 'MASTER' }, since), away(onB())]);
  };
  const dones = (aliveMs: number) =>
    course(dies(aliveMs), [0, 1000, 1000 + aliveMs, 3000, 4000]).map(([, done]) => done);
  t.deepEqual(dones(1001), ['', 'step-out 254', '', 'step-out 254', 'set-advskew 254']);
  t.deepEqual(dones(500), ['', 'step-out 254', '', 'set-advskew 254', 'set-advskew 254']);
});

test('left to nobody: while HAProxy lives, all peers are dead, paused, watched only', (t) => {
  const mine = (change: Change) => onA({ state: 'MASTER' }, change);
  const paused = { intents: wishes(intent('pause', 'on')) };
  for (const at of [
    view(A, [mine({}), away(onB())]),
    view(A, [mine(DEAD), away(onB(), { peerClass: 'dead' })]),
    view(A, [mine(DEAD), away(onB())], paused),
    view(A, [mine({ ...DEAD, joined: false, problems: [UNPRIVILEGED] }), away(onB())]),
    view(A, [mine(DEAD)]),
    view(A, [onA({ state: 'BACKUP' }, DEAD), away(onB())]),
  ])
    t.deepEqual(
      course(() => at, [0, 60_000]).map(([, done]) => done),
      ['', ''],
    );
});

test('all nodes but one are dead for certain: the one that may live is enough', (t) => {
  const third = away(heard(report('haproxy03', {})), { peerClass: 'agent-down' });
  const at = view(A, [onA({ state: 'MASTER' }, DEAD), away(onB(), { peerClass: 'dead' }), third]);
  t.deepEqual(
    course(() => at, [0, 1000]).map(([, done]) => done),
    ['', 'step-out 254'],
  );
});

test('a handshake that nobody ends: left to the kernels after 2.5 s', (t) => {
  const lowered = () => view(A, [onA({ state: 'MASTER', advskew: 254 }, DEAD), onB()]);
  t.deepEqual(course(lowered, [0, 2499, 2500, 12_499, 12_500]), [
    [0, '', 2000],
    [2499, '', 2500],
    [2500, 'step-out 254', 12_500],
    [12_499, '', 12_500],
    [12_500, 'step-out 254', 22_500],
  ]);
});

test('a demoted host with a living HAProxy is given the address by the plain handshake', (t) => {
  const demoted: Change = { demotion: 240 };
  // The holder lowers itself all the way, though its own base is the higher one.
  for (const [self, holder, taker, base] of [
    [A, onA, onB, 100],
    [B, onB, onA, 0],
  ] as const) {
    const other = self === A ? B : A;
    const first = decide(
      view(self, [holder({ state: 'MASTER' }, DEAD), taker({}, demoted)]),
      NO_MEMORY,
      NOW,
    );
    t.deepEqual(
      first.actions.map((one) => ('advskew' in one ? one.advskew : null)),
      [254],
    );
    const lowered = holder({ state: 'MASTER', advskew: 254 }, DEAD);
    const second = decide(view(self, [lowered, taker({}, demoted)]), NO_MEMORY, NOW);
    t.is(second.verdicts[0]?.yieldTo, other);
    const naming = holder({ state: 'MASTER', advskew: 254, yieldTo: other }, DEAD);
    const took = decide(view(other, [taker({}, demoted), naming]), NO_MEMORY, NOW);
    t.deepEqual(
      took.actions.map((one) => ('advskew' in one ? [one.kind, one.advskew] : one.kind)),
      [['take', base]],
    );
  }
});

test('a demoted host takes it past a third one that is lowered, not past one that is not', (t) => {
  const third = (advskew: number): NodeView =>
    heard(report('haproxy03', { ...DEAD, addresses: [address({ baseAdvskew: 150, advskew })] }));
  const lowered = onA({ state: 'MASTER', advskew: 254 }, DEAD);
  const grants = (advskew: number) =>
    decide(view(A, [lowered, onB({}, { demotion: 240 }), third(advskew)]), NO_MEMORY, NOW)
      .verdicts[0]?.yieldTo;
  t.deepEqual([grants(254), grants(150)], [B, null]);
});

test('nobody has answered for long: what HAProxy leaves is left to whoever lives at once', (t) => {
  const silent = away(onB(), { heardAtMs: NOW - 1000 });
  const deaf = { ...onB(), oneWay: { deaf: 'it', sinceMs: NOW - 1000 } } as const;
  for (const [mine, peer] of [
    [{}, silent],
    [{}, deaf],
    [{ byHand: true, advskew: 254 }, silent],
    [{ advskew: 254, baseAdvskew: null }, silent],
  ] as const)
    t.deepEqual(
      course(() => view(A, [onA({ state: 'MASTER', ...mine }, DEAD), peer]), [0]),
      [[0, 'step-out 254', 10_000]],
    );
  const young = view(A, [
    onA({ state: 'MASTER' }, { ...DEAD, joined: false, agentStartedMs: NOW - 400 }),
    away(onB(), { heardAtMs: null }),
  ]);
  t.deepEqual(
    course(() => young, [0, 600]).map(([, done]) => done),
    ['', 'step-out 254'],
    'an agent that has just started asks for a second first',
  );
});

test('one that hears nothing and says that its HAProxy is dead is nobody to leave it to, until it lives', (t) => {
  const peer = (change: Change): NodeView => ({
    ...onB({}, change),
    oneWay: { deaf: 'it', sinceMs: NOW - 5000 },
  });
  const at = (nowMs: number) =>
    view(A, [onA({ state: 'MASTER' }, DEAD), peer(nowMs < NOW + 3000 ? DEAD : {})]);
  t.deepEqual(
    course((nowMs) => at(nowMs), [0, 1100, 2900, 3000]).map(([, done]) => done),
    ['', '', '', 'step-out 254'],
  );
});

test('one that does not hear us while another does is no reason: the handshake goes on', (t) => {
  const deaf = { ...onB(), oneWay: { deaf: 'it', sinceMs: NOW - 5000 } } as const;
  const third = heard(report('haproxy03', { addresses: [address({ baseAdvskew: 150 })] }));
  const at = view(A, [onA({ state: 'MASTER' }, DEAD), deaf, third]);
  t.deepEqual(
    course(() => at, [0]).map(([, done]) => done),
    ['set-advskew 254'],
  );
});

test('a holder whose HAProxy is dead and that does not hear us needs name nobody once it says 254', (t) => {
  const takes = (holder: Partial<AddressReport>, change: Change, deaf: boolean) => {
    const there = onA({ state: 'MASTER', advskew: 254, ...holder }, { seen: [], ...change });
    const oneWay = deaf ? ({ deaf: 'it', sinceMs: NOW } as const) : null;
    return decide(view(B, [onB(), { ...there, oneWay }]), NO_MEMORY, NOW).actions.map(
      ({ kind }) => kind,
    );
  };
  t.deepEqual(takes({}, DEAD, true), ['take']);
  t.deepEqual(takes({ state: 'BACKUP' }, DEAD, true), ['take'], 'it has stepped out already');
  for (const [holder, change, deaf] of [
    [{}, DEAD, false],
    [{ state: 'BACKUP' }, DEAD, false],
    [{ advskew: 0 }, DEAD, true],
    [{}, {}, true],
    [{}, { health: 'unknown' }, true],
    [{}, { health: 'partly' }, true],
  ] as const)
    t.deepEqual(takes(holder, change, deaf), [], JSON.stringify([holder, change, deaf]));
});

test('an agent that has just started takes what a dead HAProxy gives it, and nothing else', (t) => {
  const starting: Change = { joined: false };
  const takes = (holder: Change, mine: Change) => {
    const there = onA({ state: 'MASTER', advskew: 254, yieldTo: B }, holder);
    return decide(view(B, [onB({}, mine), there]), NO_MEMORY, NOW).actions.map(({ kind }) => kind);
  };
  t.deepEqual(takes(DEAD, starting), ['take']);
  t.deepEqual(takes(DEAD, { ...starting, problems: [UNPRIVILEGED] }), []);
  t.deepEqual(takes({ health: 'partly' }, starting), []);
});
