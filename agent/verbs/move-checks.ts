import type { ActHeader } from '../core/acts.ts';
import { ActFailure } from '../core/results.ts';
import { backendsDown, isObserver, isOpen } from '../core/health.ts';
import { leavingAgain } from '../core/decide/forecast.ts';
import type { View } from '../core/decide/view.ts';
import { maintenanceKey, pinKey, wish } from '../core/intents.ts';
import type { NodeReport } from '../core/model.ts';
import { mastersOf, type PairAddress } from './addresses.ts';
import { gossipObjection } from './gossip-checks.ts';
import type { Pair } from './pair.ts';

/** Throws ActFailure when the address cannot move to `to`. Nothing is touched. */
export function checkTarget(pair: Pair, address: PairAddress, to: string): void {
  const { id } = address;
  const target = pair.view().find(({ node }) => node === to);
  const refuse = (
    outcome: ActFailure['outcome'],
    code: string,
    cause: string,
    remediation: string,
    message = `not moved: ${to} cannot serve ${id}`,
  ): never => {
    throw new ActFailure(outcome, { code, message, cause, remediation, retryable: true });
  };
  const objection = gossipObjection(pair, id, [to, ...mastersOf(pair, id)]);
  if (objection !== null) {
    const { outcome, code, cause, remediation, message } = objection;
    return refuse(outcome, code, cause, remediation, message);
  }
  if (target?.fresh !== true || target.report === null) {
    return refuse(
      'unreachable',
      'agent_unreachable',
      `the agent on ${to} does not answer`,
      `on ${to}: service proxyagent status`,
      `not moved: nobody knows whether ${to} can serve ${id}`,
    );
  }
  const fresh = pair.view().filter((one) => one.fresh);
  if (fresh.some(({ report }) => report?.fenced || isLost(report, id))) {
    const cause = 'CARP adverts are lost between the nodes: both would be MASTER';
    return refuse('unsafe', 'adverts_lost', cause, 'look at pf, the switch and the password first');
  }
  const mine = target.report.addresses.find((reading) => reading.address === id);
  if (mine === undefined || mine.state === 'INIT') {
    const cause = mine === undefined ? `${to} does not carry it` : `its vhid is INIT on ${to}`;
    return refuse('failed', 'not_able', cause, `on ${to}: ifconfig, link and net.inet.carp.allow`);
  }
  if (wish(pair.intents(), maintenanceKey(to), pair.clock.wallMs()) !== null) {
    const cause = `${to} is in maintenance`;
    return refuse('conflict', 'in_maintenance', cause, `proxyctl maintenance off ${to}`);
  }
  const holder = address.nodes.find(({ node }) => node !== to);
  const masters = mastersOf(pair, id);
  const idle = fresh.find(
    ({ node, report }) =>
      report !== null && isObserver(report) && (node === to || masters.includes(node)),
  );
  if (idle !== undefined) {
    const cause = `the agent on ${idle.node} is not privileged and only observes`;
    const message = `not moved: ${idle.node} cannot ${idle.node === to ? 'take' : 'give'} ${id}`;
    return refuse('failed', 'observes', cause, `on ${idle.node}: start it as root`, message);
  }
  const blind = masters.length === 0 ? blindNode(pair) : null;
  if (blind !== null) {
    const [node, cause] = blind;
    const message = `not moved: ${node} cannot read CARP and may hold ${id}`;
    return refuse('failed', 'carp_unreadable', cause, `on ${node}: ifconfig and carp(4)`, message);
  }
  const newer = masters.length === 0 ? ofUnknownState(pair, id) : null;
  if (newer !== null) {
    const cause = `the agent on ${newer} is newer and names a CARP state that ${pair.node} does not know`;
    const message = `not moved: ${newer} may hold ${id}`;
    return refuse('failed', 'carp_unreadable', cause, `upgrade proxyctl on ${pair.node}`, message);
  }
  if (masters.length === 0 && holder !== undefined && !holder.fresh) {
    return refuse(
      'unreachable',
      'agent_unreachable',
      `the agent on ${holder.node} does not answer and may hold ${id}`,
      `on ${holder.node}: service proxyagent status; by hand: ifconfig ${mine.interface} vhid ${mine.vhid} advskew 254 there first`,
      `not moved: ${id} cannot be handed over`,
    );
  }
  if (target.report.health === 'down') {
    const cause = `${target.report.healthReason} on ${to}`;
    return refuse('unsafe', 'peer_unhealthy', cause, `start HAProxy on ${to} first`);
  }
  const closed = closedThere(pair, target.report, masters);
  if (closed !== null)
    return refuse(
      'unsafe',
      'peer_unhealthy',
      closed,
      `see haproxy.conf and its log on ${to} first`,
    );
}

/** Throws ActFailure where backends would be lost by the move, unless that risk is accepted. */
export function checkLoss(pair: Pair, { id }: PairAddress, to: string, header: ActHeader): void {
  if (header.acceptRisks.includes('peer-unhealthy')) return;
  const target = pair.view().find(({ node }) => node === to)?.report ?? null;
  const lost = target === null ? null : worse(pair, target, mastersOf(pair, id));
  if (lost === null) return;
  throw new ActFailure('unsafe', {
    code: 'peer_unhealthy',
    message: `not moved: ${to} cannot serve ${id}`,
    cause: lost,
    remediation: 'proxyctl status, or accept it: --accept-risk=peer-unhealthy',
    retryable: true,
  });
}

/**
 * Throws ActFailure where the address would leave `to` again as soon as nothing pins it there: a
 * failback takes its own pin back at its end. `view`: what the loop decides from; null: not known.
 */
export function checkStays(pair: Pair, { id }: PairAddress, to: string, view: View | null): void {
  if (view === null) return;
  const unpinned = new Map(view.intents);
  unpinned.delete(pinKey(id));
  const why = leavingAgain(view, unpinned, { address: id, node: to }, pair.clock.nowMs());
  if (why === null) return;
  throw new ActFailure('unsafe', {
    code: 'would_not_stay',
    message: `not moved: ${id} would not stay on ${to}`,
    cause: why,
    remediation: `mend that first, or keep it there all the same: proxyctl failover --vhid ${id} --to ${to}`,
    retryable: true,
  });
}

const isLost = (report: NodeReport | null, id: string): boolean =>
  report?.addresses.some(({ address, advertsLost }) => address === id && advertsLost) ?? false;

/** The first node in touch that cannot read its own CARP, and why; null for none. */
function blindNode(pair: Pair): [string, string] | null {
  for (const { node, fresh, report } of pair.view()) {
    const problem = report?.problems.find(({ subject }) => subject === 'carp');
    if (fresh && problem !== undefined) return [node, problem.cause];
  }
  return null;
}

/** The first node in touch whose CARP state of the address is unknown here; null for none. */
const ofUnknownState = (pair: Pair, id: string): string | null =>
  pair
    .view()
    .find(
      ({ fresh, report }) =>
        fresh &&
        report?.addresses.some(({ address, state }) => address === id && state === 'unknown'),
    )?.node ?? null;

/** A required frontend is closed on the target, and it would lose an address to one where all are open. */
const closedThere = (
  pair: Pair,
  { node, health, healthReason }: NodeReport,
  masters: readonly string[],
): string | null =>
  health === 'partly' &&
  pair.view().some((one) => masters.includes(one.node) && isOpen(one.report?.health ?? 'unknown'))
    ? `${healthReason} on ${node}`
    : null;

/** The first backend that is up where the address is and down on the target; null for none. */
function worse(pair: Pair, target: NodeReport, masters: readonly string[]): string | null {
  const down = backendsDown(target);
  for (const { node, report } of pair.view()) {
    if (report === null || !masters.includes(node) || node === target.node) continue;
    const there = new Set(backendsDown(report));
    const lost = down.find((name) => !there.has(name));
    if (lost !== undefined) return `backend ${lost} is up on ${node} and down on ${target.node}`;
  }
  return null;
}
