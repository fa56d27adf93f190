import type { ActResult } from '../../agent/core/results.ts';
import type { ServerReading, ServersAnswer } from '../../agent/core/answers.ts';
import { adminWord } from '../../agent/core/servers/admin.ts';
import { parseServerKey, parseWeightKey, serverKey } from '../../agent/core/intents.ts';
import type { Drift, Intent } from '../../agent/core/model.ts';
import { who, type WhoJson } from './wish.ts';

/** Every server that some node has, as BACKEND/SERVER, in HAProxy's order. */
export const serverNames = ({ nodes }: ServersAnswer): string[] => [
  ...new Set(
    nodes.flatMap(({ servers }) => servers.map(({ backend, name }) => `${backend}/${name}`)),
  ),
];

/** The operator's word for a server, if one is stored. */
export const wishFor = (
  intents: readonly Intent[],
  { backend, name }: ServerReading,
): Intent | null =>
  intents.find(({ key }) => parseServerKey(key) !== null && key === serverKey('', backend, name)) ??
  null;

const nameOf = ({ backend, name }: ServerReading): string => `${backend}/${name}`;

/** One server on one node; all null where that node has it not or is not heard. */
interface ServerNodeJson {
  readonly node: string;
  readonly state: string | null;
  readonly admin: string | null;
  readonly admin_bits: number | null;
  readonly status: string | null;
  readonly weight: number | null;
  readonly weight_configured: number | null;
  readonly sessions: number | null;
  readonly queued: number | null;
  readonly older: number | null;
  readonly uncounted: number | null;
  readonly agent_check: boolean | null;
  readonly state_file: boolean | null;
  readonly sessions_total: number | null;
  readonly check: string | null;
  readonly backup: boolean | null;
  readonly address: string | null;
  readonly connect_errors: number | null;
  readonly response_errors: number | null;
  readonly http_5xx: number | null;
  readonly bytes_in: number | null;
  readonly bytes_out: number | null;
  readonly response_ms: number | null;
  readonly drift:
    readonly { readonly is: string; readonly should: string; readonly wished: boolean }[] | null;
}

interface ServerJson {
  readonly instance: string;
  readonly backend: string | null;
  readonly server: string | null;
  readonly wish: (WhoJson & { readonly state: string }) | null;
  readonly weight_wish: (WhoJson & { readonly weight: string }) | null;
  readonly nodes: readonly ServerNodeJson[];
}

/** The `result` of `servers`. */
export interface ServersJson {
  readonly servers: readonly ServerJson[];
  readonly lost: readonly (Omit<ServerJson, 'nodes'> & {
    readonly nodes: readonly { readonly node: string; readonly is: string }[];
  })[];
}

/** Every server with what each node has of it. */
export function serversListResult(answer: ServersAnswer, wallMs: number): ServersJson {
  const { nodes, intents } = answer;
  const found = nodes.map(({ servers }) => new Map(servers.map((one) => [nameOf(one), one])));
  return {
    servers: serverNames(answer).map((name): ServerJson => {
      const [first] = found.flatMap((one) => one.get(name) ?? []);
      const wished = first === undefined ? null : wishFor(intents, first);
      const weight = intents.find(({ key }) => {
        const target = parseWeightKey(key);
        return target !== null && `${target.backend}/${target.server}` === name;
      });
      return {
        instance: '',
        backend: first?.backend ?? null,
        server: first?.name ?? null,
        wish: stateWish(wished, wallMs),
        weight_wish: weightWish(weight ?? null, wallMs),
        nodes: nodes.map(({ node, drift = [] }, index) =>
          serverNode(node, found[index]?.get(name) ?? null, wished !== null, drift),
        ),
      };
    }),
    lost: lostWishes(answer, wallMs),
  };
}

const stateWish = (intent: Intent | null, wallMs: number): ServerJson['wish'] =>
  intent === null ? null : { state: intent.value, ...who(intent, { wallMs }) };

const weightWish = (intent: Intent | null, wallMs: number): ServerJson['weight_wish'] =>
  intent === null ? null : { weight: intent.value, ...who(intent, { wallMs }) };

/** One row a wish whose server some node has not. */
function lostWishes({ nodes, intents }: ServersAnswer, wallMs: number): ServersJson['lost'] {
  return intents.flatMap((intent) => {
    const state = parseServerKey(intent.key);
    const target = state ?? parseWeightKey(intent.key);
    const on = nodes.flatMap(({ node, lost = [] }) =>
      lost.flatMap(({ key, server }) => (key === intent.key ? [{ node, is: server }] : [])),
    );
    if (target === null || on.length === 0) return [];
    return [
      {
        instance: target.instance,
        backend: target.backend,
        server: target.server,
        wish: stateWish(state === null ? null : intent, wallMs),
        weight_wish: weightWish(state === null ? intent : null, wallMs),
        nodes: on,
      },
    ];
  });
}

const serverNode = (
  node: string,
  server: ServerReading | null,
  wished: boolean,
  drift: readonly Drift[],
): ServerNodeJson => ({
  node,
  state: server?.admin ?? null,
  admin: server === null ? null : adminWord(server.adminBits, wished),
  admin_bits: server?.adminBits ?? null,
  status: server?.status ?? null,
  weight: server?.weight ?? null,
  weight_configured: server?.initialWeight ?? null,
  sessions: server === null ? null : server.sessions - server.queued,
  queued: server?.queued ?? null,
  older: server?.older ?? null,
  uncounted: server?.uncounted ?? null,
  agent_check: server?.agentChecked ?? null,
  state_file: server?.stateFile ?? null,
  sessions_total: server?.total ?? null,
  check: server === null || server.check === '' ? null : server.check,
  backup: server?.backup ?? null,
  address: server?.address ?? null,
  connect_errors: server?.figures.connectErrors ?? null,
  response_errors: server?.figures.responseErrors ?? null,
  http_5xx: server?.figures.http5xx ?? null,
  bytes_in: server?.figures.bytesIn ?? null,
  bytes_out: server?.figures.bytesOut ?? null,
  response_ms: server?.figures.responseMs ?? null,
  drift:
    server === null
      ? null
      : drift
          .filter((one) => `${one.backend}/${one.server}` === nameOf(server))
          .map(({ is, should, wished }) => ({ is, should, wished })),
});

/** The `result` of `drain`, `ready`, `maint` and `weight`. */
export interface ServersActJson {
  readonly servers: readonly {
    readonly instance: string;
    readonly backend: string;
    readonly server: string;
    readonly node: string;
    readonly before: string;
    readonly after: string;
    readonly sessions: number;
  }[];
}

/** A row for each node and server. */
export const serversResult = ({ servers }: Pick<ActResult, 'servers'>): ServersActJson => ({
  servers: servers.map(({ instance, backend, server, node, before, after, sessions }) => ({
    instance,
    backend,
    server,
    node,
    before,
    after,
    sessions,
  })),
});
