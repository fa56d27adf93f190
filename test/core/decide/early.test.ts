import test from 'ava';
import { candidatesFor } from '../../../agent/core/decide/candidates.ts';
import { deadMaster, judgeEarly, tookEarly } from '../../../agent/core/decide/early.ts';
import { NO_MEMORY, type Early, type Memory } from '../../../agent/core/decide/memory.ts';
import { owner } from '../../../agent/core/decide/owner.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, NodeView, PathReading } from '../../../agent/core/model.ts';
import { heard, intent, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import {
  A,
  answers,
  B,
  C,
  DEAD,
  MASTER,
  onA,
  onB,
  onC,
  reportOf,
  silent,
  type Change,
} from './three-nodes.ts';

const gone = (one: NodeView, change: Partial<NodeView> = {}): NodeView => ({
  ...one,
  peerClass: 'dead',
  fresh: false,
  heardAtMs: NOW - 320,
  ...change,
});
const EVIDENCE = [silent(A), answers(null)];
/** Which dead MASTER haproxy02 would replace. */
function dead(
  nodes: readonly NodeView[],
  paths: readonly PathReading[] = EVIDENCE,
  change: Partial<View> = {},
  memory: Memory = NO_MEMORY,
) {
  const at = view(B, nodes, { paths, ...change });
  const me = reportOf(nodes.find(({ node }) => node === B) ?? onB());
  const [mine] = me.addresses as readonly [AddressReport];
  const ownership = owner(mine.address, at, NOW);
  const masters = candidatesFor(mine.address, at).filter(({ isMaster }) => isMaster);
  return deadMaster({ view: at, me, mine, ownership, masters, memory, keeper: null, nowMs: NOW });
}
const FOUND = { node: A, silentSinceMs: NOW - 320 };

test('a dead MASTER is named with the moment since when it is silent', (t) => {
  t.deepEqual(dead([gone(onA(MASTER)), onB()]), FOUND);
  t.deepEqual(dead([gone(onC(MASTER)), onB()], [silent(C), answers(null)]), { ...FOUND, node: C });
});

test('each bound of time of the evidence is met exactly', (t) => {
  const at = (heardAtMs: number, path: Partial<PathReading> = {}, change: Partial<View> = {}) =>
    dead(
      [gone(onA(MASTER), { heardAtMs }), onB()],
      [{ ...silent(A), ...path }, answers(null)],
      change,
    ) !== null;
  t.deepEqual([at(NOW - 249), at(NOW - 250)], [false, true], 'silent for so long');
  const answered = (ago: number, heardAgo: number) =>
    at(NOW - heardAgo, { answeredAtMs: NOW - ago, lostSinceMs: NOW - ago + 5 });
  t.deepEqual([answered(2000, 2100), answered(2001, 2100)], [true, false], 'echo before');
  t.deepEqual([answered(300, 1299), answered(300, 1300)], [true, false], 'frozen before');
  const late = (ms: number) => at(NOW - 320, {}, { lateAtMs: NOW - ms });
  t.deepEqual([late(999), late(1000)], [false, true], 'this loop was late');
  t.deepEqual([at(NOW - 320, { lostInRow: 4 }), at(NOW - 320, { lostInRow: 5 })], [false, true]);
});

test('only what is measured on the interface of the address, with a witness there, is evidence', (t) => {
  const nodes = [gone(onA(MASTER)), onB()];
  const lan = (one: PathReading): PathReading => ({ ...one, network: 'lan' });
  t.is(dead(nodes, [lan(silent(A)), lan(answers(null))]), null);
  t.is(dead(nodes, [silent(A), lan(answers(null))]), null);
  t.is(dead(nodes, [lan(silent(A)), answers(null)]), null);
  t.is(dead(nodes, [silent(A), answers(C)]), null, 'a node is no witness');
  t.is(dead(nodes, [{ ...silent(A), answeredAtMs: null }, answers(null)]), null);
  t.is(dead(nodes, [answers(null)]), null);
  t.deepEqual(dead(nodes, [lan(answers(A)), silent(A), silent(null), answers(null)]), FOUND);
});

test('nobody is replaced early while one of these speaks against it', (t) => {
  const mine = (change: Change, address: Partial<AddressReport> = {}) => onB(address, change);
  const none = (nodes: readonly NodeView[], why: string, change: Partial<View> = {}) =>
    t.is(dead(nodes, EVIDENCE, change), null, why);
  const lost = gone(onA(MASTER));
  none([lost, mine(DEAD)], 'HAProxy is dead here');
  none([lost, mine({})], 'paused', { intents: wishes(intent('pause', 'on')) });
  none([lost, mine({}), onC(MASTER)], 'another is MASTER');
  none([lost, mine({ demotion: 240 }), onC()], 'another is the owner');
  none([gone(onA({ ...MASTER, address: '2@wan' })), mine({})], 'MASTER of another address');
  none([gone(onA()), mine({})], 'it was BACKUP');
  none([{ ...lost, report: null }, mine({})], 'nothing is known of it');
  none([gone(onA(MASTER), { heardAtMs: null }), mine({})], 'it was never heard');
  none([gone(onA(MASTER), { peerClass: 'suspect' }), mine({})], 'it is suspect only');
});

const entry = (change: Partial<Early> = {}): Early => ({
  silentSinceMs: NOW - 320,
  atMs: NOW,
  wrong: false,
  offUntilMs: 0,
  offMs: 0,
  ...change,
});
const having = (early: Early): Memory => ({ ...NO_MEMORY, early: new Map([[A, early]]) });

test('once for one silence, and not while it is switched off against that peer', (t) => {
  const nodes = [gone(onA(MASTER)), onB()];
  const again = (change: Partial<Early>) => dead(nodes, EVIDENCE, {}, having(entry(change)));
  t.is(again({}), null);
  t.deepEqual(again({ silentSinceMs: NOW - 321 }), FOUND);
  t.is(again({ silentSinceMs: 0, offUntilMs: NOW + 1 }), null);
  t.deepEqual(again({ silentSinceMs: 0, offUntilMs: NOW }), FOUND);
});

test('what is remembered of an early takeover keeps how long it was switched off before', (t) => {
  t.deepEqual(tookEarly(NO_MEMORY, FOUND, NOW).early, new Map([[A, entry()]]));
  const before = having(entry({ silentSinceMs: 5, wrong: true, offUntilMs: 7, offMs: 60_000 }));
  t.deepEqual(
    tookEarly(before, FOUND, NOW).early,
    new Map([[A, entry({ offUntilMs: 7, offMs: 60_000 })]]),
  );
});

test('heard again or yielded within two seconds it was wrong: off for a minute, doubling up to an hour', (t) => {
  const judged = (
    change: Partial<Early>,
    heardAtMs: number | null,
    yielded = false,
    nowMs = NOW,
  ) => {
    const at = view(B, [{ ...onC(), heardAtMs: nowMs }, gone(onA(MASTER), { heardAtMs })]);
    return judgeEarly(at, having(entry(change)), yielded, nowMs).early.get(A);
  };
  const wrong = (offMs: number, nowMs = NOW): Early =>
    entry({ wrong: true, offMs, offUntilMs: nowMs + offMs });
  t.deepEqual(judged({}, NOW - 319), wrong(60_000));
  t.deepEqual(judged({}, NOW - 320), entry(), 'nothing came since');
  t.deepEqual(judged({}, NOW - 321), entry());
  t.deepEqual(judged({}, null), entry());
  t.deepEqual(judged({}, NOW - 320, true), wrong(60_000), 'our kernel yielded');
  t.deepEqual(judged({}, NOW, true, NOW + 2000), wrong(60_000, NOW + 2000));
  t.deepEqual(judged({}, NOW, true, NOW + 2001), entry(), 'later it says nothing');
  t.deepEqual(judged({ wrong: true, offMs: 1 }, NOW), entry({ wrong: true, offMs: 1 }), 'once');
  t.deepEqual(judged({ offMs: 60_000 }, NOW), { ...wrong(120_000) });
  t.deepEqual(judged({ offMs: 3_000_000 }, NOW), wrong(3_600_000));
});

test('a peer that is not configured any more is judged by what our kernel does', (t) => {
  const early = (yielded: boolean, silentSinceMs: number) =>
    judgeEarly(view(B, [onB()]), having(entry({ silentSinceMs })), yielded, NOW).early.get(A)
      ?.wrong;
  t.deepEqual([early(false, 0), early(true, 0)], [false, true]);
});

test('a dead host that was MASTER of one of two addresses is replaced there', (t) => {
  const both = heard(
    report(A, { addresses: [address({ address: '2@wan' }), address({ ...MASTER })] }),
  );
  t.deepEqual(dead([gone(both), onB()]), FOUND);
});
