import { ActFailure, type ServerOutcome } from '../core/results.ts';
import type { ServerReading } from '../core/answers.ts';
import { serverKey, type ServerTarget } from '../core/intents.ts';
import { present, type Pair } from './pair.ts';

/** Servers of one backend on one node. */
export interface Found {
  readonly node: string;
  readonly backend: string;
  readonly servers: readonly ServerReading[];
}

export interface Named {
  readonly backend: string;
  /** Null: all of the backend. */
  readonly server: string | null;
}

/** BACKEND[/SERVER]; names are HAProxy's own. Throws ActFailure 'usage' for anything else. */
export function parseTarget(text: string): Named {
  const [backend = '', server = null, ...rest] = text.split('/');
  if (backend === '' || server === '' || rest.length > 0 || /[\s\p{Cc};\\<>"'#]/u.test(text)) {
    throw new ActFailure('usage', {
      code: 'bad_target',
      message: `${JSON.stringify(text)} is not BACKEND or BACKEND/SERVER`,
      remediation: 'names as HAProxy prints them, for example WEB/web1',
    });
  }
  return { backend, server };
}

/** Asks each node in touch for the servers of each backend; rejects with the first failure. */
export async function findAll(
  pair: Pair,
  backends: readonly string[],
  nodes: readonly string[] = present(pair).map(({ node }) => node),
): Promise<Found[]> {
  const members = pair.members.filter(({ node }) => nodes.includes(node));
  const asked = members.flatMap((member) =>
    [...new Set(backends)].map(async (backend) => {
      const servers = await member.findServers('', backend);
      return { node: member.node, backend, servers };
    }),
  );
  return Promise.all(asked);
}

/** The servers that are meant, each once. Throws ActFailure 'not-found' where a node lacks one. */
export function expand(named: readonly Named[], found: readonly Found[]): ServerTarget[] {
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

/**
 * Throws ActFailure 'unsafe' when a backend would be left without a server that
 * takes traffic on some node. Backup servers count: they take over.
 */
export function refuseLast(targets: readonly ServerTarget[], found: readonly Found[]): void {
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

/** It is up as far as anybody checks. */
export const isUp = ({ status }: ServerReading): boolean =>
  status.startsWith('UP') || status === 'no check';

const takesTraffic = (server: ServerReading): boolean =>
  server.admin === 'ready' && server.weight > 0 && isUp(server);

export const readings = (target: ServerTarget, found: readonly Found[]): ServerReading[] =>
  found
    .filter(({ backend }) => backend === target.backend)
    .flatMap(({ servers }) => servers.filter(({ name }) => name === target.server));

export const keyOf = ({ instance, backend, server }: ServerTarget): string =>
  serverKey(instance, backend, server);

export const nameOf = ({ backend, server }: ServerTarget): string => `${backend}/${server}`;

export const nodesOf = (found: readonly Found[]): string[] => [
  ...new Set(found.map(({ node }) => node)),
];

/** One row a server and node, with `what` of it before and after. `planned` where nothing was done. */
export function rows(
  targets: readonly ServerTarget[],
  before: readonly Found[],
  after: readonly Found[] | null,
  what: (reading: ServerReading) => string,
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
        before: was === undefined ? '' : what(was),
        after: after === null ? planned : is === undefined ? '' : what(is),
        sessions: (is ?? was)?.sessions ?? 0,
      };
    }),
  );
}
