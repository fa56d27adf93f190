import type { Config } from '../config/config.ts';
import { serverNotices, strangerEvents, type Log } from '../log.ts';
import type { startNode } from '../node.ts';
import type { Problems } from '../problems.ts';
import type { Bound } from '../rpc/bound.ts';
import { fromPeers } from '../rpc/from-peers.ts';
import { startServer, type RunningServer } from '../rpc/server.ts';
import type { Clock } from '../sys/clock.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { hostPort } from '../sys/host-port.ts';
import { measured, type ActEnded } from '../verbs/measured.ts';
import { controlVerbs } from '../verbs/table.ts';
import type { HostFiles } from './host-files.ts';
import type { hostLinks } from './host-links.ts';
import type { hostPair } from './host-pair.ts';

/** Answers operators and peers from now on; rejects when no listener can be used. */
export async function hostServer(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly descriptors: Pick<Descriptors, 'scarce'>;
  readonly files: Pick<HostFiles, 'audit' | 'tls'>;
  readonly bound: Bound;
  readonly running: Pick<ReturnType<typeof startNode>, 'loop' | 'gossip' | 'storeIntents'>;
  readonly links: ReturnType<typeof hostLinks>;
  readonly parts: Pick<ReturnType<typeof hostPair>, 'pair' | 'local' | 'status'>;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
  /** Hears what acts came to. */
  readonly ended: ActEnded;
  /** Tells of a listener that cannot be used while another can. */
  readonly problemOf: (subject: string, cause: string, remedy: string) => void;
}): Promise<RunningServer> {
  const { config, clock, log, bound, running, links, parts, problems } = host;
  const { audit, tls } = host.files;
  const { loop, gossip, storeIntents } = running;
  const verbs = controlVerbs(
    parts.pair,
    parts.status,
    loop.view,
    Math.max(0, ...config.certificates.alarmDays),
    config.acme.tokenTtlMs,
  );
  const server = await startServer({
    listen: config.listen,
    socket: config.socket,
    bound,
    tls,
    pair: config.pair,
    node: config.node,
    peers: config.peers.map((peer) => peer.node),
    control: measured(verbs, host.ended),
    member: parts.local,
    fromPeers: fromPeers(gossip, storeIntents, (peer) => links.hurry(peer)),
    clock,
    notices: serverNotices(log),
    events: strangerEvents(log, problems, (some) => audit.handshakesRefused(some)),
    peerSources: config.peers.flatMap(({ address }) =>
      address.map((one) => hostPort(one)?.host ?? ''),
    ),
    scarce: host.descriptors.scarce,
    audit,
  });
  for (const [place, cause] of server.problems.entries())
    host.problemOf(`listen-${place + 1}`, cause, 'see proxyctl-agent.toml(5), socket and listen');
  return server;
}
