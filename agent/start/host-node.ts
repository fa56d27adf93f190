import { randomInt } from 'node:crypto';
import { carp } from '../carp/carp.ts';
import { orRawTell, type SendToAll } from '../carp/raw-tell.ts';
import { carpEvents } from '../carp/events.ts';
import type { Config } from '../config/config.ts';
import type { NodeReport, Policy } from '../core/model.ts';
import { TIMINGS } from '../core/timing.ts';
import type { Log } from '../log.ts';
import type { latestRound } from '../loop/latest.ts';
import { wakeups } from '../loop/schedule.ts';
import { startNode } from '../node.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import type { Exec } from '../sys/exec.ts';
import { standingShell } from '../sys/standing-shell.ts';
import { VERSION } from '../version.ts';
import type { hostHaproxy } from './host-haproxy.ts';
import type { HostFiles } from './host-files.ts';
import type { hostLinks } from './host-links.ts';
import type { openAsRoot } from './open-as-root.ts';

const POLL_MS = 1000;
/** A hanging ifconfig(8) is killed after this long. */
const TOOL_MS = 2000;

type Rooted = Awaited<ReturnType<typeof openAsRoot>>;

/** Starts this node's loop and gossip over this host's CARP, HAProxy and links. */
export function hostNode(host: {
  readonly config: Config;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly exec: Exec;
  readonly privileges: Rooted['privileges'];
  readonly second: Rooted['second'];
  readonly sendToAll: SendToAll | null;
  readonly files: HostFiles;
  readonly links: ReturnType<typeof hostLinks>;
  readonly haproxy: ReturnType<typeof hostHaproxy>;
  readonly bell: ReturnType<typeof wakeups>;
  readonly latest: ReturnType<typeof latestRound>;
  readonly notify: () => NodeReport['notify'];
}) {
  const { config, policy, clock, log, problems, second, files, links, bell, latest } = host;
  const { acts, observes } = host.privileges;
  const carpMoved = wakeups();
  const { devd: path, tools } = config.carp;
  const devd = carpEvents({ path, clock, problems, changed: carpMoved.ring });
  // Not before: who starts it is who it runs as.
  const shell = standingShell(TOOL_MS, host.exec);
  const kernel = carp({ exec: shell.exec, tools, acts });
  const { exec } = shell;
  const tell = orRawTell(kernel.tell, host.sendToAll, { exec, ifconfig: tools.ifconfig });
  const running = startNode({
    node: config.node,
    pair: config.pair,
    peers: config.peers.map((peer) => peer.node),
    agentVersion: VERSION,
    timing: TIMINGS[config.policy.detect],
    policy,
    networks: config.networks,
    pollMs: POLL_MS,
    observes: observes !== '',
    icmp: second.icmp,
    clock,
    log,
    startId: randomInt(1, 2 ** 32),
    stored: files.stored,
    save: files.save,
    problems,
    bell,
    latest,
    carp: { ...kernel, read: devd.compared(() => kernel.read()) },
    carpEvents: devd.state,
    ...(observes === '' ? { tellNeighbours: tell } : {}),
    prober: second.prober,
    haproxy: host.haproxy.make,
    notify: host.notify,
    send: (to, message) => links.send(to, message),
    silence: links.silence,
  });
  running.onIntents((taken, { from, how }) => {
    if (how === 'gossip') files.audit.learnt(from, taken);
  });
  carpMoved.listen(() => running.loop.carpChanged());
  links.open(running);
  return { running, kernel, devd, shell };
}
