import { sentence } from './core/words.ts';
import type { Log } from './log.ts';
import type { Notices } from './rpc/control.ts';

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
