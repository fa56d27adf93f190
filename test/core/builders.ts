import type { ServerReading } from '../../agent/core/answers.ts';
import type {
  AddressReport,
  HaproxyReport,
  Intent,
  NodeReport,
  NodeView,
  Policy,
} from '../../agent/core/model.ts';
import type { View } from '../../agent/core/decide/view.ts';
import { TIMINGS } from '../../agent/core/timing.ts';

export const POLICY: Policy = {
  failback: 'auto',
  holdMs: 10_000,
  maxMoves: 3,
  windowMs: 600_000,
  earlyTakeoverMs: 250,
  fence: true,
};
/** The moment all test views are looked at, ms. */
export const NOW = 1_000_000;
const LONG_AGO = NOW - 600_000;

/** 1@wan as a host has it; BACKUP at its base unless said. */
export function address(change: Partial<AddressReport> = {}): AddressReport {
  const base = change.baseAdvskew ?? 0;
  return {
    address: '1@wan',
    vhid: 1,
    network: 'wan',
    interface: 'vtnet0',
    vips: ['10.1.60.200'],
    state: 'BACKUP',
    stateSinceMs: LONG_AGO,
    advbase: 1,
    advskew: base,
    baseAdvskew: base,
    owner: null,
    yieldTo: null,
    reason: '',
    reasonSinceMs: LONG_AGO,
    readySinceMs: LONG_AGO,
    byHand: false,
    advertsLost: false,
    cutOff: false,
    inTouch: false,
    movesAtMs: [],
    heldAtMs: null,
    ...change,
  };
}

export function haproxy(change: Partial<HaproxyReport> = {}): HaproxyReport {
  return {
    instance: '',
    state: 'up',
    stateSinceMs: LONG_AGO,
    problem: '',
    version: '2.6.12',
    pid: 100,
    startedMs: 0,
    sessions: 0,
    frontends: [{ name: 'web', open: true, required: true }],
    backends: [
      { name: 'GITEA', up: true, serversUp: 1, servers: 1 },
      { name: 'WEB', up: true, serversUp: 3, servers: 3 },
    ],
    certificates: [],
    drift: [],
    drifted: 0,
    ...change,
  };
}

export function report(node: string, change: Partial<NodeReport> = {}): NodeReport {
  return {
    node,
    epoch: 1,
    sequence: 7,
    protocol: 1,
    agentVersion: '0.1.0',
    joined: true,
    leaving: false,
    fenced: false,
    networks: [],
    knownBases: [],
    preempt: false,
    demotion: 0,
    addresses: [address()],
    haproxy: [haproxy()],
    health: 'serving',
    healthSinceMs: LONG_AGO,
    healthReason: 'HAProxy serves',
    problems: [],
    seen: ['haproxy01', 'haproxy02', 'haproxy03'].map((name) => ({
      node: name,
      epoch: 1,
      sequence: 7,
    })),
    applied: [],
    icmp: 'none',
    carpEvents: 'events',
    agentStartedMs: 0,
    wallMs: NOW,
    ...change,
  };
}

export function heard(theirs: NodeReport, change: Partial<NodeView> = {}): NodeView {
  return {
    node: theirs.node,
    peerClass: 'alive',
    fresh: true,
    heardAtMs: NOW,
    report: theirs,
    clockOffMs: 0,
    ...change,
  };
}

/** What `self` sees of these nodes: auto failback, hold 10 s, nothing wished. */
export function view(self: string, nodes: readonly NodeView[], change: Partial<View> = {}): View {
  return {
    self,
    nodes,
    intents: new Map(),
    policy: POLICY,
    timing: TIMINGS.fast,
    paths: [],
    lateAtMs: null,
    allow: true,
    fenceMine: false,
    received: null,
    wallMs: NOW,
    reachedPins: new Set(),
    ...change,
  };
}

export function intent(key: string, value: string, change: Partial<Intent> = {}): Intent {
  return {
    key,
    value,
    deleted: false,
    stamp: { wallMs: NOW - 1000, count: 0, node: 'haproxy01' },
    actor: 'anna',
    reason: '',
    requestId: 'r1',
    untilWallMs: null,
    ...change,
  };
}

export const wishes = (...list: readonly Intent[]): ReadonlyMap<string, Intent> =>
  new Map(list.map((one) => [one.key, one]));

/** A server that takes traffic and has nothing to do. */
export const serverReading = (more: Partial<ServerReading> = {}): ServerReading => ({
  backend: 'WEB',
  name: 'web1',
  status: 'UP',
  admin: 'ready',
  adminBits: 0,
  weight: 1,
  initialWeight: 1,
  sessions: 0,
  queued: 0,
  total: 0,
  check: 'L4OK',
  backup: false,
  ...more,
});
