import { messageJson, type NotifyMessage } from '../core/notify/notify-message.ts';
import { run } from './run.ts';

/** Runs a program with the message as JSON on its standard input. Rejects with one sentence. */
export const exec =
  (options: { readonly command: readonly string[]; readonly timeoutMs: number }) =>
  (message: NotifyMessage): Promise<void> =>
    run(options.command, `${JSON.stringify(messageJson(message))}\n`, options.timeoutMs);
