import type { Alert, Status } from '../../agent/core/answers.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { parseServerKey, stampText } from '../../agent/core/intents.ts';
import { lastDrills } from '../../agent/core/drill.ts';
import type { Intent } from '../../agent/core/model.ts';
import { lastDrillJson, type LastDrillJson } from './drill.ts';
import { statusNode, type StatusNodeJson } from './status-nodes.ts';
import { who, type Moment, type WhoJson } from './wish.ts';

interface WithNode extends WhoJson {
  readonly node: string;
}

interface AddressJson {
  readonly address: string;
  readonly vhid: number | null;
  readonly vips: readonly string[];
  readonly owner: string | null;
  readonly pin: WithNode | null;
  readonly reason: string | null;
  readonly reason_age_ms: number | null;
  readonly nodes: readonly {
    readonly node: string;
    readonly interface: string;
    readonly state: string | null;
    readonly advskew: number | null;
    readonly base_advskew: number | null;
    readonly age_ms: number | null;
    readonly last: { readonly state: string; readonly advskew: number } | null;
  }[];
}

interface DrainedJson extends WhoJson {
  readonly instance: string;
  readonly backend: string;
  readonly server: string;
  readonly state: string;
  readonly nodes: readonly {
    readonly node: string;
    readonly in_force: boolean;
    readonly problem: string | null;
  }[];
}

interface AlertJson {
  readonly id: string;
  readonly node: string;
  readonly subject: string;
  readonly severity: string;
  readonly text: string;
  readonly remedy: string;
  readonly since_ms: number | null;
}

/** The `result` of `status`. */
export interface StatusJson {
  readonly pair: string;
  readonly paused: boolean;
  /** What --seen takes; null from an agent of an earlier version. */
  readonly seen: string | null;
  readonly addresses: readonly AddressJson[];
  readonly nodes: readonly StatusNodeJson[];
  readonly maintenance: readonly WithNode[];
  readonly pause: WhoJson | null;
  readonly drained: readonly DrainedJson[];
  /** The last of each kind. */
  readonly drills: readonly LastDrillJson[];
  readonly alerts: readonly AlertJson[];
  readonly decision: { readonly reason: string | null; readonly age_ms: number | null };
}

/** A node that is not heard has no present state: null, with `last`. */
export function statusResult(status: Status, at: Moment): StatusJson {
  const age = (sinceMs: number): number => Math.max(0, Math.round(at.nowMs - sinceMs));
  const [first] = status.verdicts;
  const pause = status.intents.find(({ key }) => key === 'pause');
  return {
    pair: status.pair,
    paused: status.paused,
    seen: status.newest === null ? null : stampText(status.newest),
    addresses: addressIds(status).map((id) => addressJson(status, id, at, age)),
    nodes: status.nodes.map((node) => statusNode(node, age)),
    maintenance: status.intents.flatMap((intent) => maintenanceJson(intent, at)),
    pause: pause === undefined ? null : who(pause, at),
    drained: status.intents.flatMap((intent) => drainedJson(status, intent, at)),
    drills: lastDrills(status.intents, at.wallMs).map(lastDrillJson),
    alerts: status.alerts.map((one) => alertJson(one, age)),
    decision: {
      reason: first?.reason ?? null,
      age_ms: first === undefined ? null : age(first.sinceMs),
    },
  };
}

function addressJson(
  status: Status,
  id: string,
  at: Moment,
  age: (sinceMs: number) => number,
): AddressJson {
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
    pin: verdict?.pin ? { node: verdict.pin.value, ...who(verdict.pin, at) } : null,
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
}

function maintenanceJson(intent: Intent, at: Moment): WithNode[] {
  const [kind, node = ''] = intent.key.split('/');
  return kind === 'maintenance' ? [{ node, ...who(intent, at) }] : [];
}

function drainedJson(status: Status, intent: Intent, at: Moment): DrainedJson[] {
  const target = parseServerKey(intent.key);
  if (target === null) return [];
  const { instance, backend, server } = target;
  const nodes = status.nodes.map(({ node, report }) => {
    const applied = report?.applied.find(({ key }) => key === intent.key);
    return { node, in_force: applied?.problem === '', problem: applied?.problem ?? null };
  });
  return [{ instance, backend, server, state: intent.value, ...who(intent, at), nodes }];
}

const alertJson = (one: Alert, age: (sinceMs: number) => number): AlertJson => ({
  id: one.id,
  node: one.node,
  subject: one.subject,
  severity: one.severity,
  text: one.text,
  remedy: one.remedy,
  since_ms: one.sinceMs === null ? null : age(one.sinceMs),
});
