import { ActFailure, type ServerOutcome } from '../core/results.ts';
import type { ServerReading } from '../core/answers.ts';
import { serverKey, type ServerTarget } from '../core/intents.ts';
import type { Found } from './server-look.ts';

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

/** The servers that are meant, each once. Throws ActFailure 'not-found' where a node lacks one. */
export function expand(named: readonly Named[], found: readonly Found[]): ServerTarget[] {
  const targets = named.flatMap((one) => {
    for (const { missing, node, backend } of found)
      if (backend === one.backend && missing !== null) throw onNode(missing, node, found);
    const wanted = namesOf(one, found);
    for (const name of wanted) {
      const without = nodesWithout({ instance: '', backend: one.backend, server: name }, found);
      if (without.length > 0) throw noSuchServer(one.backend, name, without, found);
    }
    return wanted.map((server) => ({ instance: '', backend: one.backend, server }));
  });
  return unique(targets);
}

/** What some node has of these, each once; what none has is left out. */
export const expandWhereFound = (
  named: readonly Named[],
  found: readonly Found[],
): ServerTarget[] =>
  unique(
    named.flatMap((one) =>
      namesOf(one, found).map((server) => ({ instance: '', backend: one.backend, server })),
    ),
  ).filter((target) => readings(target, found).length > 0);

/** No such server on those nodes, with what the backend has. */
export const noSuchServer = (
  backend: string,
  server: string,
  nodes: readonly string[],
  found: readonly Found[],
): ActFailure =>
  new ActFailure('not-found', {
    code: 'no_such_server',
    message: `no server ${backend}/${server} on ${nodes.join(', ')}`,
    cause: `${backend} has ${namesOf({ backend, server: null }, found).join(', ') || 'no servers'}`,
    remediation: 'nothing was touched; names must match on every node',
  });

/** Nodes that were asked for this server and have it not. */
export const nodesWithout = (target: ServerTarget, found: readonly Found[]): string[] =>
  found
    .filter(({ backend }) => backend === target.backend)
    .filter(({ servers }) => !servers.some(({ name }) => name === target.server))
    .map(({ node }) => node);

/** The failure of one node, which is named where another has that backend. */
const onNode = (missing: ActFailure, node: string, found: readonly Found[]): ActFailure =>
  found.every((one) => one.missing !== null)
    ? missing
    : new ActFailure('not-found', {
        ...missing.detail,
        message: `${missing.detail.message} on ${node}`,
      });

const namesOf = ({ backend, server }: Named, found: readonly Found[]): string[] =>
  server === null
    ? [
        ...new Set(
          found
            .filter((one) => one.backend === backend)
            .flatMap(({ servers }) => servers.map(({ name }) => name)),
        ),
      ]
    : [server];

const unique = (targets: readonly ServerTarget[]): ServerTarget[] => [
  ...new Map(targets.map((target) => [keyOf(target), target])).values(),
];

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
