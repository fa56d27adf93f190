import test from 'ava';
import { addressAlerts, pairAlerts } from '../../../agent/core/decide/alerts.ts';
import { NO_MEMORY, type Early, type Memory } from '../../../agent/core/decide/memory.ts';
import { owner } from '../../../agent/core/decide/owner.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, BackendReport, NodeView } from '../../../agent/core/model.ts';
import { intent, view, wishes } from '../builders.ts';
import { haproxy, NOW } from '../../reports.ts';
import { A, B, C, DEAD, MASTER, onA, onB, onC, reportOf, type Change } from './three-nodes.ts';

type Told = readonly [id: string, subject: string, text: string, remedy: string];
const brief = (found: readonly { id: string; subject: string; text: string; remedy: string }[]) =>
  found.map(({ id, subject, text, remedy }): Told => [id, subject, text, remedy]);
/** What haproxy01 says of the pair. */
const ofPair = (
  nodes: readonly NodeView[],
  change: Partial<View> = {},
  memory: Partial<Memory> = {},
) => brief(pairAlerts(view(A, nodes, change), reportOf(onA()), { ...NO_MEMORY, ...memory }, NOW));
/** What haproxy01 says of its address. */
function ofAddress(
  mine: NodeView,
  others: readonly NodeView[],
  change: Partial<View> = {},
  memory: Partial<Memory> = {},
) {
  const at = view(A, [mine, ...others], change);
  const me = reportOf(mine);
  const [first] = me.addresses as readonly [AddressReport];
  const ownership = owner('1@wan', at, NOW);
  return brief(
    addressAlerts({
      view: at,
      me,
      mine: first,
      ownership,
      masters: ownership.candidates.filter(({ isMaster }) => isMaster),
      memory: { ...NO_MEMORY, ...memory },
      keeper: null,
      nowMs: NOW,
    }),
  );
}

test('all is well: no word', (t) => {
  t.deepEqual(ofPair([onA(MASTER), onB()]), []);
  t.deepEqual(ofAddress(onA(MASTER), [onB()]), []);
});

test('CARP that is not allowed is told where this agent did not set it', (t) => {
  const told = (change: Partial<View>) => ofPair([onA(MASTER), onB()], change);
  t.deepEqual(told({ allow: false }), [
    [
      'not-allowed',
      'carp',
      'net.inet.carp.allow is 0 and this agent did not set it: every vhid is INIT',
      'on haproxy01: sysctl net.inet.carp.allow=1',
    ],
  ]);
  t.deepEqual(told({ allow: false, fenceMine: true }), []);
  t.deepEqual(told({ allow: true }), []);
  t.deepEqual(told({ allow: null }), []);
});

test('a clock more than a minute off is told, in seconds, of another node', (t) => {
  const off = (clockOffMs: number | null) => ofPair([onA(MASTER), { ...onB(), clockOffMs }]);
  t.deepEqual(off(60_000), []);
  t.deepEqual(off(null), []);
  const clock = (seconds: number): Told => [
    'clock',
    B,
    `its clock is ${seconds} s off ours`,
    'on both: service ntpd status',
  ];
  t.deepEqual(off(60_001), [clock(60)]);
  t.deepEqual(off(-61_600), [clock(-62)]);
  t.deepEqual(ofPair([{ ...onA(MASTER), clockOffMs: 90_000 }, onB()]), []);
});

test('a peer that is dead or frozen is told with what to look at, every one of them', (t) => {
  const dead: Told = [
    'peer-dead',
    B,
    'agent and host are silent while a witness answers',
    'see its console and its cables',
  ];
  const frozen: Told = [
    'peer-frozen',
    C,
    'its host answers and its agent does not: left to CARP',
    'on haproxy03: service proxyagent restart',
  ];
  t.deepEqual(ofPair([onA(MASTER), { ...onB(), peerClass: 'dead' }]), [dead]);
  t.deepEqual(
    ofPair([
      onA(MASTER),
      { ...onB(), peerClass: 'dead', fresh: false },
      { ...onC(), peerClass: 'frozen', fresh: false },
    ]),
    [dead, frozen],
  );
  t.deepEqual(ofPair([{ ...onA(MASTER), peerClass: 'dead' }, onB()]), [], 'not of itself');
});

test('a wrong early takeover is told while there is none against that peer', (t) => {
  const told = (change: Partial<Early>) => {
    const entry = { silentSinceMs: 0, atMs: 0, wrong: true, offUntilMs: NOW + 1, offMs: 1 };
    return ofPair([onA(MASTER), onB()], {}, { early: new Map([[B, { ...entry, ...change }]]) });
  };
  t.deepEqual(told({}), [
    [
      'early-wrong',
      B,
      'it was replaced early and was not dead: left to CARP for a while',
      'see the network between the hosts',
    ],
  ]);
  t.deepEqual([told({ offUntilMs: NOW }), told({ wrong: false })], [[], []]);
});

test('names under which two agents go on are told once each, in order, also by the word of a fresh peer', (t) => {
  const names = (nodes: readonly NodeView[]) => ofPair(nodes).map(([id, node]) => [id, node]);
  t.deepEqual(names([onA(MASTER), { ...onC(), doubleSinceMs: 5 }, onB({}, { doubles: [C, B] })]), [
    ['same-name', B],
    ['same-name', C],
  ]);
  t.deepEqual(names([onA(MASTER), { ...onB({}, { doubles: [C] }), fresh: false }]), []);
  t.deepEqual(names([onA(MASTER), { ...onB(), report: null }]), []);
});

test('a pause is told after an hour with the reason that was given', (t) => {
  const since = (ms: number, reason: string) => {
    const stamp = { wallMs: NOW - ms, count: 0, node: A };
    return ofPair([onA(MASTER), onB()], {
      intents: wishes(intent('pause', 'on', { stamp, reason })),
    }).map(([, , text]) => text);
  };
  t.deepEqual(since(3_600_000, 'kernel update'), [
    'paused for more than an hour by anna, "kernel update": nothing moves by itself',
  ]);
  t.deepEqual(since(3_599_999, ''), []);
});

const backend = (name: string, up: boolean): BackendReport => ({
  name,
  up,
  serversUp: up ? 1 : 0,
  servers: 1,
});
const having = (...backends: readonly BackendReport[]): Change => ({
  haproxy: [haproxy({ backends })],
});

test('backends that are down on every node are told together, and the command of a single one names it', (t) => {
  const down = (a: Change, ...others: readonly NodeView[]) => {
    const mine = onA(MASTER, a);
    return brief(pairAlerts(view(A, [mine, ...others]), reportOf(mine), NO_MEMORY, NOW));
  };
  const why = 'down on every node: nothing moves for that';
  const one = having(backend('WEB', false), backend('GITEA', true));
  const both = having(backend('WEB', false), backend('GITEA', false));
  t.deepEqual(down(one, onB({}, both)), [['backends-down', 'WEB', why, 'proxyctl servers WEB']]);
  t.deepEqual(down(both, onB({}, both)), [
    ['backends-down', 'WEB, GITEA', why, 'proxyctl servers'],
  ]);
  t.deepEqual(down(both, onB()), []);
  t.deepEqual(down(both, onB({}, both), onC()), [], 'up on the third');
  t.deepEqual(down(both), [], 'nobody to compare with');
  t.deepEqual(down(both, { ...onB({}, both), fresh: false }), []);
});

test('254 by hand and a base that nobody knows are told with the line that ends it', (t) => {
  const byHand = (mine: Partial<AddressReport>) => ofAddress(onA({ ...MASTER, ...mine }), [onB()]);
  const hand = (advskew: string): Told => [
    'by-hand',
    '1@wan',
    'advskew 254 was set by hand on haproxy01: left as it is',
    `when done, on haproxy01: ifconfig vtnet0 vhid 1 advskew ${advskew}`,
  ];
  t.deepEqual(byHand({ byHand: true }), [hand('0')]);
  t.deepEqual(byHand({ byHand: true, baseAdvskew: null }), [
    hand('BASE'),
    [
      'no-base',
      '1@wan',
      'advskew is 254 and the base is not known',
      'set base_advskew of wan in agent.toml on haproxy01',
    ],
  ]);
});

test('the budget is told once it is used up within the window, and where to look', (t) => {
  const after = (...ages: readonly number[]) =>
    ofAddress(onA({ ...MASTER, movesAtMs: ages.map((age) => NOW - age) }), [onB()]);
  t.deepEqual(after(1, 2), []);
  t.deepEqual(after(1, 2, 600_000), []);
  t.deepEqual(after(1, 2, 599_999), [
    [
      'budget',
      '1@wan',
      '3 moves for health within the window: holds here',
      'find what flaps: proxyctl history 1@wan',
    ],
  ]);
});

test('a pin onto a degraded node is told, not one onto a node that serves or is not reached', (t) => {
  const pinned = (to: string, change: Change) =>
    ofAddress(onA(MASTER, change), [onB()], { intents: wishes(intent('pin/1@wan', to)) });
  t.deepEqual(pinned(A, { health: 'degraded' }), [
    [
      'pin-degraded',
      '1@wan',
      'pinned to haproxy01, which is degraded',
      'proxyctl failback --vhid 1@wan lifts the pin',
    ],
  ]);
  t.deepEqual([pinned(A, {}), pinned(B, { health: 'degraded' })], [[], []]);
  t.deepEqual(ofAddress(onA(MASTER, { health: 'degraded' }), [onB()]), []);
});

test('HAProxy that serves on no node is told, another way where nobody answers', (t) => {
  const remedy = 'on each node: service haproxy status';
  const all = (text: string): Told => ['all-down', '1@wan', text, remedy];
  t.deepEqual(ofAddress(onA(MASTER, DEAD), [onB({}, DEAD)]), [
    all('HAProxy serves on no node: nothing moves'),
  ]);
  t.deepEqual(ofAddress(onA(MASTER, DEAD), [{ ...onB(), fresh: false, peerClass: 'suspect' }]), [
    all('HAProxy is down here and no other node answers: left to whoever lives'),
  ]);
  t.deepEqual(ofAddress(onA(MASTER, DEAD), [onB()]), []);
  const elsewhere = view(A, [
    { ...onA(MASTER), fresh: false },
    { ...onB(), fresh: false },
  ]);
  t.deepEqual(owner('1@wan', elsewhere, NOW).candidates, [], 'nobody is heard');
  t.deepEqual(ofAddress({ ...onA(MASTER, DEAD), fresh: false }, []), []);
});

test('redundancy that is lost is told once it has been so for hold, whatever it was before', (t) => {
  const lost = (sinceMs: number | null, other = onB({}, DEAD)) =>
    ofAddress(
      onA(MASTER),
      [other],
      {},
      { alone: new Map(sinceMs === null ? [] : [['1@wan', sinceMs]]) },
    );
  t.deepEqual([lost(NOW - 9999), lost(null), lost(NOW - 10_000, onB())], [[], [], []]);
  t.deepEqual(lost(NOW - 10_000), [
    [
      'redundancy-lost',
      '1@wan',
      'nobody else could take it: HAProxy is down on haproxy02',
      'on haproxy02: service haproxy status',
    ],
  ]);
});
