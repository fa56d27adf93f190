import { isRead } from '../core/health.ts';
import { decide } from '../core/decide/decide.ts';
import { NO_MEMORY, type Action, type Decision, type Memory } from '../core/decide/decision.ts';
import { PROTOCOL } from '../core/gossip.ts';
import type { NodeReport, NodeView, Problem } from '../core/model.ts';
import type { View } from '../core/decide/owner.ts';
import { isQuiet, ownView, withEcho } from '../core/peers.ts';
import { sentence } from '../core/words.ts';
import { perform } from './apply.ts';
import { alertTimes } from './alert-times.ts';
import { baseKeeper } from './bases.ts';
import { carpReader } from './carp-reader.ts';
import { lateness } from './lateness.ts';
import { logChanges, logDecision } from './log.ts';
import type { LoopOptions } from './ports.ts';
import { movesFrom, movesTo } from './move-times.ts';
import { observeSelf, problem, substance, withVerdicts } from './observe.ts';
import type { CarpObservation } from './observe.ts';
import { past } from './own-history.ts';
import { joins, pinsReached } from './joining.ts';

/** After an action failed nothing is tried again for this long. */
const RETRY_MS = 1000;
const NOTHING_READ: CarpObservation = {
  addresses: [],
  preempt: null,
  demotion: 0,
  allow: null,
  interfaces: [],
};

export type Loop = ReturnType<typeof loop>;

/**
 * The one writer of this host: observes, decides, tells the peers, acts, and
 * reads again. Events only wake it. What the latest round left is what everyone
 * else reads.
 */
export function loop(options: LoopOptions) {
  const { clock, carp, gossip, log, timing, prober } = options;
  const policyOf = options.decide ?? decide;
  const startedAtMs = clock.nowMs();
  const { save, observes = false } = options;
  let { fenceMine } = options.durable;
  const bases = baseKeeper(options);
  let actionProblem: Problem | null = null;
  let retryAtMs = 0;
  let memory: Memory = { ...NO_MEMORY, moves: movesFrom(options.durable.moves, clock) };
  let report: NodeReport | null = null;
  let published = { text: '', sequence: 0 };
  let decision: Decision | null = null;
  let leaving = false;
  const hasEvents = (): boolean => options.carpEvents() === 'events';
  const source = carpReader({ carp, clock, log, pollMs: options.pollMs, hasEvents });
  const joining = joins(startedAtMs);
  const late = lateness(timing, (nowMs) => joining.rejoin(nowMs));
  const reachedPins = pinsReached(clock);
  const alerts = alertTimes();
  const owners = past(options.durable);
  const listeners = new Set<() => void>();

  let running: Promise<void> | null = null;
  let woken = false;
  let stopped = false;
  let cancelTimer = (): void => {};

  function draft(nowMs: number, peers: readonly NodeView[]): NodeReport {
    const reading = source.reading() ?? NOTHING_READ;
    const own = observeSelf({
      node: options.node,
      carp: reading,
      bases: bases.known(),
      networks: options.networks,
      haproxy: options.haproxy(),
      peers,
      previous: report,
      joined: !observes && joining.joined(peers, isRead(options.haproxy()), nowMs),
      fenced: fenceMine && reading.allow === false,
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
      leaving,
      problems: [source.problem(), actionProblem]
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

  function publish(next: NodeReport, text: string): void {
    const changed = text !== published.text;
    const sequence = published.sequence + (changed ? 1 : 0);
    if (report !== null) logChanges(log, report, next);
    report = { ...next, sequence };
    if (!changed) return;
    published = { text, sequence };
    gossip.publish(report);
  }

  /** The peers with what echo says of them; those that fell silent are asked more often. */
  function look(nowMs: number): NodeView[] {
    const paths = prober.readings();
    const peers = gossip.peers(nowMs).map((peer) => withEcho(peer, paths, timing, nowMs));
    const silent = peers.filter((peer) => isQuiet(peer, timing, nowMs));
    prober.attend(silent.map(({ node }) => node));
    return peers;
  }

  function viewFrom(
    own: NodeReport,
    peers: readonly NodeView[],
    nowMs: number,
    textOf = substance(own, nowMs),
  ): View {
    // A draft with nothing new to tell is what the peers have seen already.
    const { addresses } = withVerdicts(own, decision, nowMs);
    const sequence = textOf(addresses) === published.text ? published.sequence : own.sequence;
    const self = ownView(options.node, nowMs, { ...own, sequence });
    const nodes = [self, ...peers];
    const intents = gossip.intents();
    return {
      self: options.node,
      nodes,
      intents,
      policy: options.policy,
      timing,
      paths: prober.readings(),
      lateAtMs: late.lateAtMs(),
      allow: source.reading()?.allow ?? null,
      fenceMine,
      received: source.received(),
      wallMs: clock.wallMs(),
      reachedPins: reachedPins(intents, nodes),
    };
  }

  async function round(): Promise<void> {
    await source.refresh(memory.lost !== null);
    const reading = source.reading();
    if (reading !== null) await bases.learn(reading, report, gossip.peers(clock.nowMs()));
    const nowMs = clock.nowMs();
    const peers = look(nowMs);
    const own = draft(nowMs, peers);
    const before = decision;
    const textOf = substance(own, nowMs);
    decision = policyOf(viewFrom(own, peers, nowMs, textOf), memory, nowMs);
    const { moves } = memory;
    ({ memory } = decision);
    alerts.note(decision.alerts, nowMs);
    const told = withVerdicts(own, decision, nowMs);
    publish(told, textOf(told.addresses));
    prober.aim(
      peers.flatMap((peer) => (peer.report === null ? [] : [peer.report])),
      own,
    );
    logDecision(log, before, decision);
    const came = owners.note(decision, own, clock.wallMs());
    // Nothing rests on it: a slow disk must not keep an address waiting.
    if (came !== null) save(came).catch(() => undefined);
    await keep(moves);
    if (decision.actions.length > 0 && nowMs >= retryAtMs && !observes) await act(decision.actions);
    for (const listener of listeners) listener();
  }

  /** Stores the budget when a move was counted, and gives up a fence that is gone. */
  async function keep(before: Memory['moves']): Promise<void> {
    const now = movesTo(memory.moves, clock);
    const changed = JSON.stringify(movesTo(before, clock)) !== JSON.stringify(now);
    const lifted =
      fenceMine && source.reading()?.allow === true && (memory.lost?.renewedAtMs ?? null) === null;
    if (lifted) fenceMine = false;
    if (changed || lifted)
      await save({ ...(changed ? { moves: now } : {}), fenceMine }).catch(() => undefined);
  }

  /** One by one; the first that fails ends the round, and the next decides afresh. */
  async function act(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      try {
        // On disk before it is in force: only our own fence is ever undone.
        if (action.kind === 'fence' && !fenceMine) {
          await save({ fenceMine: true });
          fenceMine = true;
        }
        await perform(action, carp);
        if (action.kind === 'unfence') {
          fenceMine = false;
          await save({ fenceMine: false });
        }
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
        source.forget();
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
    const retry = retryAtMs > nowMs ? retryAtMs : Infinity;
    const joinAtMs = observes ? Infinity : joining.wakeAtMs(nowMs);
    const due = [source.dueAtMs(), decision?.wakeAtMs ?? Infinity, retry, joinAtMs];
    cancelTimer();
    // A wake-up in the past would spin; the next millisecond is soon enough.
    const dueAtMs = Math.max(nowMs + 1, Math.min(nowMs + options.pollMs, ...due));
    cancelTimer = clock.after(dueAtMs - nowMs, () => {
      const firedAtMs = clock.nowMs();
      late.fired(dueAtMs, firedAtMs);
      // A machine that stood still gets no event of what it missed.
      if (firedAtMs - dueAtMs >= options.pollMs) source.forget();
      wake();
    });
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
      source.forget();
      wake();
    },
    /** This host is being shut down: give every address to others. Dies with the process. */
    leave(): void {
      leaving = true;
      wake();
    },
    report: (): NodeReport | null => report,
    decision: (): Decision | null => decision,
    alerts: alerts.list,
    /** How addresses came to this node, the newest last. */
    history: owners.list,
    /** Every peer as it is known now, with what echo says of it. */
    peers: (): NodeView[] => look(clock.nowMs()),
    /** The host's own addresses as last read. */
    interfaces: () => source.reading()?.interfaces ?? [],
    /** The view the latest decision was made from, rebuilt now; null before the first round. */
    view: (): View | null =>
      report === null ? null : viewFrom(report, look(clock.nowMs()), clock.nowMs()),
    /** Called after every round; the returned function ends that. */
    onRound(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop(): Promise<void> {
      stopped = true;
      cancelTimer();
      await running;
      // Only the own fence is undone by a stop.
      if (fenceMine) await carp.allow(true).catch(() => undefined);
    },
  };
}
