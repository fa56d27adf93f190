import { PROTOCOL } from './core/gossip.ts';
import { decide, NO_MEMORY, type Action, type Decision, type Memory } from './core/decide.ts';
import type { Intents } from './core/intents.ts';
import type {
  AppliedIntent,
  HaproxyReport,
  NodeReport,
  NodeView,
  Policy,
  Problem,
} from './core/model.ts';
import type { NetworkConfig } from './config.ts';
import { logChanges, logDecision, type LoopLog } from './loop-log.ts';
import { perform, type CarpControl } from './apply.ts';
import {
  learnBases,
  observeSelf,
  problem,
  substance,
  withVerdicts,
  type Bases,
  type CarpObservation,
} from './observe.ts';
import { joins, pinsReached } from './standing.ts';
import type { Clock } from './sys/clock.ts';
import { sentence } from './core/words.ts';

/** CARP as the loop uses it: read, then set. */
export interface CarpPort extends CarpControl {
  read(): Promise<CarpObservation>;
}

export interface LoopOptions {
  readonly node: string;
  readonly epoch: number;
  readonly agentVersion: string;
  readonly policy: Policy;
  readonly networks: readonly NetworkConfig[] | null;
  readonly clock: Clock;
  readonly carp: CarpPort;
  /** CARP is read again after this long even if nothing happens, ms. */
  readonly pollMs: number;
  readonly icmp: NodeReport['icmp'];
  readonly gossip: {
    peers(nowMs: number): NodeView[];
    intents(): Intents;
    seen(): NodeReport['seen'];
    publish(report: NodeReport): void;
  };
  readonly haproxy: () => readonly HaproxyReport[];
  readonly applied: () => readonly AppliedIntent[];
  /** Problems of other parts: state file, devd, configuration. */
  readonly problems: () => readonly Problem[];
  readonly carpEvents: () => NodeReport['carpEvents'];
  readonly bases: Bases;
  /** Durable before anything is overridden; rejects when the disk refuses. */
  readonly saveBases: (bases: Bases) => Promise<void>;
  readonly log: LoopLog;
}

/** After an action failed nothing is tried again for this long. */
const RETRY_MS = 1000;

export type Loop = ReturnType<typeof loop>;

/**
 * The one writer of this host: observes, decides, tells the peers, acts, and
 * reads again. Events only wake it. `settled()` of the latest round is what
 * everyone else reads.
 */
export function loop(options: LoopOptions) {
  const { clock, carp, gossip, log } = options;
  const startedAtMs = clock.nowMs();
  let bases = options.bases;
  let reading: CarpObservation | null = null;
  let readAtMs = -Infinity;
  let carpProblem: Problem | null = null;
  let actionProblem: Problem | null = null;
  let retryAtMs = 0;
  let memory: Memory = NO_MEMORY;
  let report: NodeReport | null = null;
  let published = { text: '', sequence: 0 };
  let decision: Decision | null = null;
  const joining = joins(startedAtMs);
  const reachedPins = pinsReached(clock);
  const listeners = new Set<() => void>();

  let running: Promise<void> | null = null;
  let woken = false;
  let stopped = false;
  let cancelTimer = (): void => {};

  async function readCarp(): Promise<void> {
    const nowMs = clock.nowMs();
    readAtMs = nowMs;
    try {
      reading = await carp.read();
      carpProblem = null;
    } catch (error) {
      // What could not be read is unknown: the last reading is not passed on as the present.
      reading = null;
      const cause = sentence(error);
      const known = carpProblem === null ? [] : [carpProblem];
      if (carpProblem?.cause !== cause) log.problem({ subject: 'carp', cause });
      carpProblem = problem(known, 'carp', cause, 'check ifconfig and carp(4) on this host', nowMs);
    }
  }

  async function learn(observation: CarpObservation): Promise<void> {
    const learnt = learnBases(bases, observation, report, options.networks);
    if (JSON.stringify(learnt) === JSON.stringify(bases)) return;
    try {
      await options.saveBases(learnt);
      bases = learnt;
    } catch {
      // Not on disk, so not known: what has no base is not overridden. saveBases says why.
    }
  }

  function draft(nowMs: number, peers: readonly NodeView[]): NodeReport {
    const empty: CarpObservation = { addresses: [], preempt: null, demotion: 0 };
    const own = observeSelf({
      node: options.node,
      carp: reading ?? empty,
      bases,
      networks: options.networks,
      haproxy: options.haproxy(),
      peers,
      previous: report,
      joined: joining.joined(peers, nowMs),
      nowMs,
    });
    return {
      ...own,
      node: options.node,
      epoch: options.epoch,
      // Nobody has seen this yet; publish() gives the real number.
      sequence: published.sequence + 1,
      protocol: PROTOCOL,
      agentVersion: options.agentVersion,
      leaving: false,
      problems: [carpProblem, actionProblem]
        .filter((one) => one !== null)
        .concat(options.problems()),
      seen: gossip.seen(),
      applied: options.applied(),
      icmp: options.icmp,
      carpEvents: options.carpEvents(),
      agentStartedMs: startedAtMs,
      wallMs: clock.wallMs(),
    };
  }

  function publish(next: NodeReport, nowMs: number): void {
    const text = substance(next, nowMs);
    const changed = text !== published.text;
    const sequence = published.sequence + (changed ? 1 : 0);
    if (report !== null) logChanges(log, report, next);
    report = { ...next, sequence };
    if (!changed) return;
    published = { text, sequence };
    gossip.publish(report);
  }

  async function round(): Promise<void> {
    if (clock.nowMs() - readAtMs >= options.pollMs) await readCarp();
    if (reading !== null) await learn(reading);
    const nowMs = clock.nowMs();
    const peers = gossip.peers(nowMs);
    const own = draft(nowMs, peers);
    // A draft with nothing new to tell is what the peers have seen already.
    const told = withVerdicts(own, decision, nowMs);
    const sequence = substance(told, nowMs) === published.text ? published.sequence : own.sequence;
    const self: NodeView = {
      node: options.node,
      peerClass: 'alive',
      fresh: true,
      heardAtMs: nowMs,
      report: { ...own, sequence },
    };
    const nodes = [self, ...peers];
    const intents = gossip.intents();
    const view = {
      self: options.node,
      nodes,
      intents,
      policy: options.policy,
      wallMs: clock.wallMs(),
      reachedPins: reachedPins(intents, nodes),
    };
    const before = decision;
    decision = decide(view, memory, nowMs);
    memory = decision.memory;
    publish(withVerdicts(own, decision, nowMs), nowMs);
    logDecision(log, before, decision);
    if (decision.actions.length > 0 && nowMs >= retryAtMs) await act(decision.actions);
    for (const listener of listeners) listener();
  }

  /** One by one; the first that fails ends the round, and the next decides afresh. */
  async function act(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      try {
        await perform(action, carp);
        actionProblem = null;
      } catch (error) {
        const cause = sentence(error);
        retryAtMs = clock.nowMs() + RETRY_MS;
        const known = actionProblem === null ? [] : [actionProblem];
        const remedy = 'tried again every second; see the log';
        actionProblem = problem(known, 'action', cause, remedy, clock.nowMs());
        log.actionFailed({ action: action.kind, cause, retry_ms: RETRY_MS });
        break;
      } finally {
        // Done or failed: only the kernel says what is so now.
        readAtMs = -Infinity;
        woken = true;
      }
    }
  }

  async function run(): Promise<void> {
    // `stop` and events change both while a round is under way.
    const due = (): boolean => woken && !stopped;
    while (due()) {
      woken = false;
      try {
        await round();
      } catch (error) {
        log.problem({ subject: 'loop', cause: sentence(error) });
      }
    }
    running = null;
    if (!stopped) sleep();
  }

  function sleep(): void {
    const nowMs = clock.nowMs();
    const wakeAtMs = Math.min(readAtMs + options.pollMs, decision?.wakeAtMs ?? Infinity);
    // A wake-up in the past would spin; the next millisecond is soon enough.
    const delayMs = Math.max(1, Math.min(wakeAtMs, joining.wakeAtMs(nowMs)) - nowMs);
    cancelTimer();
    cancelTimer = clock.after(Number.isFinite(delayMs) ? delayMs : options.pollMs, wake);
  }

  function wake(): void {
    if (stopped) return;
    woken = true;
    running ??= run();
  }

  return {
    /** Something may have changed: decide again soon. */
    wake,
    /** CARP may have changed: read it again, then decide. */
    carpChanged(): void {
      readAtMs = -Infinity;
      wake();
    },
    report: (): NodeReport | null => report,
    decision: (): Decision | null => decision,
    /** Called after every round; the returned function ends that. */
    onRound(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop(): Promise<void> {
      stopped = true;
      cancelTimer();
      await running;
    },
  };
}
