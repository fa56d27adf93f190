import type { Noticed } from '../alerts/alert.ts';
import type { NodeView } from '../model.ts';
import { isLost, isMaintained, isPaused, unfit } from './candidates.ts';
import type { Ownership } from './owner.ts';
import { isDeaf } from './unserved.ts';
import type { View } from './view.ts';

/** Why a node could not take an address now, and what to do about it. */
type Hindrance = Pick<Noticed, 'text' | 'remedy'>;

/**
 * What keeps every other node from taking the address now, one each; empty: somebody could, or
 * nobody is known to be MASTER of it. Of a node whose HAProxy cannot be asked it is not said.
 */
export function hindrances({ candidates }: Ownership, view: View): readonly Hindrance[] {
  const others = view.nodes.filter(
    ({ node }) => !candidates.some((one) => one.node === node && one.isMaster),
  );
  if (others.length === view.nodes.length || others.length === 0) return [];
  if (isPaused(view)) return [{ text: 'automation is paused', remedy: 'proxyctl resume' }];
  if (isLost(candidates))
    return [{ text: 'CARP adverts are lost between the nodes', remedy: 'proxyctl doctor' }];
  const found = others.flatMap((one) => hindranceOf(one, candidates, view) ?? []);
  return found.length === others.length ? found : [];
}

function hindranceOf(
  one: NodeView,
  candidates: Ownership['candidates'],
  view: View,
): Hindrance | null {
  const { node } = one;
  const agent = `on ${node}: service proxyagent status`;
  if (one.doubleSinceMs !== null)
    return { text: `two agents go on under the name ${node}`, remedy: 'end one of them' };
  if (!one.fresh) return { text: `${node} is not heard`, remedy: agent };
  if (isDeaf(one)) return { text: `${node} does not hear ${view.self}`, remedy: 'proxyctl doctor' };
  const candidate = candidates.find((other) => other.node === node);
  if (candidate === undefined)
    return { text: `${node} does not carry it`, remedy: `on ${node}: ifconfig` };
  const { report, able, demoted, joined } = candidate;
  if (report.health === 'down')
    return {
      text: `${report.healthReason} on ${node}`,
      remedy: `on ${node}: service haproxy status`,
    };
  if (!able || !joined)
    return { text: `${node} cannot take it (${unfit(candidate)})`, remedy: 'proxyctl doctor' };
  if (isMaintained(candidate, view))
    return { text: `${node} is in maintenance`, remedy: `proxyctl maintenance off ${node}` };
  if (demoted)
    return {
      text: `${node} is demoted (net.inet.carp.demotion is ${report.demotion})`,
      remedy: 'proxyctl doctor',
    };
  return null;
}
