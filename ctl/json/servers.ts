import type { ActResult } from '../../agent/core/results.ts';
import type { ServerReading, ServersAnswer } from '../../agent/core/answers.ts';
import { adminWord } from '../../agent/core/admin.ts';
import { parseServerKey, parseWeightKey, serverKey } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { who } from './status.ts';

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

/** The `result` of `servers`: every server with what each node has of it; null where one has it not. */
export function serversListResult(answer: ServersAnswer, wallMs: number): unknown {
  const at = { nowMs: 0, wallMs };
  const { nodes, intents } = answer;
  const found = nodes.map(({ servers }) => new Map(servers.map((one) => [nameOf(one), one])));
  return {
    servers: serverNames(answer).map((name) => {
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
        wish: wished === null ? null : { state: wished.value, ...who(wished, at) },
        weight_wish: weight === undefined ? null : { weight: weight.value, ...who(weight, at) },
        nodes: nodes.map(({ node }, index) => {
          const server = found[index]?.get(name);
          if (server === undefined) return { node, state: null };
          return {
            node,
            state: server.admin,
            admin: adminWord(server.adminBits, wished !== null),
            admin_bits: server.adminBits,
            status: server.status,
            weight: server.weight,
            weight_configured: server.initialWeight,
            sessions: server.sessions - server.queued,
            queued: server.queued,
            sessions_total: server.total,
            check: server.check === '' ? null : server.check,
            backup: server.backup,
            drift: (nodes[index]?.drift ?? [])
              .filter((one) => `${one.backend}/${one.server}` === name)
              .map(({ is, should, wished }) => ({ is, should, wished })),
          };
        }),
      };
    }),
  };
}

/** The `result` of drain, ready and maint, and with weights of weight. */
export const serversResult = ({ servers }: ActResult): unknown => ({
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
