import { ActFailure } from '../core/results.ts';
import { type SwapPrepare, type SwapReading } from '../core/certs/swap-messages.ts';
import { certificateKey } from '../core/intents.ts';
import type { Intent, Stamp } from '../core/model.ts';
import { afterAnswers, beginSwap, nextOrder, type SwapAnswer } from '../core/certs/swap.ts';
import type { SwapOrder, SwapState } from '../core/certs/swap.ts';
import type { Member } from '../core/member.ts';
import { asFailure, type Pair } from './pair.ts';

/** What came of a swap: the machine's last state, and what each node said. */
export interface SwapRun {
  readonly state: SwapState;
  /** Answers to prepare, then to commit. */
  readonly prepared: ReadonlyMap<string, SwapReading>;
  readonly committed: ReadonlyMap<string, SwapReading>;
  /** The last failure of each node; one that was put back again is not in it. */
  readonly failures: ReadonlyMap<string, ActFailure>;
}

/**
 * Carries a swap out on `members`, in the order in which they commit. The machine decides; this
 * asks and listens. `store` makes the decision durable before any journal is closed; when it
 * rejects the journals stay open and every agent brings the swap to its end from them.
 */
export async function runSwap(
  pair: Pair,
  members: readonly Member[],
  prepare: SwapPrepare,
  told: (order: SwapOrder, run: SwapRun) => void,
  store: (run: SwapRun) => Promise<void>,
): Promise<SwapRun> {
  const prepared = new Map<string, SwapReading>();
  const committed = new Map<string, SwapReading>();
  const failures = new Map<string, ActFailure>();
  let state = beginSwap(members.map(({ node }) => node));
  const run = (): SwapRun => ({ state, prepared, committed, failures });
  const { swapId } = prepare;
  const ask = async (member: Member, step: SwapOrder['step']): Promise<SwapAnswer> => {
    const { node } = member;
    try {
      if (step === 'prepare') prepared.set(node, await member.swapPrepare(prepare));
      else if (step === 'commit') committed.set(node, await member.swapCommit(swapId));
      else if (step === 'finish') await member.swapFinish(swapId);
      else await member.swapAbort(swapId);
      return { node, kind: 'done' };
    } catch (error) {
      const failure = asFailure(error);
      // A node that does not know the swap has put itself back already, or never began.
      if (step === 'abort' && failure.outcome === 'not-found') return { node, kind: 'done' };
      if (step !== 'abort' || !failures.has(node)) failures.set(node, failure);
      return { node, kind: lost(failure) ? 'lost' : 'refused' };
    }
  };
  pair.runningSwaps.add(swapId);
  try {
    for (let order = nextOrder(state); order !== null; order = nextOrder(state)) {
      const { step, nodes } = order;
      const asked = members.filter(({ node }) => nodes.includes(node));
      if (step === 'finish') await store(run());
      // The note that it is taken back is on this node's disk before another hears of it.
      const mine = step === 'abort' ? asked.filter(({ node }) => node === pair.node) : [];
      const others = asked.filter((member) => !mine.includes(member));
      const first = await Promise.all(mine.map((member) => ask(member, step)));
      const rest = await Promise.all(others.map((member) => ask(member, step)));
      state = afterAnswers(state, [...first, ...rest]);
      told(order, run());
    }
    if (state.lost.length === 0 && (state.end === 'refused' || state.end === 'rolled-back'))
      await pair.forgetSwap(swapId);
    return run();
  } finally {
    pair.runningSwaps.delete(swapId);
  }
}

/** Its agent lives and says that its HAProxy does not: that is a refusal, not a loss. */
const lost = ({ outcome, detail }: ActFailure): boolean =>
  detail.code !== 'not_put_back' && (outcome === 'unreachable' || outcome === 'result-unknown');

/** The intents that a swap becomes: the same on whichever node they are made. */
export function swapIntents(
  certificates: readonly { readonly name: string; readonly sha256: string }[],
  swap: {
    readonly swapId: string;
    readonly stamp: Stamp;
    readonly actor: string;
    readonly reason: string;
  },
): Intent[] {
  const byName = new Map(certificates.map(({ name, sha256 }) => [name, sha256]));
  return [...byName].map(([name, sha256]) => ({
    key: certificateKey(name),
    value: sha256,
    deleted: false,
    stamp: swap.stamp,
    actor: swap.actor,
    reason: swap.reason,
    requestId: swap.swapId,
    untilWallMs: null,
  }));
}
