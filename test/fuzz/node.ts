import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TIMINGS } from '../../agent/core/timing.ts';
import type { Log } from '../../agent/log.ts';
import { latestRound } from '../../agent/loop/latest.ts';
import type { CarpPort } from '../../agent/loop/ports.ts';
import { wakeups } from '../../agent/loop/schedule.ts';
import { startNode } from '../../agent/node.ts';
import { problems } from '../../agent/problems.ts';
import { fromPeers } from '../../agent/rpc/from-peers.ts';
import { makeLinks } from '../../agent/rpc/links.ts';
import { startServer, type ServerOptions } from '../../agent/rpc/server.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { openStore } from '../../agent/store/state.ts';
import { haproxy } from '../reports.ts';
import { POLICY } from '../core/builders.ts';
import { memberOf, NO_AUDIT } from '../scripted.ts';
import type { Act, Said } from './kernels.ts';

/** Where one host of the fuzzed pair finds its keys, its folder and its kernel. */
export interface Place {
  readonly node: string;
  readonly peer: string;
  readonly tls: TlsPaths;
  readonly folder: string;
  readonly kernels: string;
}

/**
 * An agent as far as strangers can reach it: the real loop and gossip over the kernels' process, a
 * HAProxy that lives, the real doors and links, and the verbs that are given.
 */
export async function fuzzedNode(
  place: Place,
  serving: Pick<ServerOptions, 'control' | 'notices' | 'clock'>,
) {
  const { node, peer, folder } = place;
  const clock = systemClock;
  const bell = wakeups();
  const known = problems(clock, bell.ring);
  const store = await openStore(join(folder, node, 'state'), clock.wallMs());
  const tls = createTls(place.tls, 'web', node, clock);
  const moved = wakeups();
  let links: ReturnType<typeof makeLinks> | null = null;
  const running = startNode({
    node,
    pair: 'web',
    peers: [peer],
    agentVersion: '0.1.0',
    timing: TIMINGS.calm,
    policy: POLICY,
    networks: null,
    pollMs: 1000,
    observes: false,
    icmp: 'none',
    clock,
    log: NO_LOG,
    startId: 1,
    stored: store.state,
    save: (change) => store.save(change),
    problems: known,
    bell,
    latest: latestRound(),
    carp: kernelPort(place.kernels, node, moved.ring),
    carpEvents: () => 'events',
    prober: { readings: () => [], aim: () => undefined, attend: () => undefined },
    haproxy: () => ({
      report: () => haproxy(),
      applied: () => [],
      wake: () => undefined,
      close: () => undefined,
    }),
    send: (to, message) => links?.send(to, message) ?? false,
    silence: () => '',
  });
  const { gossip, loop, storeIntents } = running;
  moved.listen(() => loop.carpChanged());
  const peers = fromPeers(gossip, storeIntents, () => undefined);
  let linksClosed = 0;
  let connects = 0;
  const server = await startServer({
    ...serving,
    listen: ['127.0.0.1:0'],
    socket: { path: join(folder, node, 'agent.sock'), group: 'nogroup', role: 'operator' },
    tls,
    pair: 'web',
    node,
    peers: [peer],
    audit: NO_AUDIT,
    member: memberOf(node),
    fromPeers: {
      ...peers,
      closed(from, how) {
        linksClosed += 1;
        peers.closed(from, how);
      },
    },
  });
  bell.ring();
  return {
    running,
    server,
    /** How often the peer was reached, and how often its link to here was closed. */
    counts: () => ({ connects, linksClosed }),
    /** Speaks to the peer from now on. */
    reach: (address: string): void => {
      links = makeLinks({
        peers: [{ node: peer, address: [address] }],
        tls,
        clock,
        random: () => 0,
      });
      links.open({
        hello: gossip.hello,
        onConnected(to) {
          connects += 1;
          gossip.connected(to);
        },
        onClosed: (to, _how, cause) => gossip.gone(to, cause),
        onReply: gossip.receive,
      });
    },
  };
}

/** CARP of this node, as the kernels' process has it. */
function kernelPort(path: string, node: string, changed: () => void): CarpPort {
  const socket = connect(path);
  const waiting = new Map<number, (value: never) => void>();
  let last = 0;
  createInterface({ input: socket }).on('line', (line) => {
    const said = JSON.parse(line) as Said;
    if ('changed' in said) return changed();
    waiting.get(said.id)?.(said.value as never);
    waiting.delete(said.id);
  });
  const ask = <T>(act: Act): Promise<T> =>
    new Promise((resolve) => {
      const id = ++last;
      waiting.set(id, resolve);
      socket.write(`${JSON.stringify({ ...act, id, node })}\n`);
    });
  return {
    read: () => ask({ what: 'read' }),
    received: () => ask({ what: 'received' }),
    set: (changes) => ask({ what: 'set', changes }),
    advertise: () => ask({ what: 'advertise' }),
    allow: (on) => ask({ what: 'allow', on }),
  };
}

const nothing = (): void => undefined;
const NO_LOG: Log = {
  info: nothing,
  warn: nothing,
  error: nothing,
  reopen: nothing,
  flush: nothing,
};
