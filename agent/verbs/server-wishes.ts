import type { ActHeader } from '../core/acts.ts';
import { ActFailure, type NodeOutcome } from '../core/results.ts';
import { compareStamps, inForce, isAhead } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import { failed, stamped, storeEverywhere, until, waitMs, type Pair } from './pair.ts';

/** The longest a node may take to tell its HAProxy, whatever else is waited for, ms. */
const FORCE_MS = 10_000;

/** What one node's report says of each of these wishes. */
function applied(pair: Pair, node: string, intents: readonly Intent[]) {
  const report = pair.view().find((view) => view.node === node)?.report ?? null;
  return intents.map((intent) => {
    const record = report?.applied.find(({ key }) => key === intent.key);
    // A record of a stamp that was days ahead is of what this one replaced.
    const known =
      record !== undefined &&
      !isAhead(record, pair.clock.wallMs()) &&
      compareStamps(record.stamp, intent.stamp) >= 0;
    return { known, problem: record?.problem ?? '', server: record?.server };
  });
}

function outcomeOf(pair: Pair, node: string, intents: readonly Intent[]): NodeOutcome {
  const all = applied(pair, node, intents);
  const bad = all.find(({ known, problem }) => known && problem !== '');
  if (bad?.server !== undefined)
    return failed(
      node,
      new ActFailure('partial', {
        code: 'server_gone',
        message: bad.problem,
        remediation: 'proxyctl ready ends what was wished of it',
      }),
    );
  if (bad !== undefined) return failed(node, new Error(bad.problem));
  if (all.every(({ known }) => known)) return { node, ok: true, changed: true, error: null };
  const detail = {
    code: 'not_confirmed',
    message: `${node} has stored it and not confirmed it yet`,
  };
  return failed(node, new ActFailure('partial', { ...detail, retryable: true }));
}

export interface Enforced {
  readonly intents: readonly Intent[];
  /** Nodes that have it on disk and whose HAProxy can be asked. */
  readonly stored: readonly string[];
  /** One for each configured node: in force there, read back, or why not. */
  readonly nodes: readonly NodeOutcome[];
}

type Wish = Parameters<typeof stamped>[2][number];

/**
 * Stores the wishes on every node and waits until each node's HAProxy has them; not for those of
 * the `silent` nodes, which cannot be asked and catch up: their rows say so.
 */
export async function enforce(
  pair: Pair,
  header: ActHeader,
  wishes: readonly Wish[],
  silent: readonly NodeOutcome[],
  stored: (nodes: readonly string[]) => void = () => undefined,
): Promise<Enforced> {
  const intents = stamped(pair, header, wishes);
  const outcomes = await storeEverywhere(pair, intents);
  const disks = outcomes.filter(({ ok }) => ok).map(({ node }) => node);
  stored(disks);
  const on = disks.filter((node) => !silent.some((one) => one.node === node));
  await until(
    pair,
    () => on.every((node) => applied(pair, node, intents).every(({ known }) => known)),
    Math.min(FORCE_MS, waitMs(header)),
  );
  const nodes = outcomes.map((one) => {
    if (!one.ok) return one;
    return silent.find(({ node }) => node === one.node) ?? outcomeOf(pair, one.node, intents);
  });
  return { intents, stored: on, nodes };
}

/** The wishes that put these keys back to what they were. */
export const undone = (
  keys: readonly string[],
  before: ReadonlyMap<string, Intent>,
  wallMs: number,
): Wish[] =>
  keys.map((key) => {
    const was = before.get(key);
    if (was === undefined || !inForce(was, wallMs))
      return { key, value: '', deleted: true, untilMs: null };
    const untilMs = was.untilWallMs === null ? null : was.untilWallMs - wallMs;
    return { key, value: was.value, deleted: false, untilMs };
  });

/** The first row that is not as promised, as the error of the whole. */
export const firstError = (nodes: readonly NodeOutcome[]) =>
  nodes.find(({ ok, error }) => !ok && error !== null)?.error ?? null;
