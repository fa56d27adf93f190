import type { NodeStatus, Status } from '../../agent/core/answers.ts';
import type { AddressReport, HaproxyReport, Intent, NodeReport } from '../../agent/core/model.ts';

// Statuses as an agent would give them: ages in whole minutes, so that a slow test shows the same.

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
/** So many ms ago on this host's monotonic clock, and a second for the way. */
export const ago = (ms: number): number => performance.now() - ms - 1000;

export const addressOf = (more: Partial<AddressReport> = {}): AddressReport => ({
  address: '1@wan',
  vhid: 1,
  network: 'wan',
  interface: 'vtnet0',
  vips: ['10.1.60.200', 'fd5e:d1c2:c9de:60::200'],
  state: 'MASTER',
  stateSinceMs: ago(DAY),
  heldAtMs: ago(0),
  advbase: 1,
  advskew: 0,
  baseAdvskew: 0,
  owner: 'haproxy01',
  yieldTo: null,
  reason: '1@wan stays on haproxy01: it serves',
  reasonSinceMs: ago(4 * MINUTE),
  readySinceMs: ago(DAY),
  byHand: false,
  advertsLost: false,
  cutOff: false,
  inTouch: true,
  movesAtMs: [],
  ...more,
});

export const haproxyOf = (more: Partial<HaproxyReport> = {}): HaproxyReport => ({
  instance: '',
  state: 'up',
  stateSinceMs: ago(41 * DAY),
  problem: '',
  version: '2.6.12',
  pid: 812,
  startedMs: ago(41 * DAY),
  sessions: 214,
  frontends: [{ name: 'https', open: true, required: true }],
  backends: [
    { name: 'WEB', up: true, serversUp: 3, servers: 3 },
    { name: 'GITEA', up: true, serversUp: 1, servers: 1 },
  ],
  certificates: [
    {
      path: '/usr/local/etc/ssl/www.pem',
      fingerprint: 'f2856614e8660f03439dc00ef48bc515fc57d6db',
      notAfter: new Date(Date.now() + 61.5 * DAY).toISOString(),
      names: ['www.example.net'],
    },
  ],
  drift: [],
  drifted: 0,
  ...more,
});

export const reportOf = (node: string, more: Partial<NodeReport> = {}): NodeReport => ({
  node,
  epoch: 1,
  sequence: 7,
  protocol: 1,
  agentVersion: '0.1.0',
  joined: true,
  leaving: false,
  preempt: false,
  demotion: 0,
  fenced: false,
  networks: [],
  knownBases: [],
  addresses: [addressOf()],
  haproxy: [haproxyOf()],
  health: 'serving',
  healthSinceMs: ago(DAY),
  healthReason: 'HAProxy serves',
  problems: [],
  seen: [],
  applied: [],
  icmp: 'ping',
  carpEvents: 'events',
  agentStartedMs: ago(DAY),
  wallMs: Date.now(),
  ...more,
});

export const nodeOf = (
  node: string,
  report: Partial<NodeReport> = {},
  more: Partial<NodeStatus> = {},
): NodeStatus => ({
  node,
  peerClass: 'alive',
  ageMs: 100,
  report: reportOf(node, report),
  problem: '',
  ...more,
});

/** haproxy02 as BACKUP with advskew 100. */
export const backup = (more: Partial<AddressReport> = {}): AddressReport =>
  addressOf({ state: 'BACKUP', advskew: 100, baseAdvskew: 100, ...more });

export const intentOf = (more: Partial<Intent> = {}): Intent => ({
  key: 'server//WEB/web1',
  value: 'drain',
  deleted: false,
  stamp: { wallMs: Date.now() - 12 * MINUTE - 1000, count: 0, node: 'haproxy01' },
  actor: 'anna',
  reason: 'kernel update',
  requestId: 'r1',
  untilWallMs: null,
  ...more,
});

/** A pair where everything is as it should be. */
export const statusOf = (more: Partial<Status> = {}): Status => ({
  pair: 'web',
  node: 'haproxy01',
  paused: false,
  nodes: [nodeOf('haproxy01'), nodeOf('haproxy02', { addresses: [backup()] }, { ageMs: 200 })],
  verdicts: [
    {
      address: '1@wan',
      owner: 'haproxy01',
      reason: '1@wan stays on haproxy01: it serves',
      sinceMs: ago(4 * MINUTE),
      pin: null,
    },
  ],
  intents: [],
  alerts: [],
  ...more,
});
