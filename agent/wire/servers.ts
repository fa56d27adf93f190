import type { LostWish, ServerReading, ServersAnswer } from '../core/answers.ts';
import type { Drift } from '../core/model.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { ADMIN_STATES } from './acts.ts';
import { intentFromWire, intentsInPieces } from './intents.ts';
import { each, filled, uint32, within, wordOrUnknown } from './fields.ts';

/** One server of a backend, as it travels. */
export const serverToWire = ({
  figures,
  ...server
}: ServerReading): proxyctl.v1.ServerState.$Properties => ({
  ...server,
  connectErrors: figures.connectErrors,
  responseErrors: figures.responseErrors,
  http_5xx: figures.http5xx,
  bytesIn: figures.bytesIn,
  bytesOut: figures.bytesOut,
  responseMs: figures.responseMs,
  sessions: uint32(server.sessions),
  queued: uint32(server.queued),
  older: uint32(server.older),
});

/** Throws WireError. */
export function serverFromWire(wire: proxyctl.v1.ServerState, field: string): ServerReading {
  return {
    backend: wire.backend,
    name: filled(`${field}.name`, wire.name),
    status: wire.status,
    admin: wordOrUnknown(wire.admin, ADMIN_STATES),
    adminBits: wire.adminBits,
    weight: wire.weight,
    initialWeight: wire.initialWeight,
    sessions: wire.sessions,
    queued: wire.queued,
    total: within(`${field}.total`, wire.total, 0, Number.MAX_SAFE_INTEGER),
    check: wire.check,
    backup: wire.backup,
    older: wire.older,
    uncounted: wire.uncounted,
    agentChecked: wire.agentChecked,
    stateFile: wire.stateFile,
    address: wire.address ?? null,
    figures: {
      connectErrors: figure(`${field}.connect_errors`, wire.connectErrors),
      responseErrors: figure(`${field}.response_errors`, wire.responseErrors),
      http5xx: figure(`${field}.http_5xx`, wire.http_5xx),
      bytesIn: figure(`${field}.bytes_in`, wire.bytesIn),
      bytesOut: figure(`${field}.bytes_out`, wire.bytesOut),
      responseMs: figure(`${field}.response_ms`, wire.responseMs),
    },
  };
}

const figure = (field: string, value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : within(field, value, 0, Number.MAX_SAFE_INTEGER);

/** So many servers are converted and sent at a time: the event loop turns between two pages. */
export const PAGE = 500;

/**
 * What `servers` answers, as it travels, page by page, each in pieces that are one message together;
 * `wallMs` is this host's Unix time.
 */
export function* serversAnswerToWire(
  { node, nodes, intents }: ServersAnswer,
  wallMs: number,
): Generator<Iterable<proxyctl.v1.ServersReply.$Properties>> {
  yield firstPage();
  function* firstPage(): Generator<proxyctl.v1.ServersReply.$Properties> {
    yield {
      node,
      nodes: nodes.map(({ servers: _servers, drift, lost, ...one }) => ({
        ...one,
        drift: [...(drift ?? [])],
        lost: [...(lost ?? [])],
      })),
    };
    for (const some of intentsInPieces(intents, wallMs)) yield { intents: some };
  }
  for (const { servers, drift: _drift, lost: _lost, ...one } of nodes)
    for (let at = 0; at < servers.length; at += PAGE)
      yield [
        { node, nodes: [{ ...one, servers: servers.slice(at, at + PAGE).map(serverToWire) }] },
      ];
}

const LOST = ['gone', 'back'] as const;

/** All pages together; throws WireError. */
export function serversAnswerFromWire(
  pages: readonly proxyctl.v1.ServersReply[],
  wallMs: number,
): ServersAnswer {
  type Gathered = {
    node: string;
    problem: string;
    servers: ServerReading[];
    drift: Drift[];
    lost: LostWish[];
  };
  const nodes = new Map<string, Gathered>();
  for (const [at, page] of pages.entries())
    for (const { node, problem, servers, drift, lost } of page.nodes) {
      const field = `pages[${at}].nodes`;
      const known = nodes.get(filled(`${field}.node`, node)) ?? {
        node,
        problem,
        servers: [],
        drift: [],
        lost: [],
      };
      nodes.set(node, known);
      for (const { backend, server, is, should, wished } of drift)
        known.drift.push({ backend, server, is, should, wished });
      for (const { key, server } of lost)
        known.lost.push({ key, server: wordOrUnknown(server, LOST) });
      known.servers.push(...each(`${field}.servers`, servers, serverFromWire));
    }
  return {
    node: filled('node', pages[0]?.node ?? ''),
    nodes: [...nodes.values()],
    intents: each('intents', pages[0]?.intents ?? [], (one, at) => intentFromWire(one, wallMs, at)),
  };
}
