import type { ServerReading, ServersAnswer } from '../core/acts.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { ADMIN_STATES } from './acts.ts';
import { intentFromWire, intentToWire } from './intents.ts';
import { each, filled, oneOf, uint32, within } from './wire.ts';

/** One server of a backend, as it travels. */
export const serverToWire = (server: ServerReading): proxyctl.v1.ServerState.$Properties => ({
  ...server,
  sessions: uint32(server.sessions),
  queued: uint32(server.queued),
});

/** Throws WireError. */
export function serverFromWire(wire: proxyctl.v1.ServerState, field: string): ServerReading {
  return {
    backend: wire.backend,
    name: filled(`${field}.name`, wire.name),
    status: wire.status,
    admin: oneOf(`${field}.admin`, wire.admin, ADMIN_STATES),
    adminBits: wire.adminBits,
    weight: wire.weight,
    initialWeight: wire.initialWeight,
    sessions: wire.sessions,
    queued: wire.queued,
    total: within(`${field}.total`, wire.total, 0, Number.MAX_SAFE_INTEGER),
    check: wire.check,
    backup: wire.backup,
  };
}

/** What `servers` answers, as it travels; `wallMs` is this host's Unix time. */
export function serversAnswerToWire(
  { node, nodes, intents }: ServersAnswer,
  wallMs: number,
): proxyctl.v1.ServersReply.$Properties {
  return {
    node,
    nodes: nodes.map(({ servers, ...one }) => ({ ...one, servers: servers.map(serverToWire) })),
    intents: intents.map((intent) => intentToWire(intent, wallMs)),
  };
}

/** Throws WireError. */
export function serversAnswerFromWire(
  wire: proxyctl.v1.ServersReply,
  wallMs: number,
): ServersAnswer {
  return {
    node: filled('node', wire.node),
    nodes: each('nodes', wire.nodes, ({ node, problem, servers }, at) => ({
      node: filled(`${at}.node`, node),
      problem,
      servers: each(`${at}.servers`, servers, serverFromWire),
    })),
    intents: each('intents', wire.intents, (one, at) => intentFromWire(one, wallMs, at)),
  };
}
