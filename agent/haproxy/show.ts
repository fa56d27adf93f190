import { SHOW_LIMIT, showCommand, type ShowReply } from '../core/show-commands.ts';
import { readReply } from './runtime.ts';

/** For a reading an operator asked for, ms. */
const DEADLINE_MS = 4000;

/**
 * Replies to commands that core/show-commands.ts lets through, one at a time
 * (HAProxy accepts ten connections over all its stats sockets) and beside the
 * agent's own: nothing of the agent waits for them. Rejects with ActFailure
 * 'usage' or RuntimeError.
 */
export function showing(socketPath: () => string): (command: string) => Promise<ShowReply> {
  let last: Promise<unknown> = Promise.resolve();
  return async (command) => {
    const { text } = showCommand([command]);
    const next = last.then(() => readReply(socketPath(), text, DEADLINE_MS, SHOW_LIMIT));
    last = next.catch(() => undefined);
    return next;
  };
}
