import type { ServerReading } from '../../agent/core/answers.ts';
import type { Intent, NodeReport, NodeView, Policy } from '../../agent/core/model.ts';
import type { View } from '../../agent/core/decide/view.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { NOW } from '../reports.ts';

export const POLICY: Policy = {
  failback: 'auto',
  holdMs: 10_000,
  maxMoves: 3,
  windowMs: 600_000,
  earlyTakeoverMs: 250,
  fence: true,
};
export function heard(theirs: NodeReport, change: Partial<NodeView> = {}): NodeView {
  return {
    node: theirs.node,
    peerClass: 'alive',
    fresh: true,
    heardAtMs: NOW,
    report: theirs,
    clockOffMs: 0,
    oneWay: null,
    doubleSinceMs: null,
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
  older: 0,
  uncounted: 0,
  agentChecked: false,
  stateFile: false,
  address: '10.1.70.11',
  figures: {
    connectErrors: null,
    responseErrors: null,
    http5xx: null,
    bytesIn: null,
    bytesOut: null,
    responseMs: null,
  },
  ...more,
});
