import { ActFailure } from '../agent/core/results.ts';
import { envelopeText } from './json/envelope.ts';
import { failureText } from './failure.ts';
import { streams } from './streams.ts';

/** What runs while Ctrl-C may come. */
export interface Running {
  readonly verb: string;
  readonly requestId: string;
  readonly output: 'table' | 'json';
  /** The agent has been asked: it goes on without us. */
  readonly acting: boolean;
}

let running: Running | null = null;

/** Says what runs; null: nothing that an interrupt could leave open. */
export function mayBeInterrupted(now: Running | null): void {
  running = now;
}

/**
 * SIGINT, SIGTERM and SIGHUP: exit 130 before anything was asked, 7 after. SIGQUIT too, which
 * would leave a core file: in a push it would hold the key.
 */
export function listenForInterrupts(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)
    process.on(signal, () => process.exit(interrupted(running)));
}

function interrupted(now: Running | null): number {
  if (now === null) return 130;
  const { verb, requestId, output, acting } = now;
  const { detail } = new ActFailure(acting ? 'result-unknown' : 'failed', {
    code: 'interrupted',
    message: acting ? 'interrupted: the agent goes on' : 'interrupted before anything was asked',
    remediation: acting ? `ask again with --request-id ${requestId}, or proxyctl status` : '',
    retryable: true,
  });
  if (output === 'json')
    streams.out(
      envelopeText({
        verb,
        ok: false,
        changed: false,
        requestId,
        answeredBy: null,
        tookMs: 0,
        result: null,
        nodes: [],
        error: detail,
      }),
    );
  else if (acting) streams.err(`\n${failureText(detail)}`);
  return acting ? 7 : 130;
}
