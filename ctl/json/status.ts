import type { Status } from '../../agent/core/answers.ts';
import { parseServerKey } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';

export interface Moment {
  /** Monotonic, the clock the status was converted with. */
  readonly nowMs: number;
  readonly wallMs: number;
}

/** RFC 3339, UTC, with milliseconds. */
export const time = (wallMs: number): string => new Date(wallMs).toISOString();

const wish = (intent: Intent, at: Moment) => ({
  node: intent.value,
  actor: intent.actor,
  reason: intent.reason,
  since: time(Math.min(intent.stamp.wallMs, at.wallMs)),
  until: intent.untilWallMs === null ? null : time(intent.untilWallMs),
});

/** The `result` of `status`. A node that is not heard has no present state: null, with `last`. */
export function statusResult(status: Status, at: Moment): unknown {
  const age = (sinceMs: number): number => Math.max(0, Math.round(at.nowMs - sinceMs));
  return {
    pair: status.pair,
    paused: status.paused,
    addresses: addressIds(status).map((id) => {
      const verdict = status.verdicts.find(({ address }) => address === id);
      const rows = status.nodes.flatMap((node) => {
        const reading = node.report?.addresses.find(({ address }) => address === id);
        return reading === undefined ? [] : [{ node, reading }];
      });
      const [first] = rows;
      return {
        address: id,
        vhid: first?.reading.vhid ?? null,
        vips: first?.reading.vips ?? [],
        owner: verdict?.owner ?? null,
        pin: verdict?.pin ? wish(verdict.pin, at) : null,
        reason: verdict?.reason ?? null,
        reason_age_ms: verdict === undefined ? null : age(verdict.sinceMs),
        nodes: rows.map(({ node, reading }) => ({
          node: node.node,
          interface: reading.interface,
          state: isHeard(node) ? reading.state : null,
          advskew: isHeard(node) ? reading.advskew : null,
          base_advskew: reading.baseAdvskew,
          age_ms: node.ageMs,
          last: isHeard(node) ? null : { state: reading.state, advskew: reading.advskew },
        })),
      };
    }),
    nodes: status.nodes.map((node) => nodeResult(node, isHeard(node), age)),
    maintenance: status.intents.flatMap((intent) => maintenanceResult(intent, at)),
    pause: pauseResult(status, at),
    drained: status.intents.flatMap((intent) => drainedResult(status, intent, at)),
    alerts: status.alerts.map(({ sinceMs, ...alert }) => ({
      ...alert,
      since_ms: sinceMs === null ? null : age(sinceMs),
    })),
    decision: {
      reason: status.verdicts[0]?.reason ?? null,
      age_ms: status.verdicts[0] === undefined ? null : age(status.verdicts[0].sinceMs),
    },
  };
}

function nodeResult(
  node: Status['nodes'][number],
  heard: boolean,
  age: (sinceMs: number) => number,
): unknown {
  const { report } = node;
  const certificates = (report?.haproxy ?? []).flatMap((one) => one.certificates);
  return {
    node: node.node,
    class: node.peerClass,
    health: heard ? (report?.health ?? null) : null,
    health_reason: heard ? (report?.healthReason ?? null) : null,
    age_ms: node.ageMs,
    agent:
      report === null
        ? null
        : {
            version: report.agentVersion,
            protocol: report.protocol,
            up_ms: age(report.agentStartedMs),
            joined: report.joined,
            carp_events: report.carpEvents,
            icmp: report.icmp,
          },
    fenced: report?.fenced ?? null,
    demotion: report?.demotion ?? null,
    preempt: report?.preempt ?? null,
    haproxy: (report?.haproxy ?? []).map((one) => ({
      instance: one.instance,
      state: heard ? one.state : null,
      problem: one.problem,
      version: one.version,
      pid: one.pid,
      up_ms: age(one.startedMs),
      backends_up: one.backends.filter(({ up }) => up).length,
      backends_down: one.backends.filter(({ up }) => !up).length,
      sessions: one.sessions,
      drift: one.drift.map(({ backend, server, is, should, wished }) => ({
        backend,
        server,
        is,
        should,
        wished,
      })),
      drifted: one.drifted,
      backends: one.backends.map(({ name, up, servers, serversUp }) => ({
        name,
        up,
        servers,
        servers_up: serversUp,
      })),
    })),
    certificates: certificates.map(({ path, fingerprint, notAfter, names }) => ({
      path,
      fingerprint,
      not_after: notAfter,
      names,
    })),
  };
}

/** Who wants it, why, since when and until when. */
export function who(intent: Intent, at: Moment): object {
  const { actor, reason, since, until } = wish(intent, at);
  return { actor, reason, since, until };
}

function maintenanceResult(intent: Intent, at: Moment): object[] {
  const [kind, node] = intent.key.split('/');
  return kind === 'maintenance' ? [{ node, ...who(intent, at) }] : [];
}

function pauseResult(status: Status, at: Moment): object | null {
  const pause = status.intents.find(({ key }) => key === 'pause');
  return pause === undefined ? null : who(pause, at);
}

function drainedResult(status: Status, intent: Intent, at: Moment): unknown[] {
  const target = parseServerKey(intent.key);
  if (target === null) return [];
  return [
    {
      ...target,
      state: intent.value,
      ...who(intent, at),
      nodes: status.nodes.map(({ node, report }) => {
        const applied = report?.applied.find(({ key }) => key === intent.key);
        return { node, in_force: applied?.problem === '', problem: applied?.problem ?? null };
      }),
    },
  ];
}
