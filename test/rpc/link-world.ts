import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createServer as createTlsServer } from 'node:tls';
import type { ExecutionContext } from 'ava';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Intent } from '../../agent/core/model.ts';
import { makeLinks } from '../../agent/rpc/links.ts';
import type { LinkHandlers, LinksOptions } from '../../agent/rpc/links.ts';
import type { Issued } from './certificates.ts';
import { createRecord } from '../record.ts';
import { report as reportOf } from '../reports.ts';
import { helloOf, testClock } from './world.ts';
import type { World } from './world.ts';

type Said = { readonly what: string; readonly cause: string; readonly atMs: number };

/** Links of haproxy02 to haproxy01 at these addresses. */
export async function link(
  t: ExecutionContext,
  world: World,
  address: readonly string[],
  more: Partial<LinksOptions & LinkHandlers> = {},
) {
  const said = createRecord<Said>();
  const add = (what: string, cause = '') => said.add({ what, cause, atMs: performance.now() });
  const options: LinksOptions = {
    peers: [{ node: 'haproxy01', address }],
    tls: more.tls ?? (await world.tlsOf('haproxy02')),
    clock: testClock,
    random: () => 0,
    ...more,
  };
  const links = makeLinks(options);
  const handlers: LinkHandlers = {
    hello: () => helloOf('haproxy02'),
    onConnected: (node) => add(`connected ${node}`),
    onClosed: (_node, how, cause, tcp) => add(tcp ? how : `${how}, no TCP`, cause),
    onReply: (_node, message) => add(`reply ${message.kind}`),
  };
  links.open({ ...handlers, ...more });
  t.teardown(() => links.close());
  return { links, said, connected: () => said.until(({ what }) => what.startsWith('connected')) };
}

/** A TCP listener that is no agent. */
export async function listenRaw(t: ExecutionContext, accept: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`, sockets, server };
}

/** A relay in front of an address: what goes through it can be frozen, cut by FIN or cut by RST. */
export async function relay(t: ExecutionContext, address: string) {
  const pairs: [Socket, Socket][] = [];
  let frozen = false;
  const raw = await listenRaw(t, (near) => {
    const far = connect(Number(address.split(':')[1]), '127.0.0.1');
    far.on('error', () => undefined);
    pairs.push([near, far]);
    if (frozen) return;
    near.pipe(far);
    far.pipe(near);
  });
  return {
    address: raw.address,
    freeze: () => {
      frozen = true;
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    thaw() {
      frozen = false;
    },
    reset: () => pairs.splice(0).forEach(([near, far]) => [near.resetAndDestroy(), far.destroy()]),
    end: () => pairs.splice(0).forEach(([near, far]) => [near.destroy(), far.destroy()]),
  };
}

/** A TLS listener with any certificate at all. */
export async function tlsListener(t: ExecutionContext, issued: Issued, ca: string) {
  const { certPem: cert, keyPem: key } = issued;
  const server = createTlsServer({ cert: `${cert}\n${ca}`, key, ALPNProtocols: ['h2'] });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const bound = server.address();
  return { server, address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}` };
}

export const heartbeat = (sequence: number): GossipMessage => ({
  kind: 'heartbeat',
  epoch: 1,
  startId: 0,
  sequence,
  intentsDigest: 'd',
  seen: [],
  heard: [],
});
/** A report of a node without addresses and HAProxy. */
export const report = (node: string, sequence: number): GossipMessage => ({
  kind: 'report',
  report: reportOf(node, { sequence, addresses: [], haproxy: [], seen: [] }),
  ageMs: 0,
});
export const intent: Intent = {
  key: 'pause',
  value: 'on',
  deleted: false,
  actor: 'anna',
  reason: '',
  requestId: 'r',
  stamp: { wallMs: 1, count: 0, node: 'haproxy02' },
  untilWallMs: null,
};
