import {
  ActFailure,
  type ActResult,
  type NodeOutcome,
  type ServerOutcome,
  type ServerReading,
  type ServersAct,
} from '../core/acts.ts';
import { compareStamps, serverKey, wish, type ServerTarget } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import {
  absent,
  away,
  failed,
  present,
  refuseStale,
  result,
  stamped,
  steps,
  storeEverywhere,
  until,
  waitMs,
  type Pair,
  type Report,
} from './pair.ts';

/** Servers of one backend on one node, before anything was touched. */
interface Found {
  readonly node: string;
  readonly backend: string;
  readonly servers: readonly ServerReading[];
}

/**
 * `drain`, `ready` and `maint`: every node that is in touch must have the
 * targets, the wish is stored on all, and each node's own loop tells its
 * HAProxy and reads it back. A node that is away catches up when it returns.
 */
export async function setServers(pair: Pair, act: ServersAct, report: Report): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header } = act;
  const said = steps(pair.clock, report);
  const end = (rest: Parameters<typeof result>[3]): ActResult =>
    result(pair, header, startedAtMs, rest);

  const named = act.targets.map(parseTarget);
  const found = await findAll(pair, named);
  const targets = expand(named, found);
  refuseStale(pair, header, targets.map(keyOf));
  if (act.state !== 'ready' && !header.acceptRisks.includes('last-server'))
    refuseLast(targets, found);
  said('checking', `${targets.map(nameOf).join(', ')} on ${nodesOf(found).join(', ')}`);

  const changing = targets.filter((target) => !inForce(pair, act, target, found));
  const missing = absent(pair);
  if (changing.length === 0) {
    const nodes = pair.members.map(({ node }) =>
      missing.includes(node) ? away(node) : { node, ok: true, changed: false, error: null },
    );
    const outcome = missing.length === 0 ? 'reached' : 'partial';
    return end({ outcome, nodes, servers: rows(targets, found, found) });
  }
  if (header.dryRun)
    return end({ outcome: 'would-change', servers: rows(targets, found, null, act.state) });

  const intents = stamped(
    pair,
    header,
    changing.map((target) => ({
      key: keyOf(target),
      value: act.state === 'ready' ? '' : act.state,
      deleted: act.state === 'ready',
      untilMs: act.untilMs,
    })),
  );
  const stored = await storeEverywhere(pair, intents);
  const on = stored.filter(({ ok }) => ok).map(({ node }) => node);
  said('storing', `${act.state} on ${on.join(', ')}`);
  await until(
    pair,
    () => on.every((node) => applied(pair, node, intents).every(({ known }) => known)),
    waitMs(header),
  );
  const nodes = stored.map((one) => (one.ok ? outcomeOf(pair, one.node, intents) : one));
  const after = await findAll(pair, named, on);
  const good = nodes.filter(({ ok }) => ok);
  if (good.length > 0)
    said('confirmed', `read again on ${good.map(({ node }) => node).join(', ')}`);
  const first = nodes.find(({ ok, error }) => !ok && error !== null)?.error ?? null;
  return end({
    outcome: good.length === nodes.length ? 'reached' : 'partial',
    changed: true,
    nodes,
    error: good.length === nodes.length ? null : first,
    servers: rows(targets, found, after),
  });
}

/** BACKEND[/SERVER]; names are HAProxy's own. Throws ActFailure 'usage' for anything else. */
function parseTarget(text: string): { backend: string; server: string | null } {
  const [backend = '', server = null, ...rest] = text.split('/');
  if (backend === '' || server === '' || rest.length > 0 || /[\s;\\]/.test(text)) {
    throw new ActFailure('usage', {
      code: 'bad_target',
      message: `${JSON.stringify(text)} is not BACKEND or BACKEND/SERVER`,
      remediation: 'names as HAProxy prints them, for example WEB/web1',
    });
  }
  return { backend, server };
}

type Named = ReturnType<typeof parseTarget>;

async function findAll(
  pair: Pair,
  named: readonly Named[],
  nodes: readonly string[] = present(pair).map(({ node }) => node),
): Promise<Found[]> {
  const backends = [...new Set(named.map(({ backend }) => backend))];
  const members = pair.members.filter(({ node }) => nodes.includes(node));
  const asked = members.flatMap((member) =>
    backends.map(async (backend) => {
      const servers = await member.findServers('', backend);
      return { node: member.node, backend, servers };
    }),
  );
  return Promise.all(asked);
}

function expand(named: readonly Named[], found: readonly Found[]): ServerTarget[] {
  const targets = named.flatMap(({ backend, server }) => {
    const here = found.filter((one) => one.backend === backend);
    const names = [...new Set(here.flatMap(({ servers }) => servers.map(({ name }) => name)))];
    const wanted = server === null ? names : [server];
    for (const name of wanted) {
      const without = here.filter(({ servers }) => !servers.some((one) => one.name === name));
      if (without.length > 0) {
        throw new ActFailure('not-found', {
          code: 'no_such_server',
          message: `no server ${backend}/${name} on ${without.map(({ node }) => node).join(', ')}`,
          cause: `${backend} has ${names.join(', ') || 'no servers'}`,
          remediation: 'nothing was touched; names must match on every node',
        });
      }
    }
    return wanted.map((name) => ({ instance: '', backend, server: name }));
  });
  const unique = new Map(targets.map((target) => [keyOf(target), target]));
  return [...unique.values()];
}

/** Throws ActFailure 'unsafe' when a backend would be left without a server that takes traffic. */
function refuseLast(targets: readonly ServerTarget[], found: readonly Found[]): void {
  for (const { node, backend, servers } of found) {
    const leaving = new Set(
      targets.filter((one) => one.backend === backend).map(({ server }) => server),
    );
    const serving = servers.filter(takesTraffic);
    if (serving.length === 0 || serving.some(({ name }) => !leaving.has(name))) continue;
    throw new ActFailure('unsafe', {
      code: 'last_server',
      message: `${backend} would have no server left on ${node}`,
      cause: `${serving.map(({ name }) => name).join(', ')} is all that takes traffic there`,
      remediation: 'bring another server back first, or accept it: --accept-risk=last-server',
    });
  }
}

const takesTraffic = ({ status, admin }: ServerReading): boolean =>
  admin === 'ready' && (status.startsWith('UP') || status === 'no check');

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

const readings = (target: ServerTarget, found: readonly Found[]): ServerReading[] =>
  found
    .filter(({ backend }) => backend === target.backend)
    .flatMap(({ servers }) => servers.filter(({ name }) => name === target.server));

function applied(pair: Pair, node: string, intents: readonly Intent[]) {
  const report = pair.view().find((view) => view.node === node)?.report ?? null;
  return intents.map((intent) => {
    const record = report?.applied.find(({ key }) => key === intent.key);
    const known = record !== undefined && compareStamps(record.stamp, intent.stamp) >= 0;
    return { known, problem: record?.problem ?? '' };
  });
}

function outcomeOf(pair: Pair, node: string, intents: readonly Intent[]): NodeOutcome {
  const all = applied(pair, node, intents);
  const bad = all.find(({ known, problem }) => known && problem !== '');
  if (bad !== undefined) return failed(node, new Error(bad.problem));
  if (all.every(({ known }) => known)) return { node, ok: true, changed: true, error: null };
  const detail = {
    code: 'not_confirmed',
    message: `${node} has stored it and not confirmed it yet`,
  };
  return failed(node, new ActFailure('partial', { ...detail, retryable: true }));
}

const keyOf = ({ instance, backend, server }: ServerTarget): string =>
  serverKey(instance, backend, server);

const nameOf = ({ backend, server }: ServerTarget): string => `${backend}/${server}`;

const nodesOf = (found: readonly Found[]): string[] => [...new Set(found.map(({ node }) => node))];

function rows(
  targets: readonly ServerTarget[],
  before: readonly Found[],
  after: readonly Found[] | null,
  planned = '',
): ServerOutcome[] {
  return targets.flatMap((target) =>
    nodesOf(before).map((node) => {
      const [was] = readings(
        target,
        before.filter((one) => one.node === node),
      );
      const [is] = readings(
        target,
        (after ?? []).filter((one) => one.node === node),
      );
      return {
        ...target,
        node,
        before: was?.admin ?? '',
        after: after === null ? planned : (is?.admin ?? ''),
        sessions: (is ?? was)?.sessions ?? 0,
      };
    }),
  );
}
