import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import type { Decision } from '../../../agent/core/decide/decision.ts';
import { NO_MEMORY, type Memory } from '../../../agent/core/decide/memory.ts';
import type { NodeView, PathReading } from '../../../agent/core/model.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import { intent, view, wishes } from '../builders.ts';
import { NOW } from '../../reports.ts';
import { A, answers, B, type Change, MASTER, onA, onB, onC, silent } from './three-nodes.ts';

const never = (node: string | null): PathReading => ({
  ...silent(node, 1000),
  answeredAtMs: null,
});
const essence = ({ actions, verdicts }: Decision) => ({
  actions: actions.map((one) => ('advskew' in one ? `${one.kind} ${one.advskew}` : one.kind)),
  owner: verdicts[0]?.owner ?? null,
});
const ask = (at: View, memory: Memory = NO_MEMORY, nowMs = NOW) =>
  essence(decide(at, memory, nowMs));
const gone = (view: NodeView): NodeView => ({ ...view, peerClass: 'agent-down', fresh: false });

/** What is remembered of a silence that was noticed so long ago. */
const silentFor = (ms: number): Memory => ({
  ...NO_MEMORY,
  silence: new Map([['wan', { now: true, sinceMs: NOW - ms, atMs: NOW - 1 }]]),
});
const CUT = { paths: [silent(B, 1000), silent(null, 1000)] };

test('a MASTER that hears nobody on its own network gives the address to one that is in touch there', (t) => {
  const at = view(A, [onA(MASTER), onB({ inTouch: true })], CUT);
  t.deepEqual(ask(at, silentFor(1500)), { actions: ['set-advskew 254'], owner: B });
  t.deepEqual(ask(at, silentFor(1499)), { actions: [], owner: A }, 'not for a blip');
  t.deepEqual(ask(at), { actions: [], owner: A }, 'not at once: the other may be about to notice');
});

test('where all are cut off, or one just came back, nothing moves', (t) => {
  const both = [onA(MASTER), onB({ cutOff: true })];
  t.deepEqual(ask(view(A, both, CUT), silentFor(5000)), { actions: [], owner: A });
  const back = [onA(MASTER), onB({ cutOff: false, inTouch: false })];
  t.deepEqual(ask(view(A, back, CUT), silentFor(5000)), { actions: [], owner: A });
});

test('who is cut off takes nothing from a MASTER that is not, though its agent has just started', (t) => {
  const holder = onB({ ...MASTER, advskew: 100 });
  const intents = wishes(intent('maintenance/haproxy02', 'on'));
  const at = view(A, [onA({}), holder], { ...CUT, intents });
  t.deepEqual(ask(at, silentFor(5000)), { actions: ['set-advskew 254'], owner: B });
  t.is(ask(at, silentFor(1000)).owner, A, 'not cut off as far as it knows');
});

test('in touch again: three seconds after the last silence of all, not at the first answer', (t) => {
  const inTouch = (paths: readonly PathReading[], memory: Memory, nowMs: number) => {
    const decision = decide(view(A, [onA(MASTER), onB({})], { paths }), memory, nowMs);
    return { is: decision.verdicts[0]?.inTouch, memory: decision.memory };
  };
  const start = inTouch([answers(B), answers(null)], NO_MEMORY, NOW);
  t.true(start.is, 'the first answer after a start proves it');
  const lost = inTouch([silent(B, 10), silent(null, 10)], start.memory, NOW + 1000);
  t.false(lost.is);
  const back = inTouch([answers(B), silent(null, 1000)], lost.memory, NOW + 2000);
  t.false(back.is, 'the first answer');
  t.false(inTouch([answers(B)], back.memory, NOW + 4999).is);
  t.true(inTouch([answers(B)], back.memory, NOW + 5000).is);
  t.false(
    inTouch([never(B), never(null)], NO_MEMORY, NOW).is,
    'echo that never passed proves none',
  );
});

test('of two MASTERs the one that nobody ever answered is not the keeper', (t) => {
  const doubled = [onA(MASTER), onB({ ...MASTER, inTouch: true })];
  const fresh = view(A, doubled, { paths: [never(B), never(null)] });
  t.deepEqual(ask(fresh), { actions: ['set-advskew 254'], owner: B });
  const intents = wishes(intent('pin/1@wan', A));
  t.deepEqual(
    ask(view(A, doubled, { paths: [never(B), never(null)], intents })),
    { actions: ['set-advskew 254'], owner: B },
    'nor when it is pinned there',
  );
  // Where echo is filtered everywhere it decides nothing.
  const filtered = [onA(MASTER), onB(MASTER)];
  t.is(ask(view(A, filtered, { paths: [never(B), never(null)] })).owner, A);
});

test('nobody forces itself against a MASTER whose agent is away because another is cut off', (t) => {
  const cutHolder = { ...MASTER, cutOff: true, advskew: 254, yieldTo: A };
  const mine = onA({ advskew: 0, inTouch: true });
  const away = gone(onC(MASTER));
  t.deepEqual(ask(view(A, [mine, onB(cutHolder), away])), { actions: [], owner: A });
  // Not known to be cut off yet, MASTER for a moment: it may be for the same reason.
  const young = { ...MASTER, advskew: 254, yieldTo: A, stateSinceMs: NOW - 6999 };
  t.deepEqual(ask(view(A, [mine, onB(young), away])), { actions: [], owner: A });
  const stands = { ...young, stateSinceMs: NOW - 7000 };
  t.deepEqual(ask(view(A, [mine, onB(stands), away])), { actions: ['take 0'], owner: A });
  const dead: NodeView = { ...away, peerClass: 'dead' };
  t.deepEqual(ask(view(A, [mine, onB(young), dead])), { actions: ['take 0'], owner: A });
  // All three are heard and C is none: nobody else can be MASTER.
  const fresh = onC({ advskew: 150 });
  t.deepEqual(ask(view(A, [mine, onB(cutHolder), fresh])), { actions: ['take 0'], owner: A });
});

test('a take needs the word of every MASTER, not of one of two', (t) => {
  const naming = { ...MASTER, advskew: 254, yieldTo: A };
  const mine = onA({ advskew: 0, inTouch: true });
  const starting: Change = { health: 'down', healthReason: 'HAProxy is down: not read yet' };
  const other = onC({ ...MASTER, advskew: 150 }, starting);
  const nodes = [mine, onB({ ...naming, cutOff: true }), other];
  const at = ask(view(A, nodes, { paths: [answers(null)] }));
  t.deepEqual(at, { actions: [], owner: A });
});
