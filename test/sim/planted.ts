import { decide, type Decide } from '../../agent/core/decide/decide.ts';
import type { Action, Decision } from '../../agent/core/decide/decision.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { AddressReport, NodeReport } from '../../agent/core/model.ts';
import type { View } from '../../agent/core/decide/view.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import type { Gossip } from '../../agent/gossip/gossip.ts';
import type { CarpPort } from '../../agent/loop/ports.ts';
import type { State } from '../../agent/store/state.ts';
import type { FieldKind } from './plan.ts';
import type { Host } from './host.ts';

/** A bug on purpose: what of an agent's parts is replaced. The product has none of these switches. */
export interface Planted {
  readonly name: string;
  /** A seed in which the invariants noticed it. */
  readonly seed: number;
  /** It is noticed soon where this goes wrong often. */
  readonly often?: FieldKind;
  /** A policy for one start of one agent. */
  readonly decide?: () => Decide;
  readonly carp?: (port: CarpPort, host: Host) => CarpPort;
  readonly durable?: (state: State) => State;
  /** What its watch says of HAProxy. */
  readonly liveness?: (said: Liveness, host: Host) => Liveness;
  /** Changes what arrives; null: as it is. */
  readonly receive?: (message: GossipMessage, gossip: Gossip) => GossipMessage | null;
}

/** The view with every report as `change` makes it; `self`: the own one. */
export const reports = (
  view: View,
  change: (report: NodeReport, self: boolean) => NodeReport,
): View => ({
  ...view,
  nodes: view.nodes.map((one) =>
    one.report === null ? one : { ...one, report: change(one.report, one.node === view.self) },
  ),
});

/** A report with each address as `change` makes it. */
export const addresses = (
  report: NodeReport,
  change: (address: AddressReport) => AddressReport,
): NodeReport => ({ ...report, addresses: report.addresses.map(change) });

/** The real policy on a view that is not as it is. */
export const seeing =
  (change: (view: View, nowMs: number) => View): (() => Decide) =>
  () =>
  (view, memory, nowMs) =>
    decide(change(view, nowMs), memory, nowMs);

/** The real policy, with something else done than it decided. */
export const doing =
  (change: (decision: Decision, view: View) => Decision): (() => Decide) =>
  () =>
  (view, memory, nowMs) =>
    change(decide(view, memory, nowMs), view);

/** The decision without some of its actions. */
export const without = (decision: Decision, unwanted: (action: Action) => boolean): Decision => ({
  ...decision,
  actions: decision.actions.filter((action) => !unwanted(action)),
});
