import type { WeightAct } from '../core/acts.ts';
import { ActFailure, type ActResult } from '../core/results.ts';
import type { ServerReading } from '../core/answers.ts';
import { weightKey, wish, type ServerTarget } from '../core/intents.ts';
import { expectedWeight, isWeight, UNTOLD } from '../core/servers/servers.ts';
import type { Report } from '../core/verbs.ts';
import { behindText } from './behind.ts';
import { keysInForce, lackText, liftedBy, type Lifted } from './lifted.ts';
import { absent, refuseStale, result, steps, type Pair, untouched } from './pair.ts';
import { look, lookFirst, type Found } from './server-look.ts';
import {
  expand,
  nameOf,
  nodesOf,
  parseTarget,
  readings,
  refuseLast,
  rows,
} from './server-targets.ts';
import { enforce, firstError, undone } from './server-wishes.ts';

/**
 * `weight`: stored as a wish and told to every HAProxy, like drain. What a
 * node's HAProxy refuses (a static algorithm) is taken back on all.
 */
export async function setWeights(pair: Pair, act: WeightAct, report: Report): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header, weight } = act;
  const said = steps(pair.clock, report);
  const end = (rest: Parameters<typeof result>[3]): ActResult =>
    result(pair, header, startedAtMs, rest);
  if (weight !== null && !isWeight(weight))
    throw new ActFailure('usage', {
      code: 'bad_weight',
      message: `${JSON.stringify(weight)} is no weight`,
      remediation: 'give 0 to 256, 0% to 1000% of the configured one, or reset',
    });

  const named = act.targets.map(parseTarget);
  const backends = named.map(({ backend }) => backend);
  const { found, silent } = await lookFirst(pair, backends);
  const lifted: Lifted =
    weight === null ? liftedBy(pair, named, found) : { targets: expand(named, found), lost: [] };
  const targets = [...lifted.targets, ...lifted.lost];
  const weights = targets.map(keyOf);
  const forgotten = keysInForce(pair, lifted.lost).filter((key) => weights.includes(key));
  refuseStale(pair, header, weights);
  // A share of a small weight is rounded down: half of 1 is 0.
  const silenced = targets.filter((target) =>
    readings(target, found).some((one) => expected(weight ?? UNTOLD.weight, one) === 0),
  );
  if (!header.acceptRisks.includes('last-server')) refuseLast(silenced, found);
  said('checking', `${targets.map(nameOf).join(', ')} on ${nodesOf(found).join(', ')}`);
  for (const text of weight === null ? lackText(lifted, found) : []) said('warning', text);

  const none = /^0+%?$/.test(weight ?? '') || weight === null ? [] : silenced;
  if (none.length > 0)
    said(
      'warning',
      `${weight} of so small a weight is 0: no new sessions for ${none.map(nameOf).join(', ')}`,
    );
  for (const text of behindText(lifted.targets, found)) said('warning', text);

  const changing = lifted.targets.filter((target) => !inForce(pair, act, target, found));
  const keys = [...changing.map(keyOf), ...forgotten];
  const missing = absent(pair);
  if (keys.length === 0) {
    const nodes = untouched(pair).map((row) => silent.find(({ node }) => node === row.node) ?? row);
    const outcome = nodes.every(({ ok }) => ok) ? 'reached' : 'partial';
    return end({ outcome, nodes, servers: rows(targets, found, found, weightOf) });
  }
  if (header.dryRun) {
    const planned = rows(targets, found, found, (one) =>
      String(expected(weight ?? UNTOLD.weight, one)),
    );
    const now = rows(targets, found, null, weightOf);
    const servers = now.map((row, at) => ({ ...row, after: planned[at]?.after ?? '' }));
    return end({ outcome: 'would-change', servers });
  }

  const before = new Map(pair.intents());
  const wishes = keys.map((key) => ({
    key,
    value: weight ?? '',
    deleted: weight === null,
    untilMs: act.untilMs,
  }));
  const { nodes, stored } = await enforce(pair, header, wishes, silent, (on) =>
    said('storing', `weight ${weight ?? 'reset'} on ${on.join(', ')}`),
  );
  const refused = nodes.find(
    ({ node, error }) => stored.includes(node) && error?.code === 'failed',
  )?.error;
  if (refused !== undefined && refused !== null) {
    const back = await enforce(pair, header, undone(keys, before, pair.clock.wallMs()), silent);
    const unheard = [...missing, ...silent.map(({ node }) => node)];
    const undoneAll = back.nodes.every(({ ok }) => ok || unheard.length > 0);
    return end({
      outcome: undoneAll ? 'failed' : 'partial',
      changed: !undoneAll,
      nodes,
      error: {
        code: 'weight_refused',
        message: `HAProxy does not take weight ${weight ?? 'reset'}`,
        cause: refused.message,
        remediation: /static/.test(refused.message)
          ? 'nothing was changed; its balance algorithm is static: use drain or maint'
          : 'nothing was changed',
        retryable: false,
      },
    });
  }
  const good = nodes.filter(({ ok }) => ok);
  if (good.length > 0)
    said('confirmed', `read again on ${good.map(({ node }) => node).join(', ')}`);
  const { found: after } = await look(pair, backends, stored);
  return end({
    outcome: good.length === nodes.length ? 'reached' : 'partial',
    changed: true,
    nodes,
    error: firstError(nodes),
    servers: rows(targets, found, after, weightOf),
  });
}

const weightOf = ({ weight }: { readonly weight: number }): string => String(weight);

const keyOf = ({ instance, backend, server }: ServerTarget): string =>
  weightKey(instance, backend, server);

/** Stored already, and HAProxy has it on every node in touch. */
function inForce(
  pair: Pair,
  { weight, untilMs }: WeightAct,
  target: ServerTarget,
  found: readonly Found[],
): boolean {
  if (untilMs !== null) return false;
  const stored = wish(pair.intents(), keyOf(target), pair.clock.wallMs());
  if ((stored?.value ?? null) !== weight) return false;
  return readings(target, found).every(
    (one) => one.weight === expected(weight ?? UNTOLD.weight, one),
  );
}

const expected = (weight: string, { initialWeight }: ServerReading): number =>
  expectedWeight(weight, initialWeight);
