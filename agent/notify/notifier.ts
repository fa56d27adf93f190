import type { PairEvent } from '../core/events/events.ts';
import type { NodeView } from '../core/model.ts';
import { batches, keyOf, MOST_NOTICES, MOST_RAISED, MOST_TOLD } from '../core/notify/notify.ts';
import { opened, withoutOver } from '../core/notify/notify.ts';
import type { NotifyFilter, NotifyReport, Teller, TestedTarget } from '../core/notify/notify.ts';
import type { NotifyMessage } from '../core/notify/notify-message.ts';
import { unseen } from '../core/events/unseen.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { bounded, type NotifyMemory, type Pending } from './memory.ts';
import { FRESH, nextRetryMs, trialOf, type Trial } from './trial.ts';
import { GATHER_MS, NO_TURN, ownOf, turnOf } from './turns.ts';

/** So long nothing is told after a start that has not met its peers, ms: one of them may have told it. */
const MEET_MS = 8000;
/** So many messages a target and minute; what is more waits and is one message. */
const MOST_A_MINUTE = 20;
const MINUTE_MS = 60_000;
/** A target that fails for so long is an alert, ms. */
const FAILING_MS = 300_000;
/** So long an event waits, ms. */
const OLDEST_MS = 86_400_000;
/** So many are known not to be new. */
const MOST_SEEN = 5000;

/** A target of this node. `send` resolves once it has the message, in a time of its own. */
export interface Target extends NotifyFilter {
  readonly send: (message: NotifyMessage) => Promise<void>;
}

/**
 * Tells targets of events: of the nodes that are heard and have a target, the first by name tells it.
 * What is not told stays in a queue that every node keeps, and reports say what was: so another
 * goes on where one is gone. Nothing here throws; `look` is called after every round.
 */
export function notifier(options: {
  readonly node: string;
  readonly pair: string;
  readonly targets: readonly Target[];
  readonly clock: Clock;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
  readonly memory: NotifyMemory;
  /** The alerts of this node that stood when the agent before this one ended, by keyOf. */
  readonly standing: readonly string[];
  /** For the disk. */
  readonly keep: (memory: NotifyMemory) => void;
  /** The report of this node has something new to tell. */
  readonly changed: () => void;
}) {
  const { node, pair, clock, problems, keep, changed } = options;
  let { targets } = options;
  const startedMs = clock.nowMs();
  const trials = new Map(targets.map(({ name }) => [name, trialOf()]));
  let { memory } = options;
  const raised = new Set(options.standing);
  const isNew = unseen(MOST_SEEN, [
    ...memory.told.map((one) => one.slice(one.indexOf(' ') + 1)),
    ...memory.queue.map(({ event }) => event.id),
  ]);
  let heard: readonly NodeView[] = [];
  const theirs = new Map<string, readonly string[]>();
  let met = false;
  let stopped = false;

  const become = (change: Partial<NotifyMemory>): void => {
    memory = { ...memory, ...change };
    keep(memory);
    changed();
  };
  const failing = (name: string): boolean => {
    const trial = trials.get(name);
    return trial !== undefined && trial.failedSinceMs !== null && clock.nowMs() < trial.retryAtMs;
  };
  const own = (): Teller => ({
    node,
    targets: targets.map(({ name }) => ({ name, failing: failing(name) })),
  });
  const tellers = (): Teller[] => [
    own(),
    ...heard.map(({ node: peer, report }) => ({
      node: peer,
      targets: report?.notify.targets ?? [],
    })),
  ];
  /** Of peers too that are not heard now: they have it told to them when they are back. */
  const names = (): string[] => [
    ...new Set([...targets.map(({ name }) => name), ...[...theirs.values()].flat()]),
  ];

  function add(events: readonly PairEvent[]): void {
    const fresh = events.filter(({ id }) => isNew(id));
    if (fresh.length === 0) return;
    const sinceWallMs = clock.wallMs();
    const all = [
      ...memory.queue,
      ...fresh.map((event): Pending => ({ event, sinceWallMs, settled: [] })),
    ];
    const queue = bounded(all);
    become({ queue, dropped: memory.dropped + all.length - queue.length });
  }

  /** These events need not be told to the target any more; `mine`: this node has seen to it. */
  function settle(target: string, ids: readonly string[], mine: boolean): void {
    const filter = targets.find(({ name }) => name === target);
    let open = memory.open.get(target) ?? new Map();
    const queue = memory.queue.map((one) => {
      if (!ids.includes(one.event.id) || one.settled.includes(target)) return one;
      if (filter !== undefined) open = opened(filter, open, one.event);
      return { ...one, settled: [...one.settled, target] };
    });
    const told = mine ? [...memory.told, ...ids.map((id) => `${target} ${id}`)] : memory.told;
    become({ queue, told: told.slice(-MOST_TOLD), open: new Map(memory.open).set(target, open) });
  }

  /** What the peers have told already, and what of their own they want told. */
  function hear(): void {
    for (const { node: peer, report } of heard)
      theirs.set(peer, report?.notify.targets.map(({ name }) => name) ?? []);
    const nothing = names().length === 0;
    for (const { node: peer, report } of heard) {
      if (report === null) continue;
      const { notices, told } = report.notify;
      if (!nothing) add(notices);
      const byTarget = new Map<string, string[]>();
      for (const one of told) {
        const [target = '', id = ''] = one.split(' ');
        const waits = memory.queue.some(
          ({ event, settled }) => event.id === id && !settled.includes(target),
        );
        if (waits) byTarget.set(target, [...(byTarget.get(target) ?? []), id]);
      }
      for (const [target, ids] of byTarget) settle(target, ids, false);
      forget(peer, report.notify.raised);
    }
  }

  /** What a peer has no more and nothing is pending of. */
  function forget(peer: string, theirRaised: readonly string[]): void {
    const pending = memory.queue.flatMap(({ event }) =>
      event.node === peer ? (keyOf(event) ?? []) : [],
    );
    const stands = [...theirRaised, ...pending];
    const open = [...memory.open].map(
      ([target, keys]) => [target, withoutOver(keys, peer, stands)] as const,
    );
    if (open.some(([target, keys]) => keys !== memory.open.get(target)))
      become({ open: new Map(open) });
  }

  function prune(): void {
    const wanted = names();
    const oldest = clock.wallMs() - OLDEST_MS;
    const queue = memory.queue.filter(
      ({ settled, sinceWallMs }) =>
        wanted.some((name) => !settled.includes(name)) && sinceWallMs > oldest,
    );
    if (queue.length !== memory.queue.length) become({ queue });
  }

  const waitingFor = (name: string): readonly Pending[] =>
    memory.queue.filter(({ settled }) => !settled.includes(name));

  async function tell(target: Target, trial: Trial): Promise<void> {
    const { name } = target;
    const waiting = ownOf(trial.turn, waitingFor(name));
    const events = waiting.map(({ event }) => event);
    trial.sending = true;
    for (const { told, ids } of batches(target, memory.open.get(name) ?? new Map(), events)) {
      if (!targets.includes(target)) break;
      const { dropped } = memory;
      if (told.length > 0) {
        if (trial.sentAtMs.length >= MOST_A_MINUTE) break;
        const ended = await attempt(target, trial, { told, dropped, test: false });
        if (ended !== '') break;
        trial.sentAtMs.push(clock.nowMs());
        if (dropped > 0) become({ dropped: Math.max(0, memory.dropped - dropped) });
      }
      settle(name, ids, true);
    }
    trial.sending = false;
  }

  /** Empty: it has arrived. */
  async function attempt(
    target: Target,
    trial: Trial,
    { told, dropped, test }: Pick<NotifyMessage, 'told' | 'dropped' | 'test'>,
  ): Promise<string> {
    const { name } = target;
    const was = failing(name);
    let cause = '';
    try {
      await target.send({ pair, node, target: name, test, told, dropped });
      Object.assign(trial, FRESH);
      problems.clear(`notify ${name}`);
    } catch (error) {
      cause = sentence(error);
      const nowMs = clock.nowMs();
      trial.failedSinceMs ??= nowMs;
      trial.retryAtMs = nowMs + trial.retryMs;
      trial.retryMs = nextRetryMs(trial.retryMs);
      // One that was taken away meanwhile is nobody's trouble.
      if (nowMs - trial.failedSinceMs >= FAILING_MS && targets.includes(target))
        problems.raise(`notify ${name}`, cause, `proxyctl notify test ${name}`);
    }
    if (was !== failing(name)) changed();
    return cause;
  }

  /** Whose turn it is; a peer that hears this node for the first time has stopped at that moment. */
  function take({ name }: Target, trial: Trial): void {
    const before = trial.turn;
    const at = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
    const alone = !met && heard.length === 0;
    trial.turn = alone ? NO_TURN : turnOf(name, before, tellers(), waitingFor(name), at);
    // Whoever told it until now hears at once that it is not its turn any more.
    if (trial.turn.leads && !before.leads) changed();
  }

  /** Told by this node, now. */
  function isDue({ name }: Target, trial: Trial): boolean {
    if (!trial.turn.leads || trial.sending) return false;
    const [oldest] = ownOf(trial.turn, waitingFor(name));
    if (oldest === undefined) return false;
    const ageMs = clock.wallMs() - oldest.sinceWallMs;
    // Less than none: the clock was set back.
    if (ageMs >= 0 && ageMs < GATHER_MS) return false;
    const nowMs = clock.nowMs();
    while (nowMs - (trial.sentAtMs[0] ?? nowMs) >= MINUTE_MS) trial.sentAtMs.shift();
    return nowMs >= trial.retryAtMs && trial.sentAtMs.length < MOST_A_MINUTE;
  }

  return {
    /** An event of this node. */
    happened(event: PairEvent): void {
      const key = keyOf(event);
      if (key !== null && event.kind === 'alert-cleared') raised.delete(key);
      else if (key !== null) raised.add(key);
      if (names().length > 0 || !met) add([event]);
    },
    /** A round is over: `joined` is this node's, `peers` are all others. */
    look(peers: readonly NodeView[], joined: boolean): void {
      if (stopped) return;
      heard = peers.filter(({ fresh, report }) => fresh && report !== null);
      met ||= joined || clock.nowMs() - startedMs >= MEET_MS;
      hear();
      const all = targets.flatMap((target) => {
        const trial = trials.get(target.name);
        return trial === undefined ? [] : [{ target, trial }];
      });
      for (const { target, trial } of all) take(target, trial);
      if (!met) return;
      prune();
      for (const { target, trial } of all) if (isDue(target, trial)) void tell(target, trial);
    },
    report: (): NotifyReport => ({
      targets: own().targets,
      notices: memory.queue
        .map(({ event }) => event)
        .filter((event) => event.node === node)
        .slice(0, MOST_NOTICES),
      told: memory.told,
      raised: names().length === 0 ? [] : [...raised].slice(0, MOST_RAISED),
    }),
    /** Sends a test to these targets of this node; empty: to all. */
    test: (wanted: string): Promise<TestedTarget[]> =>
      Promise.all(
        targets
          .filter(({ name }) => wanted === '' || name === wanted)
          .map(async (target): Promise<TestedTarget> => {
            const { name } = target;
            const trial = trials.get(name) ?? trialOf();
            const atMs = clock.nowMs();
            const problem = await attempt(target, trial, { told: [], dropped: 0, test: true });
            return { name, problem, tookMs: Math.round(clock.nowMs() - atMs) };
          }),
      ),
    /**
     * Tells these from now on. One that is the same object goes on as it was, another of its name is
     * tried at once; what waits for one that is gone is told to nobody by this node.
     */
    retarget(next: readonly Target[]): void {
      const before = targets;
      targets = next;
      for (const target of before.filter((one) => !next.includes(one))) {
        const { name } = target;
        problems.clear(`notify ${name}`);
        const trial = trials.get(name);
        if (trial !== undefined) Object.assign(trial, FRESH);
        if (!next.some((one) => one.name === name)) trials.delete(name);
      }
      for (const { name } of next) if (!trials.has(name)) trials.set(name, trialOf());
      changed();
    },
    stop: (): void => void (stopped = true),
  };
}
