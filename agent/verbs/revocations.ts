import type { RevocationAct } from '../core/acts.ts';
import { ActFailure, type ActResult, type NodeOutcome } from '../core/results.ts';
import type { Report } from '../core/verbs.ts';
import { away, failed, present, result, steps, type Pair } from './pair.ts';

/**
 * `pki revoke` and `pki publish`: this node first, for what it does not trust goes nowhere; then
 * every other in touch. Who is away gets the list when it is heard again.
 */
export async function publishRevocations(
  pair: Pair,
  { header, list }: RevocationAct,
  report: Report,
): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const said = steps(pair.clock, report);
  if (header.dryRun)
    throw new ActFailure('usage', {
      code: 'no_dry_run',
      message: 'a revocation list is not tried first: its signature is all that is checked',
    });
  const reachable = present(pair);
  const store = async (node: string): Promise<NodeOutcome> => {
    const member = reachable.find((one) => one.node === node);
    if (member === undefined) return away(node);
    try {
      return { node, ok: true, changed: await member.storeRevocations(list), error: null };
    } catch (error) {
      return failed(node, error);
    }
  };
  const own = pair.members.find(({ node }) => node === pair.node);
  const first = await own?.storeRevocations(list);
  const others = pair.members.filter((member) => member !== own);
  const nodes = [
    { node: pair.node, ok: true, changed: first === true, error: null },
    ...(await Promise.all(others.map(({ node }) => store(node)))),
  ];
  const done = nodes.filter(({ ok }) => ok).map(({ node }) => node);
  said('storing', `in force on ${done.join(', ')}`);
  const outcome = nodes.every(({ ok }) => ok) ? 'reached' : 'partial';
  const changed = nodes.some((node) => node.changed);
  return result(pair, header, startedAtMs, { outcome, changed, nodes });
}
