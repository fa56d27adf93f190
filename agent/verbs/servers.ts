import type { ServersAct } from '../core/acts.ts';
import type { ActResult, NodeOutcome } from '../core/results.ts';
import { wish, type ServerTarget } from '../core/intents.ts';
import type { Report } from '../core/verbs.ts';
import { refuseStale, result, steps, waitMs, type Pair, untouched } from './pair.ts';
import { behindText, unseenText } from './behind.ts';
import { waitForIdle } from './drain-wait.ts';
import { keysInForce, lackText, liftedBy, type Lifted } from './lifted.ts';
import { waitForUp } from './ready-wait.ts';
import { look, lookFirst, type Found } from './server-look.ts';
import {
  expand,
  keyOf,
  nameOf,
  nodesOf,
  parseTarget,
  readings,
  refuseLast,
  rows,
} from './server-targets.ts';
import { enforce, firstError } from './server-wishes.ts';

/**
 * `drain`, `ready` and `maint`: every node that can be asked must have the
 * targets, the wish is stored on all, and each node's own loop tells its
 * HAProxy and reads it back. A node that is away, or whose HAProxy is, catches
 * up when it returns. `ready` goes on where a node lacks a server, and ends what
 * was wished of one that is gone. It ends when the servers are up, `wait` when
 * no session is left.
 */
export async function setServers(pair: Pair, act: ServersAct, report: Report): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header, state } = act;
  const said = steps(pair.clock, report);
  const end = (rest: Parameters<typeof result>[3]): ActResult =>
    result(pair, header, startedAtMs, rest);

  const named = act.targets.map(parseTarget);
  const backends = named.map(({ backend }) => backend);
  const { found, silent } = await lookFirst(pair, backends);
  const lifted: Lifted =
    state === 'ready' ? liftedBy(pair, named, found) : { targets: expand(named, found), lost: [] };
  const targets = [...lifted.targets, ...lifted.lost];
  const forgotten = keysInForce(pair, lifted.lost);
  refuseStale(pair, header, [...targets.map(keyOf), ...forgotten]);
  if (state !== 'ready' && !header.acceptRisks.includes('last-server')) refuseLast(targets, found);
  said('checking', `${listed(targets)} on ${nodesOf(found).join(', ')}`);
  for (const text of state === 'ready' ? lackText(lifted, found) : []) said('warning', text);

  for (const text of behindText(lifted.targets, found)) said('warning', text);
  if (act.wait !== null) for (const text of unseenText(pair, nodesOf(found))) said('warning', text);

  const changing = lifted.targets.filter((target) => !inForce(pair, act, target, found));
  const keys = [...changing.map(keyOf), ...forgotten];
  const waits = act.wait !== null && state !== 'ready';
  const before = new Map(pair.intents());
  let nodes: readonly NodeOutcome[] = untouched(pair).map(
    (row) => silent.find(({ node }) => node === row.node) ?? row,
  );
  if (keys.length === 0 && !waits) {
    const outcome = nodes.every(({ ok }) => ok) ? 'reached' : 'partial';
    return end({ outcome, nodes, servers: rows(targets, found, found, admin) });
  }
  if (header.dryRun) {
    const outcome = keys.length === 0 ? 'reached' : 'would-change';
    return end({ outcome, servers: rows(targets, found, null, admin, state) });
  }
  let on = nodesOf(found);
  if (keys.length > 0) {
    const deleted = state === 'ready';
    const value = deleted ? '' : state;
    const wishes = keys.map((key) => ({ key, value, deleted, untilMs: act.untilMs }));
    const done = await enforce(pair, header, wishes, silent, (stored) =>
      said('storing', `${state} on ${stored.join(', ')}`),
    );
    ({ nodes } = done);
    on = [...done.stored];
    const good = nodes.filter(({ ok }) => ok);
    if (good.length > 0)
      said('confirmed', `read again on ${good.map(({ node }) => node).join(', ')}`);
  }
  const changed = keys.length > 0;
  const finish = waits
    ? await waitForIdle(pair, act, { targets, nodes, before, changing: keys, silent }, report)
    : await forced(pair, act, changing, nodes, report);
  const { found: after } = await look(pair, backends, on);
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
