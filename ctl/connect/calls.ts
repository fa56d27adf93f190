import type { proxyctl as wire } from '../../proto/gen/messages.js';
import { proxyctl } from '../../proto/gen/messages.js';
import type { ActFailure, ActResult } from '../../agent/core/results.ts';
import type { Report } from '../../agent/core/verbs.ts';
import { sentence } from '../../agent/core/words.ts';
import { failureFromStatus } from '../../agent/wire/failed-calls.ts';
import { progressFromWire, resultFromWire } from '../../agent/wire/results.ts';
import { CallError, type Channel } from './grpc.ts';
import { notUnderstood } from './not-understood.ts';

const READ_MS = 5000;
/** Beyond what the agent itself waits, for the way there and back. */
const SLACK_MS = 5000;
/** An agent's own limit where the caller names none. */
export const AGENT_MS = 60_000;

/** The kinds of calls to one agent: what is asked, what is understood, and how a failure is said. */
export function callsTo(name: string, channel: Channel) {
  const failed = (error: unknown, what: string, changes: boolean): ActFailure =>
    error instanceof CallError
      ? failureFromStatus(error, { peer: name, name: what, changes })
      : notUnderstood(what, sentence(error), changes);

  /** A call that only reads: one message there, one back or several. */
  async function asks<T>(
    what: string,
    path: string,
    request: Uint8Array,
    understand: (replies: readonly Buffer[]) => T,
    withinMs = READ_MS,
  ): Promise<T> {
    const replies: Buffer[] = [];
    try {
      await channel.call(path, [request], withinMs, (bytes) => replies.push(bytes));
      if (replies.length === 0) throw new Error('an empty answer');
      return understand(replies);
    } catch (error) {
      throw failed(error, what, false);
    }
  }

  const ask = <T>(
    what: string,
    path: string,
    request: Uint8Array,
    understand: (reply: Buffer) => T,
    withinMs = READ_MS,
  ): Promise<T> =>
    asks(what, path, request, ([reply = Buffer.alloc(0)]) => understand(reply), withinMs);

  async function act(
    what: string,
    path: string,
    messages: readonly Uint8Array[],
    timeoutMs: number | null,
    report: Report,
  ): Promise<ActResult> {
    let result: ActResult | null = null;
    let wrong: unknown = null;
    const read = (bytes: Buffer): void => {
      try {
        const event: wire.v1.Event = proxyctl.v1.Event.decode(bytes);
        if (event.progress) report(progressFromWire(event.progress));
        if (event.result) result = resultFromWire(event.result, Date.now());
      } catch (error) {
        wrong = error;
      }
    };
    try {
      await channel.call(path, messages, (timeoutMs ?? AGENT_MS) + SLACK_MS, read);
    } catch (error) {
      // What the agent said before the connection went is still true.
      if (result === null) throw failed(error, what, true);
    }
    if (result !== null) return result;
    throw notUnderstood(what, wrong === null ? 'it ended without a result' : sentence(wrong), true);
  }

  return { ask, asks, act };
}
