import type { ActHeader } from '../core/acts.ts';
import { compareStamps, newestStamp, nextStamp, type Intents } from '../core/intents.ts';
import type { Member } from '../core/member.ts';
import type { Intent, NodeView, Policy } from '../core/model.ts';
import { ActFailure, type ActResult, type NodeOutcome } from '../core/results.ts';
import type { Report } from '../core/verbs.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';

/** The pair as verbs see it, from the agent that was asked. */
export interface Pair {
  readonly node: string;
  readonly name: string;
  readonly clock: Clock;
  readonly policy: Policy;
  /** Every configured node, this one first. */
  readonly members: readonly Member[];
  /** Every configured node as known now, this one first. */
  view(): readonly NodeView[];
  intents(): Intents;
  /** Swaps that this agent carries out now. */
  readonly runningSwaps: Set<string>;
  /** Pushes of a configuration that this agent carries out now. */
  readonly runningPushes: Set<string>;
  /** Request ids of the drills that this agent carries out now. */
  readonly runningDrills: Set<string>;
  /** Every node has confirmed that a swap was taken back. */
  forgetSwap(swapId: string): Promise<void>;
  /** The same of a push. */
  forgetPush(pushId: string): Promise<void>;
  /** The name a certificate's path here has on every node. */
  certificateName(path: string): string;
  /** What the last swap of a certificate replaced here; null where none is kept. */
  previousBundle(name: string): Promise<string | null>;
  /** HOST:PORT at which clients of these addresses are answered by this node's HAProxy; none where no file of it can be read. */
  clientPlaces(vips: readonly string[]): Promise<readonly string[]>;
  /** Called after every round of the loop; the returned function ends that. */
  onRound(listener: () => void): () => void;
}

/** How long a verb waits for the state it promises when the caller names no time, ms. */
const WAIT_MS = 10_000;

export const waitMs = (header: ActHeader): number => header.timeoutMs ?? WAIT_MS;

/** True once `holds` is true after some round; false when `timeoutMs` passed first. */
export function until(pair: Pair, holds: () => boolean, timeoutMs: number): Promise<boolean> {
  if (holds()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (value: boolean): void => {
      cancel();
      unsubscribe();
      resolve(value);
    };
    const cancel = pair.clock.after(timeoutMs, () => end(holds()));
    const unsubscribe = pair.onRound(() => {
      if (holds()) end(true);
    });
  });
}

/** Members whose agent is in touch now. */
export const present = (pair: Pair): Member[] =>
  pair.members.filter((member) => pair.view().some((v) => v.node === member.node && v.fresh));

/** Names of the configured nodes whose agent is not in touch. */
export const absent = (pair: Pair): string[] =>
  pair
    .view()
    .filter(({ fresh }) => !fresh)
    .map(({ node }) => node);

type Wish = Pick<Intent, 'key' | 'value' | 'deleted' | 'failback'> & {
  readonly untilMs: number | null;
};

/** Wishes stamped now, newer than everything known here. */
export function stamped(pair: Pair, header: ActHeader, wishes: readonly Wish[]): Intent[] {
  const wallMs = pair.clock.wallMs();
  let last = newestStamp(pair.intents(), wallMs);
  return wishes.map(({ untilMs, ...wish }) => {
    const stamp = nextStamp(last, wallMs, pair.node);
    last = stamp;
    return {
      ...wish,
      stamp,
      actor: header.actor,
      reason: header.reason,
      requestId: header.requestId,
      untilWallMs: untilMs === null ? null : wallMs + untilMs,
    };
  });
}

/** Stores on this node first, then on every other that is in touch; one outcome a node. */
export async function storeEverywhere(
  pair: Pair,
  intents: readonly Intent[],
): Promise<NodeOutcome[]> {
  const reachable = present(pair);
  const results = await Promise.all(
    pair.members.map(async ({ node }): Promise<NodeOutcome> => {
      const member = reachable.find((one) => one.node === node);
      if (member === undefined) return away(node);
      try {
        const { newer } = await member.storeIntents(intents);
        if (newer.length > 0) return failed(node, conflict(newer[0]));
        return { node, ok: true, changed: true, error: null };
      } catch (error) {
        return failed(node, error);
      }
    }),
  );
  return results;
}

/** What an operator reads when somebody else was quicker. */
function conflict(newer: Intent | undefined, otherwise = ''): ActFailure {
  const who = newer === undefined ? 'somebody else' : newer.actor;
  return new ActFailure('conflict', {
    code: 'newer_intent',
    message: `${newer?.key ?? 'this'} was changed by ${who} in the meantime`,
    remediation: `look at proxyctl status, then say it again if it is still wanted${otherwise}`,
    retryable: true,
  });
}

/**
 * Refuses when what the caller saw of these keys is no longer the newest that this agent knows.
 * A verb that has ended was stored on every node in touch, so any of them knows it; one that
 * another node stores at the same moment is refused by storeEverywhere. `stale-view` accepts it.
 */
export function refuseStale(pair: Pair, header: ActHeader, keys: readonly string[]): void {
  const { seen, acceptRisks } = header;
  if (seen === null || acceptRisks.includes('stale-view')) return;
  for (const key of keys) {
    const stored = pair.intents().get(key);
    if (stored !== undefined && compareStamps(stored.stamp, seen) > 0)
      throw conflict(stored, '; or accept it: --accept-risk=stale-view');
  }
}

/** The row of a node whose agent is not in touch. */
export const away = (node: string): NodeOutcome => ({
  node,
  ok: false,
  changed: false,
  error: {
    code: 'agent_unreachable',
    message: `the agent on ${node} does not answer`,
    cause: '',
    remediation: `on ${node}: service proxyagent status; it catches up when it is back`,
    retryable: true,
  },
});

/** A row for each configured node, of an act that had nothing to change. */
export function untouched(pair: Pair): NodeOutcome[] {
  const missing = absent(pair);
  return pair.members.map(({ node }) =>
    missing.includes(node) ? away(node) : { node, ok: true, changed: false, error: null },
  );
}

/** Throws ActFailure where a node in touch did not store it; one that is away catches up. */
export function refuseUnstored(nodes: readonly NodeOutcome[]): void {
  const refused = nodes.find(({ ok, error }) => !ok && error?.code !== 'agent_unreachable');
  if (refused?.error)
    throw new ActFailure(refused.error.code === 'newer_intent' ? 'conflict' : 'partial', {
      ...refused.error,
    });
}

/** Why a node gave no answer, on one line. */
export function whyOf(error: unknown): string {
  if (!(error instanceof ActFailure)) return sentence(error);
  const { message, cause } = error.detail;
  return cause === '' ? message : `${message}: ${cause}`;
}

/** The row of a node where something went wrong, in the operator's words. */
export function failed(node: string, error: unknown): NodeOutcome {
  return { node, ok: false, changed: false, error: asFailure(error).detail };
}

/** Anything caught, as the failure an operator can read. The one place that converts. */
export function asFailure(error: unknown): ActFailure {
  if (error instanceof ActFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ActFailure('failed', { code: 'failed', message }, { cause: error });
}

/** A result with everything empty that is not given. */
export function result(
  pair: Pair,
  header: ActHeader,
  startedAtMs: number,
  rest: Partial<ActResult> & Pick<ActResult, 'outcome'>,
): ActResult {
  return {
    changed: false,
    requestId: header.requestId,
    node: pair.node,
    tookMs: Math.round(pair.clock.nowMs() - startedAtMs),
    nodes: [],
    error: null,
    addresses: [],
    servers: [],
    certificates: [],
    ...rest,
  };
}

/** Times the steps of a verb and tells each once it is done. */
export function steps(clock: Clock, report: Report): (step: string, text: string) => void {
  let sinceMs = clock.nowMs();
  return (step, text) => {
    const nowMs = clock.nowMs();
    report({ step, text, tookMs: Math.round(nowMs - sinceMs) });
    sinceMs = nowMs;
  };
}

/** Throws ActFailure 'not-found', with the names there are, where no node is called so. */
export function requireNode(pair: Pick<Pair, 'members'>, name: string, remediation: string): void {
  const names = pair.members.map(({ node }) => node);
  if (names.includes(name)) return;
  throw new ActFailure('not-found', {
    code: 'no_such_node',
    message: `no node is called ${name}`,
    cause: `the nodes are ${names.join(', ')}`,
    remediation,
  });
}
