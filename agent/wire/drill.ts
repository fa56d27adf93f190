import type { DrillAct, DrillPlan, DrillSeenAct } from '../core/drill.ts';
import { DRILL_KINDS, DRILL_MEANS, LONGEST_DRILL_MS } from '../core/drill.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { headerFromWire, headerToWire } from './acts.ts';
import { LENGTHS, named, short } from './bounds.ts';
import { oneOf, orNull, uint32, within } from './fields.ts';

/** Throws WireError. */
export const drillFromWire = (wire: proxyctl.v1.DrillRequest): DrillAct => ({
  header: headerFromWire(wire.header),
  kind: oneOf('kind', wire.kind, DRILL_KINDS),
  node: orNull(short('node', wire.node, LENGTHS.name)),
  means: wire.means === '' ? null : oneOf('means', wire.means, DRILL_MEANS),
  stayMs: within('stay_ms', wire.stayMs, 0, LONGEST_DRILL_MS),
  maxOutageMs: within('max_outage_ms', wire.maxOutageMs, 1, LONGEST_DRILL_MS),
});

/** The inverse of drillFromWire. */
export const drillToWire = (act: DrillAct): proxyctl.v1.DrillRequest.$Properties => ({
  ...act,
  header: headerToWire(act.header),
  node: act.node ?? '',
  means: act.means ?? '',
});

/** Throws WireError. */
export const drillSeenFromWire = (wire: proxyctl.v1.DrillSeenRequest): DrillSeenAct => ({
  header: headerFromWire(wire.header),
  drill: named('drill', wire.drill, LENGTHS.requestId),
  stop: wire.stop,
  why: short('why', wire.why, LENGTHS.reason),
  sent: wire.sent,
  lost: wire.lost,
  darkMs: wire.darkMs,
});

/** The inverse of drillSeenFromWire. */
export const drillSeenToWire = (act: DrillSeenAct): proxyctl.v1.DrillSeenRequest.$Properties => ({
  ...act,
  header: headerToWire(act.header),
  sent: uint32(act.sent),
  lost: uint32(act.lost),
  darkMs: uint32(act.darkMs),
});

/** A plan as it travels. */
export const drillPlanToWire = ({
  node,
  means,
  probes,
}: DrillPlan): proxyctl.v1.DrillPlan.$Properties => ({
  node,
  means: means ?? '',
  probes: [...probes],
});

/** A plan on arrival; means that only a newer agent knows are none. */
export const drillPlanFromWire = ({ node, means, probes }: proxyctl.v1.DrillPlan): DrillPlan => ({
  node,
  means: DRILL_MEANS.find((one) => one === means) ?? null,
  probes,
});
