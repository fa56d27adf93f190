import type { GossipMessage } from '../core/gossip.ts';
import type { Clock } from '../sys/clock.ts';

export interface Outbox {
  push(message: GossipMessage): void;
  /** Calls back once everything pushed until now has been written. */
  whenEmpty(then: () => void): void;
  stop(): void;
}

/**
 * What waits to be written to one peer. One message is in flight at a time; of
 * heartbeats, of reports of one node and of intents from one key on, only the newest waits, everything else
 * waits in order. `write` must call back once the connection took the message;
 * if it does not for `stallMs`, `stalled` is called and nothing more happens.
 * A report's age counts on while it waits.
 */
export function createOutbox(options: {
  readonly clock: Clock;
  readonly stallMs: number;
  readonly write: (message: GossipMessage, done: () => void) => void;
  readonly stalled: () => void;
}): Outbox {
  const { clock } = options;
  let waiting: { key: string; message: GossipMessage; atMs: number }[] = [];
  let cancelStall: (() => void) | null = null;
  let empty: (() => void) | null = null;
  let stopped = false;

  const next = () => {
    if (stopped || cancelStall !== null) return;
    const first = waiting.shift();
    if (first === undefined) {
      empty?.();
      empty = null;
      return;
    }
    cancelStall = clock.after(options.stallMs, () => {
      stopped = true;
      options.stalled();
    });
    options.write(aged(first.message, clock.nowMs() - first.atMs), () => {
      cancelStall?.();
      cancelStall = null;
      next();
    });
  };

  return {
    push(message) {
      const item = { key: supersededBy(message), message, atMs: clock.nowMs() };
      const older = waiting.findIndex(({ key }) => key !== '' && key === item.key);
      if (older < 0) waiting.push(item);
      else waiting[older] = item;
      next();
    },
    whenEmpty(then) {
      empty = then;
      next();
    },
    stop() {
      stopped = true;
      waiting = [];
      cancelStall?.();
    },
  };
}

/** Messages with the same key replace each other while they wait; empty: never replaced. */
function supersededBy(message: GossipMessage): string {
  if (message.kind === 'heartbeat' || message.kind === 'hello') return message.kind;
  // The whole list is said each time, in parts: a newer one from the same place on tells all of it.
  if (message.kind === 'intents') return `intents ${message.intents[0]?.key ?? ''}`;
  return message.kind === 'report' ? `report ${message.report.node}` : '';
}

const aged = (message: GossipMessage, waitedMs: number): GossipMessage =>
  message.kind === 'report' ? { ...message, ageMs: message.ageMs + waitedMs } : message;
