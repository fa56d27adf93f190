import type { NodeStatus, Status } from '../../agent/core/answers.ts';
import type { AddressReport, HaproxyReport, Intent, NodeReport } from '../../agent/core/model.ts';
import { statusAlerts } from '../../agent/core/alerts/status-alerts.ts';
import { address, haproxy, report } from '../reports.ts';

// Statuses as an agent would give them: ages in whole minutes, so that a slow test shows the same.

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
/** So many ms ago on this host's monotonic clock, and a second for the way. */
export const ago = (ms: number): number => performance.now() - ms - 1000;

export const addressOf = (more: Partial<AddressReport> = {}): AddressReport =>
  address({
    vips: ['10.1.60.200', 'fd5e:d1c2:c9de:60::200'],
    state: 'MASTER',
    stateSinceMs: ago(DAY),
    heldAtMs: ago(0),
    owner: 'haproxy01',
    reason: '1@wan stays on haproxy01: it serves',
    reasonSinceMs: ago(4 * MINUTE),
    readySinceMs: ago(DAY),
    inTouch: true,
    ...more,
  });

export const haproxyOf = (more: Partial<HaproxyReport> = {}): HaproxyReport =>
  haproxy({
    stateSinceMs: ago(41 * DAY),
    pid: 812,
    startedMs: ago(41 * DAY),
    sessions: 214,
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
    ...more,
  });

export const reportOf = (node: string, more: Partial<NodeReport> = {}): NodeReport =>
  report(node, {
    addresses: [addressOf()],
    haproxy: [haproxyOf()],
    healthSinceMs: ago(DAY),
    icmp: 'ping',
    agentStartedMs: ago(DAY),
    wallMs: Date.now(),
    ...more,
  });

export const nodeOf = (
  node: string,
  change: Partial<NodeReport> = {},
  more: Partial<NodeStatus> = {},
): NodeStatus => ({
  node,
  peerClass: 'alive',
  ageMs: 100,
  report: reportOf(node, change),
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

/** A pair where everything is as it should be; alerts as an agent makes them of its parts. */
export function statusOf(more: Partial<Status> = {}): Status {
  const status = {
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
    newest: { wallMs: 1_790_000_000_000, count: 2, node: 'haproxy01' },
    ...more,
  };
  return { alerts: statusAlerts(status, [], performance.now()), ...status };
}
