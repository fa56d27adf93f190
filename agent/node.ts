import type { Decide } from './core/decide/decide.ts';
import type { GossipMessage } from './core/gossip.ts';
import { whyRefused, type Intents } from './core/intents.ts';
import type { AppliedIntent, HaproxyReport, Intent, NodeView } from './core/model.ts';
import type { Policy } from './core/model.ts';
import { ownView } from './core/peers.ts';
import type { Timing } from './core/timing.ts';
import { ActFailure } from './core/results.ts';
import { gossip as startGossip } from './gossip/gossip.ts';
import type { IntentSource } from './gossip/shared-intents.ts';
import { heartbeats } from './gossip/heartbeats.ts';
import { syncAlarms } from './gossip/sync-alarms.ts';
import { logIntents, loopLog, type Log } from './log.ts';
import { clockSteps } from './loop/clock-steps.ts';
import { loop as startLoop } from './loop/loop.ts';
import { tellingNeighbours, type TellNeighbours } from './loop/neighbours.ts';
import type { LoopOptions } from './loop/ports.ts';
import { wakeups } from './loop/schedule.ts';
import type { Problems } from './problems.ts';
import type { Store } from './store/state.ts';
import type { Clock } from './sys/clock.ts';

/** The HAProxys of this host, as a node sees them. */
export interface HaproxyPort {
  readonly report: () => HaproxyReport;
  readonly applied: () => readonly AppliedIntent[];
  /** Wishes may have changed. */
  readonly wake: () => void;
  readonly close: () => void;
}

/** What a node stands on: the host, the store and the way to its peers; test/sim has simulated ones. */
export interface NodePorts<H extends HaproxyPort> extends Pick<
  LoopOptions,
  | 'networks'
  | 'notify'
  | 'pollMs'
  | 'observes'
  | 'icmp'
  | 'carp'
  | 'carpEvents'
  | 'prober'
  | 'bell'
  | 'latest'
> {
  readonly node: string;
  readonly pair: string;
  /** Every other configured node. */
  readonly peers: readonly string[];
  readonly agentVersion: string;
  readonly timing: Timing;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Log;
  /** Drawn for this start. */
  readonly startId: number;
  /** What the disk held at this start. */
  readonly stored: Store['state'];
  /** On disk before anything rests on it; rejects when the disk refuses. */
  readonly save: Store['save'];
  readonly problems: Problems;
  /** The HAProxys, given what they have to keep in force. */
  readonly haproxy: (intents: () => Intents) => H;
  /** False: nothing is connected, and the message is gone. */
  readonly send: (to: string, message: GossipMessage) => boolean;
  /** Why a peer is not heard; empty when unknown. */
  readonly silence: (peer: string) => string;
  /** Absent: nobody is told. */
  readonly tellNeighbours?: TellNeighbours;
  /** The policy; a simulation may plant another. */
  readonly decide?: Decide;
}

type IntentListener = (taken: readonly Intent[], by: IntentSource) => void;

/** One node over ports: what it stores, hears, decides and does. It decides once `bell` is rung. */
export function startNode<H extends HaproxyPort>(ports: NodePorts<H>) {
  const { node, clock, log, timing, save, bell, problems, peers } = ports;
  const listeners = new Set<IntentListener>();
  const wishes = wakeups();
  let saved: Promise<void> = Promise.resolve();

  const gossip = startGossip({
    ...ports,
    epoch: ports.stored.epoch,
    transport: { send: ports.send },
    intents: new Map(ports.stored.intents.map((intent) => [intent.key, intent])),
    onIntents(intents, taken, by) {
      saved = save({ intents: [...intents.values()] });
      saved.catch(() => undefined);
      void logIntents(log, taken);
      for (const listener of listeners) listener(taken, by);
    },
    onChange() {
      wishes.ring();
      bell.ring();
    },
    onRefused: (peer, cause) => log.warn('alert', { id: 'refused-gossip', subject: peer }, cause),
  });
  const haproxy = ports.haproxy(gossip.intents);
  wishes.listen(haproxy.wake);
  const loop = startLoop({
    ...ports,
    epoch: ports.stored.epoch,
    gossip,
    haproxy: () => [haproxy.report()],
    applied: haproxy.applied,
    problems: problems.list,
    durable: ports.stored,
    log: loopLog(log),
  });
  // A wish may be over, or not over yet, by a clock that was set: nothing else says so.
  const stepped = clockSteps(clock);
  loop.onRound(() => {
    if (stepped()) haproxy.wake();
  });
  const telling =
    ports.tellNeighbours === undefined
      ? null
      : tellingNeighbours({ ...loop, clock, tell: ports.tellNeighbours, problems });
  const beats = heartbeats({
    gossip,
    clock,
    timing,
    log,
    because: ports.silence,
    onChange: bell.ring,
  });
  const sync = syncAlarms({
    node,
    peers,
    differsSinceMs: (peer) => gossip.contact(peer)?.differsSinceMs ?? null,
    intents: () => [...gossip.intents().values()],
    clock,
    problems,
  });

  /**
   * Merges, stores, tells the peers; resolves to what is newer here once it is on disk. Rejects
   * with ActFailure where one was not taken: the others are.
   */
  async function storeIntents(
    from: string,
    intents: readonly Intent[],
  ): Promise<readonly Intent[]> {
    const { newer, refused } = gossip.store(from, intents);
    await saved;
    const [first] = refused;
    if (first === undefined) return newer;
    throw new ActFailure('failed', {
      code: 'not_stored',
      message: `${node} does not store it: ${whyRefused(first, clock.wallMs())}`,
      remediation: 'see that the clocks of all hosts are right (date), then say it again',
    });
  }

  return {
    loop,
    gossip,
    haproxy,
    storeIntents,
    /** This node first, then every other configured one, as known now. */
    view: (): NodeView[] => [ownView(node, clock.nowMs(), loop.report()), ...loop.peers()],
    /** Called with every intent that is new here, before it is known to be on disk. */
    onIntents: (listener: IntentListener): void => void listeners.add(listener),
    /** Says goodbye, ends the loop and with it the own fence; changes nothing else of CARP or HAProxy. */
    async end(): Promise<void> {
      telling?.stop();
      beats.stop();
      sync.stop();
      for (const peer of peers) ports.send(peer, { kind: 'goodbye', reason: 'stopped' });
      await loop.stop();
      haproxy.close();
      await saved.catch(() => undefined);
    },
  };
}
