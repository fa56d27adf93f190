import type { Before } from '../core/deploy/push-messages.ts';
import { missingOf, type Missing } from '../core/deploy/served.ts';
import type { AppliedIntent, HaproxyReport } from '../core/model.ts';
import type { ListenerAnswer } from '../haproxy/listener.ts';
import type { Clock } from '../sys/clock.ts';
import { failure } from './failure.ts';

/** HAProxy before, and as it has to be after a reload. */
export interface Served {
  /** Read anew. */
  now(): Promise<HaproxyReport>;
  /** Reloads, and resolves once a new process serves all that the old one did. Rejects with ActFailure. */
  reload(before: Before, settleMs: number): Promise<void>;
  /** The same; a process that has come since is not replaced once more. */
  again(before: Before, settleMs: number): Promise<void>;
  /** The same once the old file is there again; a process that was never replaced is left alone. */
  restore(before: Before, settleMs: number): Promise<void>;
}

export interface ServedParts {
  readonly node: string;
  readonly haproxy: {
    report(): HaproxyReport;
    applied(): readonly AppliedIntent[];
    reread(): Promise<void>;
  };
  /** `haproxy.reload` of agent.toml. */
  readonly command: () => Promise<unknown>;
  /** A request to its listeners, as the file on disk names them now. */
  readonly knock: () => Promise<ListenerAnswer>;
  readonly clock: Clock;
}

/** For another process to answer, and to have its frontends open. */
const ANSWERS_MS = 10_000;
const LOOK_MS = 200;

export function served({ node, haproxy, command, knock, clock }: ServedParts): Served {
  const now = async (): Promise<HaproxyReport> => {
    await haproxy.reread();
    return haproxy.report();
  };
  /** Until nothing is missing; `isNew`: of another process than before. */
  async function verify(before: Before, settleMs: number, isNew: boolean): Promise<void> {
    const startMs = clock.nowMs();
    let missing: Missing = { process: '', settling: '' };
    for (;;) {
      missing = missingOf(before, await now(), haproxy.applied(), isNew);
      if (missing.process === '' && missing.settling === '') {
        const answer = await knock();
        if (answer.kind !== 'refused' && answer.kind !== 'silent') return;
        missing = { process: `${answer.at} is ${answer.kind}`, settling: '' };
      }
      const limitMs = missing.process === '' ? Math.max(settleMs, ANSWERS_MS) : ANSWERS_MS;
      if (clock.nowMs() - startMs >= limitMs) break;
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
    }
    const { process, settling } = missing;
    throw failure(
      'failed',
      process === '' ? 'not_settled' : 'not_served',
      `HAProxy on ${node} does not serve as before after its reload`,
      {
        cause: process === '' ? settling : process,
        remediation:
          process === ''
            ? 'look why with proxyctl servers, or give it longer: --settle'
            : `on ${node}: what service haproxy reload and its log say`,
      },
    );
  }
  async function again(before: Before, settleMs: number, isNew: boolean): Promise<void> {
    try {
      await command();
    } catch (error) {
      throw failure('failed', 'reload_failed', `HAProxy on ${node} was not reloaded`, {
        cause: error instanceof Error ? error.message : String(error),
        remediation: `on ${node}: what service haproxy reload and its log say`,
      });
    }
    await verify(before, settleMs, isNew);
  }
  return {
    now,
    reload: (before, settleMs) => again(before, settleMs, true),
    async again(before, settleMs) {
      const { pid, state } = await now();
      if (state === 'up' && pid !== before.pid) await verify(before, settleMs, true);
      else await again(before, settleMs, true);
    },
    async restore(before, settleMs) {
      const { pid, state } = await now();
      if (state === 'up' && pid === before.pid) return;
      await again({ ...before, pid }, settleMs, state === 'up');
    },
  };
}
