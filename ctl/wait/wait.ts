import { setTimeout as sleep } from 'node:timers/promises';
import { ActFailure } from '../../agent/core/results.ts';
import type { Agent } from '../connect/client.ts';
import { asFailure } from '../failure.ts';
import type { Condition, Look } from './conditions.ts';

export interface Waiting {
  readonly conditions: readonly Condition[];
  readonly timeoutMs: number;
  /** Another agent where the one that was asked is gone. */
  readonly dial: () => Promise<Agent>;
  /** What is missing still, after each look. */
  readonly heard: (missing: readonly string[], waitedMs: number) => void;
}

/** Between two looks, ms: certificates cost a handshake with every listener. */
const EVERY_MS = { status: 500, servers: 500, certificates: 2000 } as const;
/** An agent is not asked more than a quarter of the time. */
const SHARE = 4;
/** Failures that waiting does not mend. */
const FINAL = new Set(['usage', 'not-found', 'not-authorised']);
const NOTHING: Look = { status: null, servers: null, certificates: null };

/**
 * Looks until every condition holds; how long that took, ms. An agent that goes away meanwhile is
 * dialled again. Rejects with ActFailure 'timeout' with what is missing, and at once with what can
 * never hold.
 */
export async function waitFor(
  first: Agent,
  { conditions, timeoutMs, dial, heard }: Waiting,
): Promise<number> {
  const startedMs = performance.now();
  const waited = (): number => Math.round(performance.now() - startedMs);
  const needs = new Set(conditions.map((one) => one.needs));
  const everyMs = Math.max(...[...needs].map((one) => EVERY_MS[one]));
  let agent: Agent | null = first;
  let missing: readonly string[] = ['no agent has answered'];
  const look = async (): Promise<readonly string[]> => {
    try {
      agent ??= await dial();
      const seen = await lookOnce(agent, needs);
      return conditions.flatMap((one) => one.missing(seen));
    } catch (error) {
      const failure = asFailure(error);
      if (FINAL.has(failure.outcome)) throw failure;
      if (agent !== first) agent?.close();
      agent = null;
      return [failure.detail.message];
    }
  };
  const over = new AbortController();
  const ended = sleep(timeoutMs, null, { signal: over.signal }).catch(() => null);
  try {
    for (;;) {
      const askedMs = performance.now();
      const now = await Promise.race([look(), ended]);
      if (now?.length === 0) return waited();
      missing = now ?? missing;
      heard(missing, waited());
      const restMs = Math.max(everyMs, (performance.now() - askedMs) * SHARE);
      if (now === null || waited() >= timeoutMs) throw ranOut(missing, timeoutMs);
      await sleep(Math.min(restMs, Math.max(0, timeoutMs - waited())));
    }
  } finally {
    over.abort();
    if (agent !== first) (agent as Agent | null)?.close();
  }
}

async function lookOnce(agent: Agent, needs: ReadonlySet<keyof Look>): Promise<Look> {
  const [status, servers, certificates] = await Promise.all([
    needs.has('status') ? agent.status() : null,
    needs.has('servers') ? agent.servers(null) : null,
    needs.has('certificates') ? agent.certificates(true) : null,
  ]);
  return { ...NOTHING, status, servers, certificates };
}

const TOLD = 5;

function ranOut(missing: readonly string[], timeoutMs: number): ActFailure {
  const more = missing.length > TOLD ? [`and ${missing.length - TOLD} more`] : [];
  return new ActFailure('timeout', {
    code: 'wait_ended',
    message: `not so after ${timeoutMs / 1000} s`,
    cause: [...missing.slice(0, TOLD), ...more].join('; '),
    remediation:
      'wait longer with --timeout; proxyctl status and proxyctl explain say what holds it',
    retryable: true,
  });
}
