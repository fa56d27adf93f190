import { withoutKeyAuthorization } from './core/challenge.ts';
import type { Intent } from './core/model.ts';
import { sentence } from './core/words.ts';
import type { Log } from './log.ts';
import type { Notices } from './rpc/control-service.ts';

/** What a listener cannot answer for, in the agent's log. */
export const serverNotices = (log: Log): Notices => ({
  refused: (who, method, reason) =>
    log.warn('alert', { id: 'refused-client', subject: who, method }, reason),
  failed: (method, error) =>
    log.error(
      'internal-error',
      { method, stack: error instanceof Error ? error.stack : '' },
      sentence(error),
    ),
});

/** One line an intent that is new here; a key authorization is left out. */
export function logIntents(log: Log, taken: readonly Intent[]): void {
  for (const intent of taken) {
    const { key, value, deleted, actor, requestId } = withoutKeyAuthorization(intent);
    log.info('intent-stored', { key, value, deleted, actor, request_id: requestId }, key);
  }
}
