import test from 'ava';
import {
  candidatesFor,
  goalOf,
  isFit,
  isLost,
  isSpent,
  letsWin,
  unfit,
  type Candidate,
} from '../../../agent/core/decide/candidates.ts';
import { owner } from '../../../agent/core/decide/owner.ts';
import type { AddressReport, NodeView } from '../../../agent/core/model.ts';
import { heard, intent, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, B, C, DEAD, MASTER, onA, onB, onC, type Change } from './three-nodes.ts';

const of = (...nodes: readonly NodeView[]) => candidatesFor('1@wan', view(A, nodes));
const one = (mine: Partial<AddressReport>, change: Change = {}, ...others: readonly NodeView[]) =>
  of(onA(mine, change), ...others)[0] as Candidate;

test('a candidate is a fresh node that carries the address, by name', (t) => {
  const other = onA({ address: '2@wan' });
  t.deepEqual(
    of(onC(), onB(), onA()).map(({ node }) => node),
    [A, B, C],
  );
  t.deepEqual(
    of({ ...onA(), fresh: false }, { ...onB(), report: null }, onC()).map(({ node }) => node),
    [C],
  );
  t.deepEqual(of(other), []);
  const both = heard(report(B, { addresses: [address({ address: '2@wan' }), address()] }));
  t.is(of(both)[0]?.address.address, '1@wan');
});

test('able is who is linked and stays, fenced or not', (t) => {
  const able = (mine: Partial<AddressReport>, change: Change = {}) => one(mine, change).able;
  t.true(able({}));
  t.false(able({ state: 'INIT' }));
  t.true(able({ state: 'INIT' }, { fenced: true }));
  t.false(able({}, { leaving: true }));
  t.true(able({ cutOff: true }), 'all are cut off');
});

test('who is cut off is not able beside one in touch, or beside a MASTER that is not cut off', (t) => {
  const cut = (mine: Partial<AddressReport>, other: Partial<AddressReport>) =>
    one({ cutOff: true, ...mine }, {}, onB(other)).able;
  t.false(cut({}, { inTouch: true }));
  t.false(cut(MASTER, { inTouch: true }));
  t.false(cut({}, MASTER));
  t.true(cut(MASTER, MASTER), 'a MASTER stays able beside another that nobody answered yet');
  t.true(cut({}, { ...MASTER, cutOff: true }));
  t.true(cut({}, {}), 'a BACKUP that is not cut off holds nothing');
  t.true(one({ cutOff: true }, {}, onB({ address: '2@wan', inTouch: true })).able, 'of another');
});

test('demoted counts where another is not: from 240 on, and not for a fence', (t) => {
  const demoted = (demotion: number, other: number, change: Change = {}) =>
    one({}, { demotion, ...change }, onB({}, { demotion: other })).demoted;
  t.deepEqual([demoted(239, 0), demoted(240, 0), demoted(480, 0)], [false, true, true]);
  t.deepEqual([demoted(240, 239), demoted(240, 240), demoted(480, 240)], [true, false, false]);
  t.false(demoted(240, 0, { fenced: true }));
});

test('joined is who has met its peers, or is MASTER', (t) => {
  t.deepEqual(
    [one({}).joined, one({}, { joined: false }).joined, one(MASTER, { joined: false }).joined],
    [true, false, true],
  );
  t.deepEqual([one({}).isMaster, one(MASTER).isMaster], [false, true]);
});

test('fit is who is able, has joined and is not demoted, each of them', (t) => {
  const fit = { ...one({}), able: true, joined: true, demoted: false };
  t.true(isFit(fit));
  for (const change of [{ able: false }, { joined: false }, { demoted: true }])
    t.false(isFit({ ...fit, ...change }));
  t.false(isFit({ ...fit, able: false, joined: false }));
});

test('why a node is not fit, the weightiest first', (t) => {
  const says = (mine: Partial<AddressReport>, change: Change = {}) => unfit(one(mine, change));
  const observer = { subject: 'privilege', cause: 'not root', remedy: '', sinceMs: 0 };
  t.is(says({ state: 'INIT' }), 'its vhid is INIT');
  t.is(
    says({ state: 'INIT', cutOff: true }, { fenced: true }),
    'nobody answers it on that network',
  );
  t.is(says({ cutOff: true }, { leaving: true }), 'nobody answers it on that network');
  t.is(says({}, { leaving: true, joined: false }), 'it is shutting down');
  t.is(
    says({}, { joined: false, problems: [observer] }),
    'its agent is not privileged and only observes',
  );
  t.is(says({}, { joined: false, demotion: 240 }), 'its agent has just started');
  t.is(says({}, { demotion: 240 }), 'its CARP demotion is 240');
});

test('the budget counts the moves of all nodes within the window', (t) => {
  const ago = (...list: readonly number[]) => ({ movesAtMs: list.map((ms) => NOW - ms) });
  const spent = (mine: readonly number[], theirs: readonly number[]) => {
    const nodes = [onA(ago(...mine)), onB(ago(...theirs))];
    return isSpent(of(...nodes), view(A, nodes), NOW);
  };
  t.deepEqual(
    [spent([1, 2], []), spent([1, 2], [3]), spent([1, 2, 3, 4], [])],
    [false, true, true],
  );
  t.deepEqual([spent([1, 2], [599_999]), spent([1, 2], [600_000])], [true, false]);
});

test('adverts are lost where one candidate says so or is fenced', (t) => {
  t.deepEqual(
    [
      isLost(of(onA(), onB())),
      isLost(of(onA(), onB({ advertsLost: true }))),
      isLost(of(onA({}, { fenced: true }), onB())),
    ],
    [false, true, true],
  );
});

test('what the kernels will compare is the base with the demotion, at most 240', (t) => {
  const goal = (mine: Partial<AddressReport>, demotion = 0) => goalOf(one(mine, { demotion }));
  t.is(goal({ baseAdvskew: 100, advskew: 254 }), 100);
  t.is(goal({ baseAdvskew: null, advskew: 50 }), 50);
  t.is(goal({ baseAdvskew: 100 }, 20), 120);
  t.is(goal({ baseAdvskew: 100 }, 240), 240);
  t.is(goal({ baseAdvskew: 100 }, -240), 0);
});

test('a bystander lets one win that advertises more often, or when it is lowered all the way', (t) => {
  const lets = (advskew: number, goal: number, demotion = 0) =>
    letsWin(one({ advskew }, { demotion }), goal);
  t.deepEqual([lets(100, 99), lets(100, 100), lets(100, 101)], [true, false, false]);
  t.deepEqual([lets(254, 240), lets(240, 240), lets(239, 240)], [true, true, false]);
  t.deepEqual([lets(0, 100, 240), lets(90, 100, 20)], [true, true]);
});

/** Who owns it, the place that decided it, and the one it was closest with. */
function verdict(nodes: readonly NodeView[], change: Parameters<typeof view>[2] = {}) {
  const { owner: chosen, place, over } = owner('1@wan', view(A, nodes, change), NOW);
  return [chosen?.node ?? null, place?.name ?? null, over?.node ?? null];
}

test('nobody to compare with: the owner is the only one, or nobody', (t) => {
  t.deepEqual(verdict([onA()]), [A, null, null]);
  t.deepEqual(verdict([{ ...onA(), fresh: false }]), [null, null, null]);
});

test('of hosts with the same base the first name is preferred, whatever their order', (t) => {
  const same = [onC({ baseAdvskew: 50 }), onB({ baseAdvskew: 50 }), onA({ baseAdvskew: 50 })];
  t.deepEqual(verdict(same), [A, 'name', B]);
  t.deepEqual(verdict(same.slice(0, 2)), [B, 'name', C]);
});

test('one place after the other decides, the weightiest first', (t) => {
  const pin = { intents: wishes(intent('pin/1@wan', B)) };
  const care = { intents: wishes(intent(`maintenance/${A}`, 'on')) };
  const long = { healthSinceMs: NOW - 10_000 };
  const partly: Change = { health: 'partly', ...long };
  t.deepEqual(verdict([onA({}, { leaving: true }), onB({}, DEAD)]), [B, 'able', A]);
  t.deepEqual(verdict([onA({}, DEAD), onB({}, partly)]), [B, 'haproxy', A]);
  t.deepEqual(verdict([onA({}, partly), onB({}, { joined: false })]), [B, 'partly', A]);
  t.deepEqual(verdict([onA({}, { joined: false }), onB({}, { demotion: 240 })]), [B, 'joined', A]);
  t.deepEqual(verdict([onA({}, { demotion: 240 }), onB()]), [B, 'demotion', A]);
  t.deepEqual(verdict([onA(), onB()], care), [B, 'maintenance', A]);
  t.deepEqual(verdict([onA(), onB()], pin), [B, 'pin', A]);
  t.deepEqual(verdict([onA({}, { health: 'degraded', ...long }), onB()]), [B, 'degraded', A]);
  t.deepEqual(verdict([onA({ readySinceMs: NOW }), onB(MASTER)]), [B, 'ripe', A]);
  t.deepEqual(verdict([onB(), onA()]), [A, 'advskew', B]);
});

test('closed frontends count once one of several has been closed for hold and another is open', (t) => {
  const partly = (ms: number): Change => ({ health: 'partly', healthSinceMs: NOW - ms });
  const open = onC({}, { healthSinceMs: NOW });
  const cared = { intents: wishes(intent(`maintenance/${C}`, 'on')) };
  const of = (a: number, b: number) =>
    verdict([onA({}, partly(a)), onB({}, partly(b)), open], cared);
  t.deepEqual([of(9999, 9999)[0], of(9999, 10_000)[0]], [A, C]);
  const both = [onA({}, partly(60_000)), onB({}, partly(60_000))];
  t.deepEqual(verdict(both), [A, 'advskew', B], 'open nowhere');
  const unknown = onB({}, { health: 'unknown' });
  const beside = [onA({}, partly(60_000)), unknown, onC()];
  t.is(verdict(beside)[0], C);
  t.deepEqual(verdict([unknown, onC()]), [C, 'ripe', B], 'nobody is closed');
  const holder = onB(MASTER, { health: 'unknown' });
  t.is(verdict([onA({}, partly(60_000)), holder, onC()])[0], B, 'a MASTER that cannot be asked');
  const leaves = onC({}, { leaving: true });
  t.is(verdict([onA({}, partly(60_000)), holder, leaves])[0], A, 'open on one that leaves only');
});
