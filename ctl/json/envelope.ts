import type { ActError, ActResult } from '../../agent/core/results.ts';
import type { ExplainAnswer, Status } from '../../agent/core/answers.ts';
import { parseServerKey } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { addressIds, alertsOf, isHeard } from '../alerts.ts';
import type { Moment } from '../render/status.ts';

export interface NodeRow {
  readonly node: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly error?: ReturnType<typeof errorOf>;
  readonly [more: string]: unknown;
}

export interface Envelope {
  readonly verb: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly requestId: string;
  readonly answeredBy: string | null;
  readonly tookMs: number;
  readonly result: unknown;
  readonly nodes: readonly NodeRow[];
  readonly error: ActError | null;
}

/** One envelope as one line; docs/json.md describes every key. */
export function envelopeText(envelope: Envelope): string {
  const { requestId, answeredBy, tookMs, error, ...rest } = envelope;
  const { verb, ok, changed, result, nodes } = rest;
  return `${JSON.stringify({
    schema: 'proxyctl/v1',
    verb,
    ok,
    changed,
    request_id: requestId,
    answered_by: answeredBy,
    took_ms: Math.round(tookMs),
    result,
    nodes,
    ...(error === null ? {} : { error: { ...errorOf(error), request_id: requestId } }),
  })}\n`;
}

const errorOf = ({ code, message, cause, remediation, retryable }: ActError) => ({
  code,
  message,
  cause,
  remediation,
  retryable,
});

const time = (wallMs: number): string => new Date(wallMs).toISOString();

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
    alerts: alertsOf(status, at.nowMs).map(({ sinceMs, ...alert }) => ({
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

/** The `result` of `explain`. */
export const explainResult = ({ paused, addresses }: ExplainAnswer, nowMs: number): unknown => ({
  paused,
  addresses: addresses.map(({ address, owner, because, reason, flips, absent, standings }) => ({
    address,
    owner,
    because,
    reason,
    flips: flips.map(({ text, owner }) => ({ text, owner })),
    absent,
    nodes: standings.map((standing) => ({
      node: standing.node,
      state: standing.state,
      able: standing.unableBecause === '',
      unable_because: standing.unableBecause === '' ? null : standing.unableBecause,
      health: standing.health,
      health_reason: standing.healthReason,
      health_age_ms: Math.max(0, Math.round(nowMs - standing.healthSinceMs)),
      maintenance: standing.maintenance,
      pinned: standing.pinned,
      ripe: standing.ripe,
      base_advskew: standing.advskew,
    })),
  })),
});

/** The `result` of a move. */
export const moveResult = ({ addresses }: ActResult): unknown => ({
  addresses: addresses.map(({ address, vhid, vips, from, to, outcome, darkMsMax, pin }) => ({
    address,
    vhid,
    vips,
    from: from === '' ? null : from,
    to,
    outcome,
    dark_ms_max: darkMsMax,
    pin:
      pin === null || pin.deleted
        ? null
        : {
            node: pin.value,
            actor: pin.actor,
            reason: pin.reason,
            until: pin.untilWallMs === null ? null : time(pin.untilWallMs),
          },
  })),
});

/**
 * The rows per node of an act. A move's also say what a status read afterwards
 * says of the first address; null where it was not read.
 */
export function nodeRows(result: ActResult, move: { readonly after: Status | null } | null) {
  const [address] = result.addresses;
  return result.nodes.map(({ node, ok, changed, error }): NodeRow => {
    const status = move?.after?.nodes.find((one) => one.node === node);
    const reading =
      status === undefined || !isHeard(status)
        ? undefined
        : status.report?.addresses.find((one) => one.address === address?.address);
    return {
      node,
      ok,
      changed,
      ...(move === null
        ? {}
        : {
            state: reading?.state ?? null,
            advskew: reading?.advskew ?? null,
            base_advskew: reading?.baseAdvskew ?? null,
          }),
      ...(error === null ? {} : { error: errorOf(error) }),
    };
  });
}
