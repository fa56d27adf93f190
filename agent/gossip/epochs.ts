import { DOUBLE_MS, FORGOTTEN_MS, LOWER_EPOCH_MS } from '../core/timing.ts';

/** When messages of one start of an agent came; readings of this host's monotonic clock. */
interface Heard {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/**
 * By which start of its agent one peer speaks: what came from the peer itself, by epoch. An agent
 * counts its starts upwards; after a new installation, or with a clock behind, it begins lower.
 */
export function epochs() {
  const heard = new Map<number, Heard>();
  return {
    /** Something of that start came from the peer itself. */
    hear(epoch: number, nowMs: number): void {
      for (const [other, { lastAtMs }] of heard)
        if (other !== epoch && nowMs - lastAtMs >= FORGOTTEN_MS) heard.delete(other);
      const before = heard.get(epoch);
      heard.set(epoch, { firstAtMs: before?.firstAtMs ?? nowMs, lastAtMs: nowMs });
    },
    /**
     * Whether a start with a lower epoch than the known one is the peer now: nothing of the known
     * one came for LOWER_EPOCH_MS, here or by the word of another (`relayedAtMs`).
     */
    replaces(known: number, relayedAtMs: number | null, nowMs: number): boolean {
      const lastAtMs = Math.max(heard.get(known)?.lastAtMs ?? -Infinity, relayedAtMs ?? -Infinity);
      return nowMs - lastAtMs >= LOWER_EPOCH_MS;
    },
    /** Since when two of them go on side by side: two agents with one name. Null: one at most. */
    doubleSinceMs(nowMs: number): number | null {
      const lately = [...heard.values()].filter(({ lastAtMs }) => nowMs - lastAtMs < FORGOTTEN_MS);
      const since = lately.flatMap((one, at) =>
        lately.slice(at + 1).flatMap((other) => {
          const sinceMs = Math.max(one.firstAtMs, other.firstAtMs);
          const both = Math.min(one.lastAtMs, other.lastAtMs) - sinceMs;
          return both >= DOUBLE_MS ? [sinceMs] : [];
        }),
      );
      return since.length === 0 ? null : Math.min(...since);
    },
  };
}

export type Epochs = ReturnType<typeof epochs>;
