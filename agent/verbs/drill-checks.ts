import type { Alert } from '../core/answers.ts';
import type { DrillAct } from '../core/drill.ts';
import { runningDrill } from '../core/drill.ts';
import { isOpen } from '../core/health.ts';
import { maintenanceKey, PAUSE_KEY, pinKey, wish } from '../core/intents.ts';
import type { Outcome } from '../core/results.ts';
import { ActFailure } from '../core/results.ts';
import { addressesOf, mastersOf, type PairAddress } from './addresses.ts';
import { checkLoss, checkTarget } from './move-checks.ts';
import type { Pair } from './pair.ts';

/** Whose loss is rehearsed, what moves for it, and where everything was before. */
export interface DrillTarget {
  readonly node: string;
  /** Those that `node` has, and where they would go. */
  readonly moving: readonly { readonly address: PairAddress; readonly to: string }[];
  readonly addresses: readonly PairAddress[];
  /** Every address of the pair, by the node that has it. */
  readonly homes: Readonly<Record<string, readonly string[]>>;
}

/**
 * What a drill would do. Throws ActFailure with the first risk that it sees: a rehearsal begins
 * where everything is as it should be, or not at all. Nothing is touched.
 */
export function drillTarget(
  pair: Pair,
  act: Pick<DrillAct, 'kind' | 'node' | 'header'>,
  alerts: readonly Alert[],
): DrillTarget {
  const wallMs = pair.clock.wallMs();
  const running = runningDrill(pair.intents(), wallMs);
  if (running !== null)
    refuse('conflict', 'drill_running', `a drill (${running.kind}) goes on, by ${running.actor}`, {
      cause: `it began on ${running.by} and ends by itself`,
      remediation: 'proxyctl status says when it has ended',
    });
  refuseUnsteady(pair, alerts);
  const addresses = addressesOf(pair, []);
  const homes: Record<string, string[]> = {};
  for (const { id } of addresses) (homes[masterOf(pair, id)] ??= []).push(id);
  const node = act.node ?? usual(pair, act.kind, addresses);
  if (act.kind === 'agent' && node === pair.node)
    refuse('conflict', 'own_agent', `the agent on ${node} cannot watch its own end`, {
      remediation: 'ask another agent: --context of one that has its address alone',
    });
  if (!pair.members.some((one) => one.node === node))
    refuse('not-found', 'no_such_node', `no node is called ${node}`, {
      cause: `the nodes are ${pair.members.map((one) => one.node).join(', ')}`,
      remediation: '--node names one of them',
    });
  const moving = (act.kind === 'agent' ? [] : addresses)
    .filter(({ id }) => homes[node]?.includes(id) === true)
    .map((address) => ({ address, to: nextOf(address, node) }));
  if (moving.length === 0 && act.kind !== 'agent')
    refuse('conflict', 'nothing_held', `${node} has no address: without it nothing would move`, {
      remediation: '--node names the one that has them',
    });
  for (const { address, to } of moving) {
    checkTarget(pair, address, to);
    checkLoss(pair, address, to, act.header);
  }
  return { node, moving, addresses, homes };
}

function refuse(
  outcome: Outcome,
  code: string,
  why: string,
  more: { readonly cause?: string; readonly remediation: string },
): never {
  const message = `nothing was rehearsed: ${why}`;
  throw new ActFailure(outcome, { code, message, retryable: true, ...more });
}

/** Throws for whatever makes this a bad moment for everybody. */
function refuseUnsteady(pair: Pair, alerts: readonly Alert[]): void {
  const wallMs = pair.clock.wallMs();
  const intents = pair.intents();
  for (const { node, fresh, report } of pair.view()) {
    if (!fresh || report === null)
      refuse('unreachable', 'agent_unreachable', `the agent on ${node} does not answer`, {
        remediation: `on ${node}: service proxyagent status`,
      });
    if (!report.joined)
      refuse('conflict', 'just_started', `the agent on ${node} has just started`, {
        remediation: 'wait a few seconds until it has met the others',
      });
    if (wish(intents, maintenanceKey(node), wallMs) !== null)
      refuse('conflict', 'in_maintenance', `${node} is in maintenance`, {
        remediation: `proxyctl maintenance off ${node}`,
      });
    if (!isOpen(report.health))
      refuse('unsafe', 'peer_unhealthy', `${report.healthReason} on ${node}`, {
        remediation: 'proxyctl status, and mend that first',
      });
  }
  if (wish(intents, PAUSE_KEY, wallMs) !== null)
    refuse('conflict', 'paused', 'automation is paused, so that no rescue would come', {
      remediation: 'proxyctl resume',
    });
  const alert = alerts.find(({ severity }) => severity === 'fail');
  if (alert !== undefined)
    refuse('unsafe', 'alerts', `${alert.node}: ${alert.text}`, {
      remediation: alert.remedy === '' ? 'proxyctl status, and mend that first' : alert.remedy,
    });
  for (const { id } of addressesOf(pair, [])) {
    const pin = wish(intents, pinKey(id), wallMs);
    if (pin !== null)
      refuse('conflict', 'pinned', `${id} is pinned to ${pin.value}, by ${pin.actor}`, {
        remediation: 'proxyctl failback takes the pin back',
      });
    const master = masterOf(pair, id);
    const owner = pair
      .view()
      .find(({ node }) => node === pair.node)
      ?.report?.addresses.find(({ address }) => address === id)?.owner;
    if (typeof owner === 'string' && owner !== master)
      refuse('conflict', 'moving', `${id} is about to move from ${master} to ${owner}`, {
        remediation: 'proxyctl explain says why; wait until it has moved',
      });
  }
}

/** The one MASTER; throws where there is none, or more. */
function masterOf(pair: Pair, id: string): string {
  const [master, ...more] = mastersOf(pair, id);
  if (master === undefined)
    return refuse('unsafe', 'no_master', `no node is MASTER of ${id}`, {
      remediation: 'proxyctl status and proxyctl doctor, and mend that first',
    });
  if (more.length > 0)
    return refuse('unsafe', 'split_brain', `${[master, ...more].join(', ')} are MASTER of ${id}`, {
      remediation: 'proxyctl doctor, and mend that first',
    });
  return master;
}

/** The MASTER of the first address; of an agent that one unless it is asked, then another. */
function usual(pair: Pair, kind: DrillAct['kind'], [first]: readonly PairAddress[]): string {
  const master = first === undefined ? pair.node : masterOf(pair, first.id);
  if (kind !== 'agent' || master !== pair.node) return master;
  return pair.members.find(({ node }) => node !== pair.node)?.node ?? master;
}

/** The one that an address prefers among the others. */
function nextOf({ id, nodes }: PairAddress, from: string): string {
  const next = nodes.find(({ node }) => node !== from);
  return (
    next?.node ??
    refuse('failed', 'not_able', `no other node carries ${id}`, {
      remediation: 'proxyctl doctor says what is missing there',
    })
  );
}
