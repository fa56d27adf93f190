import type { Start } from '../core/model.ts';
import { isSameStart } from '../core/peers.ts';
import { DOUBLE_MS, FORGOTTEN_MS, LOWER_EPOCH_MS } from '../core/timing.ts';

/** When messages of one start of an agent came; readings of this host's monotonic clock. */
interface Heard extends Start {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/**
 * By which start of its agent one peer speaks: what came from the peer itself, by epoch and what
 * was drawn at the start. An agent counts its starts upwards; after a new installation, or with a
 * clock behind, it begins lower; a copy, or a disk as it was before, may count the same again.
 */
export function epochs() {
  const heard = new Map<string, Heard>();

  /** For each two that were heard within `withinMs`: how long they went on side by side, and since when. */
  function sideBySide(withinMs: number, nowMs: number): { ms: number; sinceMs: number }[] {
    const lately = [...heard.values()].filter(({ lastAtMs }) => nowMs - lastAtMs < withinMs);
    return lately.flatMap((one, at) =>
      lately.slice(at + 1).map((other) => {
        const sinceMs = Math.max(one.firstAtMs, other.firstAtMs);
        return { ms: Math.min(one.lastAtMs, other.lastAtMs) - sinceMs, sinceMs };
      }),
    );
  }

  return {
    /** Something of that start came from the peer itself. */
    hear({ epoch, startId }: Start, nowMs: number): void {
      const key = `${epoch} ${startId}`;
      for (const [other, { lastAtMs }] of heard)
        if (other !== key && nowMs - lastAtMs >= FORGOTTEN_MS) heard.delete(other);
      const before = heard.get(key);
      heard.set(key, { epoch, startId, firstAtMs: before?.firstAtMs ?? nowMs, lastAtMs: nowMs });
    },
    /**
     * Whether a start with no higher epoch than the known one is the peer now: nothing of the known
     * one came for LOWER_EPOCH_MS, here or by the word of another (`relayedAtMs`).
     */
    replaces(known: Start, relayedAtMs: number | null, nowMs: number): boolean {
      const itself = [...heard.values()].filter((one) => isSameStart(one, known));
      const lastAtMs = Math.max(...itself.map((one) => one.lastAtMs), relayedAtMs ?? -Infinity);
      return nowMs - lastAtMs >= LOWER_EPOCH_MS;
    },
    /** One of them spoke again after another had begun, a moment ago: which of them the peer is cannot be told. */
    isUnclear: (nowMs: number): boolean => sideBySide(DOUBLE_MS, nowMs).some(({ ms }) => ms >= 0),
    /** Since when two of them go on side by side: two agents with one name. Null: one at most. */
    doubleSinceMs(nowMs: number): number | null {
      const since = sideBySide(FORGOTTEN_MS, nowMs).flatMap(({ ms, sinceMs }) =>
        ms >= DOUBLE_MS ? [sinceMs] : [],
      );
      return since.length === 0 ? null : Math.min(...since);
    },
  };
}

export type Epochs = ReturnType<typeof epochs>;
