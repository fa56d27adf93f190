import { createHash } from 'node:crypto';
import type { GossipMessage } from '../core/gossip.ts';
import { inParts } from '../core/intent-limits.ts';
import { digestText, mergeIntents, repaired, whyRefused } from '../core/intents.ts';
import type { Intents, Merge } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import type { Peer } from './peer.ts';
import type { Clock } from '../sys/clock.ts';

/** Two lists of intents cross the wire at most this often per peer. */
const INTENTS_INTERVAL_MS = 200;
/** What is refused of a peer is said at most this often. */
const SAY_MS = 60_000;

/** Whose intents they were, and whether its gossip brought them or it asked for them to be stored. */
export interface IntentSource {
  readonly from: string;
  readonly how: 'gossip' | 'stored';
}

/** What of the options of gossip is needed here; their promises stand there. */
interface SharedIntentsOptions {
  readonly clock: Clock;
  readonly transport: { send(node: string, message: GossipMessage): boolean };
  readonly intents: Intents;
  readonly onIntents: (intents: Intents, taken: readonly Intent[], source: IntentSource) => void;
  readonly onChange: () => void;
  readonly onRefused: (node: string, cause: string) => void;
}

/** The intents of the pair as this node has them: what is told to peers, and what is taken of them. */
export function sharedIntents(options: SharedIntentsOptions) {
  const { clock, transport } = options;
  const refusedAtMs = new Map<string, number>();
  let intents = repaired([...options.intents.values()], clock.wallMs());
  let digest = digestOf(intents);

  /** Once a minute of each peer: what it offers again and again would fill the log. */
  function sayRefused(from: string, refused: readonly Intent[], wallMs: number): void {
    const [first] = refused;
    const saidMs = refusedAtMs.get(from);
    if (first === undefined || (saidMs !== undefined && clock.nowMs() - saidMs < SAY_MS)) return;
    refusedAtMs.set(from, clock.nowMs());
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
    options.onRefused(from, `${whyRefused(first, wallMs)}${more}`);
  }

  return {
    all: (): Intents => intents,
    /** The same wherever the intents are the same. */
    digest: (): string => digest,
    /** Everything to one peer, not more often than it can be of use. */
    send(peer: Peer): void {
      const nowMs = clock.nowMs();
      if (peer.intentsSentAtMs !== null && nowMs - peer.intentsSentAtMs < INTENTS_INTERVAL_MS)
        return;
      peer.intentsSentAtMs = nowMs;
      for (const part of inParts(intents.values()))
        transport.send(peer.node, { kind: 'intents', intents: part });
    },
    /** Merges what `from` offers; new ones are told through onIntents, refused ones said. */
    take(from: string, offered: readonly Intent[], how: IntentSource['how']): Merge {
      const wallMs = clock.wallMs();
      const merge = mergeIntents(intents, offered, wallMs);
      sayRefused(from, merge.refused, wallMs);
      if (merge.taken.length > 0 || merge.intents.size !== intents.size) {
        intents = merge.intents;
        digest = digestOf(intents);
        options.onIntents(intents, merge.taken, { from, how });
        options.onChange();
      }
      return merge;
    },
  };
}

const digestOf = (intents: Intents): string =>
  createHash('sha256').update(digestText(intents)).digest('hex');
