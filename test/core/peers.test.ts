import test from 'ava';
import type { NodeView } from '../../agent/core/model.ts';
import {
  freshNodes,
  isCut,
  isCutOff,
  isFresh,
  isInTouch,
  isQuiet,
  isSameStart,
  ownView,
  peerClass,
  silences,
  speaksAgainst,
  withEcho,
  withRelayed,
  type Contact,
  type Silence,
} from '../../agent/core/peers.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { heard } from './builders.ts';
import { answers, silent } from './decide/three-nodes.ts';
import { NOW, report } from '../reports.ts';

const { fast } = TIMINGS;
const B = 'haproxy02';
const contact = (change: Partial<Contact> = {}): Contact => ({
  node: B,
  heardAtMs: NOW,
  currentAtMs: NOW,
  agentGoneAtMs: null,
  ...change,
});

test('two are of one start by epoch and by what was drawn, unless one does not say', (t) => {
  const same = (epoch: number, a: number, b: number) =>
    isSameStart({ epoch: 1, startId: a }, { epoch, startId: b });
  t.deepEqual(
    [same(1, 5, 5), same(1, 5, 6), same(1, 0, 6), same(1, 5, 0), same(2, 5, 5), same(2, 0, 0)],
    [true, false, true, true, false, false],
  );
});

test('another’s word counts as hearing it, unless it may have been on its way when the agent went', (t) => {
  t.deepEqual(withRelayed(contact(), null, fast), contact());
  t.deepEqual(withRelayed(contact(), NOW - 1, fast), contact(), 'never an earlier moment');
  t.deepEqual(
    withRelayed(contact({ heardAtMs: null, currentAtMs: null }), NOW - 1, fast),
    contact({ heardAtMs: NOW - 1, currentAtMs: NOW - 1 }),
  );
  t.deepEqual(
    withRelayed(contact({ heardAtMs: NOW - 9, currentAtMs: NOW - 8 }), NOW, fast),
    contact(),
  );
  const gone = contact({ agentGoneAtMs: NOW - 100 });
  t.deepEqual(withRelayed(gone, NOW + 149, fast), gone);
  t.deepEqual(
    withRelayed(gone, NOW + 150, fast),
    contact({ heardAtMs: NOW + 150, currentAtMs: NOW + 150 }),
  );
});

test('a peer is alive until it is suspect, gone by its word until it is heard again, or was never seen', (t) => {
  const at = (change: Partial<Contact>, afterMs = 0) =>
    peerClass(contact(change), fast, NOW + afterMs);
  t.deepEqual([at({}, 249), at({}, 250)], ['alive', 'suspect']);
  t.is(at({ heardAtMs: null }), 'never-seen');
  t.is(at({ heardAtMs: null, agentGoneAtMs: NOW }), 'agent-down');
  t.deepEqual(
    [at({ agentGoneAtMs: NOW }), at({ agentGoneAtMs: NOW - 1 }), at({ agentGoneAtMs: NOW + 1 })],
    ['agent-down', 'alive', 'agent-down'],
  );
});

test('a report is fresh for a second, and not of an agent that is gone', (t) => {
  const fresh = (change: Partial<Contact>, afterMs = 0) =>
    isFresh(contact(change), fast, NOW + afterMs);
  t.deepEqual([fresh({}, 999), fresh({}, 1000)], [true, false]);
  t.deepEqual(
    [fresh({ currentAtMs: null }), fresh({ agentGoneAtMs: NOW }), fresh({ heardAtMs: NOW - 900 })],
    [false, false, true],
  );
});

test('quiet is more than 1.3 heartbeats of silence, of one that was heard and is not gone', (t) => {
  const quiet = (ms: number, change: Partial<NodeView> = {}) =>
    isQuiet({ ...heard(report(B)), heardAtMs: NOW - ms, ...change }, fast, NOW);
  t.deepEqual([quiet(130), quiet(131)], [false, true]);
  t.deepEqual(
    [quiet(131, { peerClass: 'agent-down' }), quiet(0, { heardAtMs: null })],
    [false, false],
  );
});

test('a witness speaks against a path that it outlived without a gap', (t) => {
  const path = silent(B, 280);
  const speaks = (change: Parameters<typeof answers>[1], against = path) =>
    speaksAgainst(answers(null, change), against);
  t.true(speaks({}));
  t.deepEqual(
    [speaks({ answeredAtMs: NOW - 280 }), speaks({ answeredAtMs: NOW - 279 })],
    [false, true],
  );
  t.deepEqual(
    [speaks({ steadySinceMs: NOW - 280 }), speaks({ steadySinceMs: NOW - 279 })],
    [true, false],
  );
  t.deepEqual([speaks({ lostInRow: 2 }), speaks({ lostInRow: 3 })], [true, false]);
  t.deepEqual(
    [speaks({ answeredAtMs: null }), speaks({ steadySinceMs: null }), speaks({}, answers(B))],
    [false, false, false],
  );
});

test('a suspect peer is judged by echo on every path that ever answered', (t) => {
  const suspect = (ms: number): NodeView => ({
    ...heard(report(B)),
    peerClass: 'suspect',
    heardAtMs: NOW - ms,
  });
  const judged = (paths: Parameters<typeof withEcho>[1], ms = 300) => {
    const { peerClass, fresh } = withEcho(suspect(ms), paths, fast, NOW);
    return `${peerClass} ${fresh}`;
  };
  const lan = <T extends object>(one: T) => ({ ...one, network: 'lan' });
  const never = answers(B, { answeredAtMs: null, lostInRow: 9, lostSinceMs: 0 });
  t.is(judged([silent(B), answers(null)]), 'dead false');
  t.is(judged([silent(B), never, answers(null)]), 'dead false');
  t.is(judged([silent(B), silent(null)]), 'isolated true');
  t.is(judged([silent(B)]), 'suspect true', 'without a witness nobody can say');
  t.is(judged([silent(B), silent(null), answers(null, { steadySinceMs: NOW })]), 'suspect true');
  t.is(judged([answers(B), silent(null)], 999), 'suspect true');
  t.is(judged([answers(B), silent(null)], 1000), 'frozen false');
  t.is(judged([silent(B), lan(answers(B)), answers(null)], 1000), 'frozen false', 'one answers');
  t.is(judged([silent('haproxy03'), answers(null)]), 'suspect true', 'of another node');
  t.is(judged([never, answers(null)]), 'suspect true');
  const lateWitness = answers(null, { answeredAtMs: NOW - 400 });
  t.is(judged([silent(B), lan(silent(B, 500)), lateWitness]), 'suspect true', 'of one path only');
  const alive = heard(report(B));
  t.is(withEcho(alive, [silent(B), answers(null)], fast, NOW), alive);
  const unheard = { ...suspect(0), heardAtMs: null };
  t.is(withEcho(unheard, [silent(B), answers(null)], fast, NOW), unheard);
});

test('a network is cut where everybody who ever answered there is silent, a witness among them', (t) => {
  const cut = (paths: Parameters<typeof isCut>[0], forMs = 0) => isCut(paths, 'wan', forMs, NOW);
  t.true(cut([silent(B), silent(null)]));
  t.true(cut([silent(null)]));
  t.false(cut([silent(B)]), 'no witness');
  t.false(cut([]));
  t.false(cut([silent(B), answers(null)]));
  t.false(cut([answers(B), silent(null)]));
  t.false(isCut([silent(B), silent(null)], 'lan', 0, NOW), 'another network');
  t.true(cut([silent(null), { ...answers(B), network: 'lan' }]));
  t.true(cut([silent(null), answers(B, { answeredAtMs: null })]));
  t.false(cut([answers(null, { answeredAtMs: null, lostInRow: 9, lostSinceMs: 0 })]));
  t.deepEqual([cut([silent(null, 280)], 280), cut([silent(null, 280)], 281)], [true, false]);
  t.false(cut([answers(null, { lostInRow: 5, lostSinceMs: null })]));
  t.deepEqual(
    [4, 5].map((lostInRow) => cut([answers(null, { lostInRow, lostSinceMs: NOW })])),
    [false, true],
  );
});

const silence = (change: Partial<Silence> = {}): Silence => ({
  now: true,
  sinceMs: NOW,
  atMs: NOW,
  ...change,
});

test('cut off is who has heard nobody for 1.5 s, and still does', (t) => {
  t.deepEqual(
    [
      isCutOff(silence(), NOW + 1499),
      isCutOff(silence(), NOW + 1500),
      isCutOff(silence({ now: false }), NOW + 1500),
      isCutOff(undefined, NOW + 1500),
    ],
    [false, true, false, false],
  );
});

test('in touch is who was answered there, three seconds after the last silence', (t) => {
  const touch = (one: Silence | undefined, afterMs = 0, paths = [answers(B)]) =>
    isInTouch(paths, 'wan', one, NOW + afterMs);
  const over = silence({ now: false });
  t.deepEqual([touch(undefined), touch(over, 2999), touch(over, 3000)], [true, false, true]);
  t.false(touch(silence(), 9000));
  t.false(touch(undefined, 0, [answers(B, { answeredAtMs: null })]));
  t.false(touch(undefined, 0, [{ ...answers(B), network: 'lan' }]));
  t.true(touch(undefined, 0, [answers(B, { answeredAtMs: null }), answers(null)]));
});

test('silence is remembered from when it was noticed to when it was last so', (t) => {
  const cut = [silent(B), silent(null)];
  const before = new Map([['wan', silence({ sinceMs: 5, atMs: 6 })]]);
  const old = new Map([['wan', silence({ now: false, sinceMs: 5, atMs: 6 })]]);
  const after = (paths: typeof cut, known: ReadonlyMap<string, Silence>) =>
    silences(['wan', 'lan'], paths, known, NOW).get('wan');
  t.deepEqual(after(cut, new Map()), silence());
  t.deepEqual(after(cut, before), silence({ sinceMs: 5 }));
  t.deepEqual(after(cut, old), silence());
  t.deepEqual(after([], before), silence({ now: false, sinceMs: 5 }));
  t.deepEqual(after([], old), old.get('wan'));
  t.deepEqual(silences(['lan'], cut, before, NOW), new Map());
});

test('nodes whose word counts stand in order of name; a node is always in touch with itself', (t) => {
  const [one, two, three] = ['haproxy01', B, 'haproxy03'].map((node) => heard(report(node)));
  if (!one || !two || !three) throw new Error('three nodes');
  t.deepEqual(freshNodes([three, one, two]), [one, two, three]);
  t.deepEqual(freshNodes([{ ...one, fresh: false }, { ...two, report: null }, three]), [three]);
  t.deepEqual(ownView(B, NOW, null), {
    node: B,
    peerClass: 'alive',
    fresh: true,
    heardAtMs: NOW,
    report: null,
    clockOffMs: null,
    oneWay: null,
    doubleSinceMs: null,
  });
});
