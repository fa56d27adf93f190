import type { NodeStatus, Status } from '../core/answers.ts';
import { withoutKeyAuthorization } from '../core/certs/challenge.ts';
import { inForce, newestStamp, PAUSE_KEY, pinKey, wish } from '../core/intents.ts';
import type { NodeView } from '../core/model.ts';
import { statusAlerts, type Decided } from '../core/alerts/status-alerts.ts';
import type { Pair } from './pair.ts';

export interface StatusSource {
  readonly pair: Pair;
  /** What the decisions warn of, with since when. */
  readonly alerts: () => readonly Decided[];
  /** Why a peer is not heard, as the transport knows it; empty when unknown. */
  readonly silence: (node: string) => string;
}

/** Everything `proxyctl status` shows, from memory: nothing is asked of anybody. */
export function status({ pair, alerts, silence }: StatusSource): Status {
  const nowMs = pair.clock.nowMs();
  const wallMs = pair.clock.wallMs();
  const views = pair.view();
  const nodes = views.map((view): NodeStatus => ({
    node: view.node,
    peerClass: view.peerClass,
    ageMs: view.heardAtMs === null ? null : Math.max(0, Math.round(nowMs - view.heardAtMs)),
    report: view.report,
    problem: view.fresh ? '' : silence(view.node) || unheard(view),
  }));
  const self = nodes.find(({ node }) => node === pair.node)?.report ?? null;
  const intents = [...pair.intents().values()]
    .filter((intent) => inForce(intent, wallMs))
    .map(withoutKeyAuthorization);
  return {
    pair: pair.name,
    node: pair.node,
    paused: wish(pair.intents(), PAUSE_KEY, wallMs) !== null,
    nodes,
    verdicts: (self?.addresses ?? []).map(({ address, owner, reason, reasonSinceMs }) => ({
      address,
      owner,
      reason,
      sinceMs: reasonSinceMs,
      pin: wish(pair.intents(), pinKey(address), wallMs),
    })),
    intents,
    alerts: statusAlerts({ node: pair.node, nodes, intents }, alerts(), nowMs),
    newest: newestStamp(pair.intents(), wallMs) ?? { wallMs: 0, count: 0, node: pair.node },
  };
}

const unheard = ({ node, heardAtMs }: NodeView): string =>
  heardAtMs === null ? `waiting for ${node}, never seen` : `${node} is not heard`;
