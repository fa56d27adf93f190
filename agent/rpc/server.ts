import type { Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ControlService, HealthService, PeerService } from '../../proto/gen/services.ts';
import type { Role } from '../core/acts.ts';
import type { Audit } from '../core/audit/audit.ts';
import type { ControlVerbs } from '../core/verbs.ts';
import { withoutPort } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import { callerOf, type Origin } from './access.ts';
import { adminSocket, bind, type Bound, type Door } from './bound.ts';
import { controlHandlers } from './control-service.ts';
import { doors as openDoors, type Doors, type Seat } from './doors.ts';
import type { Notices } from './notices.ts';
import type { FromPeers } from './from-peers.ts';
import { gossipStreams } from './gossip-service.ts';
import { health } from './health-service.ts';
import { onSessions } from './http2-server.ts';
import { MOST_BYTES, callLimits } from './limits.ts';
import { peerHandlers } from './peer-service.ts';
import type { ServedMember } from './peer-service.ts';
import { bounded } from './quiet.ts';
import { SHARES, type Shares } from './shares.ts';
import type { DoorEvents } from './strangers.ts';
import { tlsDoor } from './tls-door.ts';
import type { Tls } from './tls.ts';

/** Calls at once over one connection. */
export const STREAMS = 100;

export interface ServerOptions {
  /** HOST:PORT or [HOST]:PORT each. */
  readonly listen: readonly string[];
  readonly socket: { readonly path: string; readonly group: string; readonly role: Role };
  readonly tls: Tls;
  readonly pair: string;
  readonly node: string;
  /** The configured peers, this node not among them. */
  readonly peers: readonly string[];
  readonly control: ControlVerbs;
  readonly member: ServedMember;
  readonly fromPeers: FromPeers;
  readonly clock: Clock;
  /** Of one caller, and in all, only so many lines a minute are handed on. */
  readonly notices: Notices;
  /** Who was turned away before it was known who it is, and whether that keeps anybody out. */
  readonly events?: DoorEvents;
  /** Where the configured peers connect from, as far as that is known. */
  readonly peerSources?: readonly string[];
  readonly shares?: Shares;
  /** See doors(). */
  readonly scarce?: () => boolean;
  readonly audit: Audit;
  /** Bound before, as root; absent: bound now. */
  readonly bound?: Bound;
}

export interface RunningServer {
  /** Where it listens: HOST:PORT with the real port, and both socket paths. */
  readonly addresses: readonly string[];
  /** What is not as configured and does not keep it from serving, one sentence each. */
  readonly problems: readonly string[];
  /** Gives up connections that can be spared, for their descriptors: see Doors. */
  readonly shed: Doors['shed'];
  /** How many connections there are, by whose they are. */
  readonly connections: Doors['counts'];
  /** Ends streams, lets calls finish for `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves Peer and Control over mutual TLS, and Control over two unix sockets:
 * the configured one with its role, and admin.sock beside it for root as admin.
 * Throws ListenError naming address and cause, with nothing left listening.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { socket, pair, peers } = options;
  const { clock, peerSources = [], events = NOBODY_LISTENS, scarce = () => false } = options;
  const bound = options.bound ?? (await bind(options));
  const limits = callLimits(clock, (origin, call, what, { detail }) =>
    options.audit.refused({ ...callerOf(origin, call), what, ...detail }),
  );
  const notices = bounded(options.notices, clock);
  const refused = (who: string, why: string): void => notices.refused(who, 'connection', why);
  const { shares = SHARES } = options;
  const doors = openDoors({ clock, events, refused, peerSources, shares, scarce });
  const quiet = { ...options, notices };
  const tls = serve(quiet, 'tls', { kind: 'tls', pair, peers }, limits, doors);
  const ours = { kind: 'socket', role: socket.role, path: socket.path } as const;
  const local = serve(quiet, 'local', ours, limits, doors);
  const roots = { kind: 'socket', role: 'admin', path: adminSocket(socket.path) } as const;
  const admin = serve(quiet, 'admin', roots, limits, doors);
  bound.serve({ tls: tls.accept, local: local.accept, admin: admin.accept });
  return {
    addresses: bound.addresses,
    problems: bound.problems,
    shed: (count) => doors.shed(count),
    connections: () => doors.counts(),
    async close(graceMs) {
      bound.close();
      await Promise.all([tls, local, admin].map((one) => one.close(graceMs)));
      doors.close();
      notices.close();
    },
  };
}

/** One grpc-js server for all listeners of one origin; the sockets are ours, which lets us bind as we need. */
function serve(
  options: ServerOptions,
  door: Door,
  origin: Origin,
  limits: ReturnType<typeof callLimits>,
  doors: Doors,
) {
  const { node, clock, notices, audit, member, fromPeers } = options;
  const context = { node, origin, clock, notices, audit };
  const server = new Server({
    'grpc.max_receive_message_length': MOST_BYTES,
    'grpc.max_concurrent_streams': STREAMS,
  });
  const ends: (() => void)[] = [];
  server.addService(
    ...limits.guarded(ControlService, controlHandlers(options.control, context), origin),
  );
  if (origin.kind === 'tls') {
    const streams = gossipStreams(fromPeers, context, new Set([node, ...options.peers]));
    const { gossip } = streams;
    const handlers = { ...peerHandlers(member, fromPeers, context), gossip };
    server.addService(...limits.guarded(PeerService, handlers, origin));
    ends.push(() => streams.endAll());
  }
  const services = ['proxyctl.v1.Control', ...(origin.kind === 'tls' ? ['proxyctl.v1.Peer'] : [])];
  const serving = health(services, context);
  server.addService(...limits.guarded(HealthService, serving.handlers, origin));
  ends.push(() => serving.endAll());
  // A connection that never becomes a session (half a handshake) is unknown to grpc-js.
  const sockets = new Set<Socket>();
  // Connections over TCP have had their handshake before they come here.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  let entering: Seat | null = null;
  onSessions(server, (session) => entering?.watch(session));
  const inject = (socket: Socket, seat: Seat): void => {
    entering = seat;
    injector.injectConnection(socket);
    entering = null;
  };
  const refused = (who: string, why: string): void => {
    notices.refused(who, 'connection', why);
    audit.handshakesRefused({ source: withoutPort(who), cause: why, count: 1 });
  };
  const enter =
    origin.kind === 'tls'
      ? tlsDoor({ ...origin, tls: options.tls, admitted: inject, refused }).accept
      : inject;
  return {
    accept: (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      doors.arrive(door, socket, (seat) => enter(socket, seat));
    },
    close: (graceMs: number) =>
      new Promise<void>((resolve) => {
        for (const end of ends) end();
        const cut = clock.after(graceMs, () => {
          server.forceShutdown();
          for (const socket of sockets) socket.destroy();
          resolve();
        });
        // From Node 24 on grpc-js calls back at once, with calls and streams still open: http2's
        // close() of the server has closed the sessions already. Their sockets tell when they end.
        server.tryShutdown(() => undefined);
        const ended = (): void => {
          if (sockets.size > 0) return;
          cut();
          resolve();
        };
        for (const socket of sockets) {
          socket.on('close', ended);
          // Whoever has said nothing yet has no session that could end.
          if (socket.bytesRead === 0) socket.destroy();
        }
        ended();
      }),
  };
}

const NOBODY_LISTENS: DoorEvents = {
  refused: () => undefined,
  summary: () => undefined,
  keptOut: () => undefined,
};
