import { ActFailure, type ActError, type Outcome } from '../core/results.ts';

/** Builds the refusals of one node's part of a swap. */
export const refuse = (
  outcome: Outcome,
  code: string,
  message: string,
  cause = '',
  remediation = '',
  retryable = false,
): ActFailure => new ActFailure(outcome, { code, message, cause, remediation, retryable });

/**
 * Whatever was caught while doing `what`, as an ActFailure. HAProxy echoes parts of what it does
 * not understand, so text that repeats a line of one of `secrets` (PEM) is withheld, and with it
 * the original error.
 */
export function asFailure(what: string, caught: unknown, secrets: readonly string[]): ActFailure {
  const failure = caught instanceof ActFailure ? caught : null;
  const detail: ActError = failure?.detail ?? {
    code: 'swap_failed',
    message: `${what}: ${caught instanceof Error ? caught.message : String(caught)}`,
    cause: '',
    remediation: '',
    retryable: false,
  };
  if (repeats(everyText(caught) + JSON.stringify(detail), secrets))
    return refuse(
      failure?.outcome ?? 'failed',
      detail.code,
      `${what}: failed`,
      'the answer repeats parts of the bundle and is withheld',
      detail.remediation,
    );
  if (failure !== null) return failure;
  return new ActFailure('failed', detail, { cause: caught });
}

/** Messages and stacks of an error and of all its causes. */
function everyText(caught: unknown): string {
  if (!(caught instanceof Error)) return String(caught);
  const cause = caught.cause === undefined ? '' : everyText(caught.cause);
  return `${caught.message}\n${caught.stack ?? ''}\n${cause}`;
}

/** Sixteen characters are enough to know a line of base64, and few enough to know a cut one. */
function repeats(text: string, secrets: readonly string[]): boolean {
  const lines = secrets.flatMap((pem) => pem.split('\n').filter((line) => !line.includes('-----')));
  return lines.some((line) => line.length >= 16 && text.includes(line.slice(0, 16)));
}
