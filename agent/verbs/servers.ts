import type { ServersAct } from '../core/acts.ts';
import type { ActResult, NodeOutcome } from '../core/results.ts';
import { wish, type ServerTarget } from '../core/intents.ts';
import type { Report } from '../core/verbs.ts';
import { absent, refuseStale, result, steps, waitMs, type Pair, untouched } from './pair.ts';
import { waitForIdle } from './drain-wait.ts';
import { waitForUp } from './ready-wait.ts';
import {
  expand,
  findAll,
  keyOf,
  nameOf,
  nodesOf,
  parseTarget,
  readings,
  refuseLast,
  rows,
  type Found,
} from './server-targets.ts';
import { enforce, firstError } from './server-wishes.ts';

/**
 * `drain`, `ready` and `maint`: every node that is in touch must have the
 * targets, the wish is stored on all, and each node's own loop tells its
 * HAProxy and reads it back. A node that is away catches up when it returns.
 * `ready` ends when the servers are up, `wait` when no session is left.
 */
export async function setServers(pair: Pair, act: ServersAct, report: Report): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header, state } = act;
  const said = steps(pair.clock, report);
  const end = (rest: Parameters<typeof result>[3]): ActResult =>
    result(pair, header, startedAtMs, rest);

  const named = act.targets.map(parseTarget);
  const backends = named.map(({ backend }) => backend);
  const found = await findAll(pair, backends);
  const targets = expand(named, found);
  refuseStale(pair, header, targets.map(keyOf));
  if (state !== 'ready' && !header.acceptRisks.includes('last-server')) refuseLast(targets, found);
  said('checking', `${listed(targets)} on ${nodesOf(found).join(', ')}`);

  const changing = targets.filter((target) => !inForce(pair, act, target, found));
  const waits = act.wait !== null && state !== 'ready';
  const missing = absent(pair);
  const before = new Map(pair.intents());
  let nodes: readonly NodeOutcome[] = untouched(pair);
  if (changing.length === 0 && !waits) {
    const outcome = missing.length === 0 ? 'reached' : 'partial';
    return end({ outcome, nodes, servers: rows(targets, found, found, admin) });
  }
  if (header.dryRun) {
    const outcome = changing.length === 0 ? 'reached' : 'would-change';
    return end({ outcome, servers: rows(targets, found, null, admin, state) });
  }
  let on = nodesOf(found);
  if (changing.length > 0) {
    const deleted = state === 'ready';
    const value = deleted ? '' : state;
    const wishes = changing.map((target) => ({
      key: keyOf(target),
      value,
      deleted,
      untilMs: act.untilMs,
    }));
    const done = await enforce(pair, header, wishes, (stored) =>
      said('storing', `${state} on ${stored.join(', ')}`),
    );
    ({ nodes } = done);
    on = [...done.stored];
    const good = nodes.filter(({ ok }) => ok);
    if (good.length > 0)
      said('confirmed', `read again on ${good.map(({ node }) => node).join(', ')}`);
  }
  const changed = changing.length > 0;
  const finish = waits
    ? await waitForIdle(
        pair,
        act,
        { targets, nodes, before, changing: changing.map(keyOf) },
        report,
      )
    : await forced(pair, act, changing, nodes, report);
  const after = await findAll(pair, backends, on);
  return end({ changed, ...finish, servers: rows(targets, found, after, admin) });
}

/** The end of an act without a wait: all nodes as promised, or partial. */
async function forced(
  pair: Pair,
  { state, header }: ServersAct,
  changing: readonly ServerTarget[],
  nodes: readonly NodeOutcome[],
  report: Report,
): Promise<Pick<ActResult, 'outcome' | 'nodes' | 'error'>> {
  const rows =
    state === 'ready' ? await waitForUp(pair, changing, nodes, waitMs(header), report) : nodes;
  const outcome = rows.every(({ ok }) => ok) ? 'reached' : 'partial';
  return { outcome, nodes: rows, error: firstError(rows) };
}

/** The wish is stored already and every node in touch has it in HAProxy. */
function inForce(
  pair: Pair,
  act: ServersAct,
  target: ServerTarget,
  found: readonly Found[],
): boolean {
  const stored = wish(pair.intents(), keyOf(target), pair.clock.wallMs());
  const wanted = stored === null ? 'ready' : stored.value;
  // A new end is a new wish.
  if (wanted !== act.state || act.untilMs !== null) return false;
  return readings(target, found).every(({ admin }) => admin === act.state);
}

const admin = ({ admin }: { readonly admin: string }): string => admin;

/** A few by name, of many how many: it stands on one line. */
const listed = (targets: readonly ServerTarget[]): string =>
  targets.length <= 4
    ? targets.map(nameOf).join(', ')
    : `${targets.slice(0, 3).map(nameOf).join(', ')} and ${targets.length - 3} more`;
