import type { NodeStatus, Status } from '../agent/core/answers.ts';
import type { Drift } from '../agent/core/model.ts';

/** One thing that is not as it should be. */
export interface AlertLine {
  /** Stable word, docs/json.md lists them. */
  readonly id: string;
  /** Who noticed it. */
  readonly node: string;
  readonly subject: string;
  readonly text: string;
  /** What to do; empty where it says itself. */
  readonly remedy: string;
  /** Of this process's monotonic clock; null: unknown. */
  readonly sinceMs: number | null;
}

/** Heard and fresh: its values may be shown as present. */
export const isHeard = ({ report, problem }: NodeStatus): boolean =>
  report !== null && problem === '';

/** Every address any node reports, in order of vhid. */
export const addressIds = (status: Status): string[] =>
  [
    ...new Set(
      status.nodes.flatMap(({ report }) => (report?.addresses ?? []).map(({ address }) => address)),
    ),
  ].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));

/** Heard, and its CARP state of the address is one that this proxyctl knows. */
const isKnown = (node: NodeStatus, id: string): boolean =>
  isHeard(node) &&
  !node.report?.addresses.some(({ address, state }) => address === id && state === 'unknown');

/** The nodes that are heard and say MASTER for this address. */
const mastersOf = (status: Status, id: string): string[] =>
  status.nodes
    .filter(isHeard)
    .filter(({ report }) =>
      report?.addresses.some(({ address, state }) => address === id && state === 'MASTER'),
    )
    .map(({ node }) => node);

/** Nodes that are not heard, what the agent decided, what the MASTERs say, and each node's own troubles. */
export function alertsOf(status: Status, nowMs: number): AlertLine[] {
  const by = status.node;
  return [
    ...status.nodes
      .filter((node) => !isHeard(node))
      .map(({ node, problem, ageMs }) => ({
        id: 'not-heard',
        node: by,
        subject: node,
        text: `is not heard: ${problem === '' ? 'it has not reported yet' : problem}`,
        remedy: `on ${node}: service proxyagent status`,
        sinceMs: ageMs === null ? null : nowMs - ageMs,
      })),
    ...status.alerts.map((alert) => ({ ...alert, node: by, remedy: '' })),
    ...masterAlerts(status),
    ...status.nodes.filter(isHeard).flatMap(ownAlerts),
  ];
}

/** Where an address has not exactly one MASTER and the agent's alerts do not speak of it yet. */
function masterAlerts(status: Status): AlertLine[] {
  return addressIds(status).flatMap((id) => {
    const masters = mastersOf(status, id);
    if (masters.length === 1 || status.alerts.some(({ subject }) => subject === id)) return [];
    // A node that is not heard, or whose state is unknown, may have it; that is shown already.
    if (masters.length === 0 && !status.nodes.every((one) => isKnown(one, id))) return [];
    return [
      {
        id: masters.length === 0 ? 'no-master' : 'split-brain',
        node: status.node,
        subject: id,
        text:
          masters.length === 0 ? 'no node is MASTER' : `MASTER on ${masters.join(' and ')} at once`,
        remedy: masters.length === 0 ? '' : 'see that CARP adverts pass between the hosts',
        sinceMs: null,
      },
    ];
  });
}

function ownAlerts({ node, report }: NodeStatus): AlertLine[] {
  if (report === null) return [];
  return [
    ...(report.fenced
      ? [
          {
            id: 'fenced',
            node,
            subject: node,
            text: 'is fenced: CARP is off there until adverts arrive again',
            remedy: '',
            sinceMs: null,
          },
        ]
      : []),
    ...report.problems.map(({ subject, cause, remedy, sinceMs }) => ({
      id: 'problem',
      node,
      subject,
      text: cause,
      remedy,
      sinceMs,
    })),
    ...report.haproxy
      .filter(({ state, problem }) => problem !== '' || state === 'down' || state === 'hung')
      .map(({ state, problem, stateSinceMs }) => ({
        id: state === 'down' || state === 'hung' ? `haproxy-${state}` : 'haproxy-problem',
        node,
        subject: 'haproxy',
        text:
          state === 'up' || state === 'unknown'
            ? problem
            : `HAProxy ${state}${problem === '' ? '' : `: ${problem}`}`,
        remedy: '',
        sinceMs: stateSinceMs,
      })),
    ...report.haproxy.flatMap(({ drift, drifted }) => driftAlerts(node, drift, drifted)),
    ...(report.health === 'degraded'
      ? [
          {
            id: 'degraded',
            node,
            subject: 'health',
            text: report.healthReason,
            remedy: '',
            sinceMs: report.healthSinceMs,
          },
        ]
      : []),
  ];
}

/** Servers that somebody changed past the agents: the first few by name. */
function driftAlerts(node: string, drift: readonly Drift[], drifted: number): AlertLine[] {
  const named = drift.slice(0, 3).map(({ backend, server, is, should, wished }) => ({
    id: 'drift',
    node,
    subject: `${backend}/${server}`,
    text: `${is} on ${node}, and ${should} ${wished ? 'was asked for' : 'is configured'}`,
    remedy: `changed by hand or by another tool: proxyctl servers ${backend}`,
    sinceMs: null,
  }));
  const more = drifted - named.length;
  if (more <= 0) return named;
  const rest = { remedy: 'proxyctl status -o json, drift', sinceMs: null };
  return [...named, { id: 'drift', node, subject: node, text: `${more} servers more`, ...rest }];
}
