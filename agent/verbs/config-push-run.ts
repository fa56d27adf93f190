import type { PushPrepare, PushReading } from '../core/deploy/push-messages.ts';
import {
  afterPushAnswers,
  beginPush,
  nextPushOrder,
  type PushAnswer,
  type PushOrder,
  type PushState,
} from '../core/deploy/push.ts';
import { isOpen } from '../core/health.ts';
import type { Member } from '../core/member.ts';
import { ActFailure } from '../core/results.ts';
import { asFailure, until, type Pair } from './pair.ts';

/** What came of a push: the machine's last state, and what each node said. */
export interface PushRun {
  readonly state: PushState;
  readonly prepared: ReadonlyMap<string, PushReading>;
  /** The first failure of each node. */
  readonly failures: ReadonlyMap<string, ActFailure>;
}

/** So long a node that was just changed may take to be reported as serving. */
const SERVES_MS = 10_000;

/**
 * Carries a push out on `members`, in the order in which they are changed. The machine decides;
 * this asks and listens. `told` hears of each step that is done.
 */
export async function runPush(
  pair: Pair,
  members: readonly Member[],
  prepare: PushPrepare,
  told: (order: PushOrder, run: PushRun) => void,
): Promise<PushRun> {
  const prepared = new Map<string, PushReading>();
  const failures = new Map<string, ActFailure>();
  let state = beginPush(members.map(({ node }) => node));
  const run = (): PushRun => ({ state, prepared, failures });
  const { pushId } = prepare;
  const act = async (member: Member, step: PushOrder['step']): Promise<void> => {
    if (step === 'prepare') prepared.set(member.node, await member.pushPrepare(prepare));
    else {
      if (step === 'install') await untilServing(pair, state.done);
      await member.pushStep(pushId, step);
    }
  };
  const ask = async (member: Member, step: PushOrder['step']): Promise<PushAnswer> => {
    const { node } = member;
    try {
      await act(member, step);
      return { node, kind: 'done' };
    } catch (error) {
      const failure = asFailure(error);
      if (!failures.has(node)) failures.set(node, failure);
      return { node, kind: lost(failure) ? 'lost' : 'refused' };
    }
  };
  pair.runningPushes.add(pushId);
  try {
    for (let order = nextPushOrder(state); order !== null; order = nextPushOrder(state)) {
      const { step, nodes } = order;
      const asked = members.filter(({ node }) => nodes.includes(node));
      // Of several at once this node's own note comes first: it decides after a crash.
      const mine = asked.filter(({ node }) => node === pair.node);
      const others = asked.filter((member) => !mine.includes(member));
      const answers = [
        ...(await Promise.all(mine.map((member) => ask(member, step)))),
        ...(await Promise.all(others.map((member) => ask(member, step)))),
      ];
      state = afterPushAnswers(state, answers);
      told(order, run());
    }
    if (state.end === 'refused' || state.end === 'rolled-back') await pair.forgetPush(pushId);
    return run();
  } finally {
    pair.runningPushes.delete(pushId);
  }
}

/** Its agent lives and says that its HAProxy is not as it was: that is a refusal, not a loss. */
const lost = ({ outcome, detail }: ActFailure): boolean =>
  detail.code !== 'not_put_back' && (outcome === 'unreachable' || outcome === 'result-unknown');

/** No node is touched before those that were serve again. Rejects with ActFailure. */
async function untilServing(pair: Pair, done: readonly string[]): Promise<void> {
  const closed = (): string | undefined =>
    done.find((node) => {
      const report = pair.view().find((one) => one.node === node)?.report ?? null;
      return report === null || !isOpen(report.health);
    });
  if (await until(pair, () => closed() === undefined, SERVES_MS)) return;
  const node = closed() ?? '';
  const reason = pair.view().find((one) => one.node === node)?.report?.healthReason ?? '';
  throw new ActFailure('failed', {
    code: 'not_serving',
    message: `nothing more is touched: ${node}, which has it, does not serve`,
    cause: reason,
    remediation: 'see proxyctl status and proxyctl explain',
  });
}
