import type { ServersAnswer } from '../core/answers.ts';
import type { LinesAnswer } from '../core/lines.ts';
import type { Clock } from '../sys/clock.ts';
import { rateKey, type Looked } from './picture.ts';
import { layOut } from './server-rows.ts';

export interface LookSource {
  readonly clock: Clock;
  /** Of every node; asks its HAProxy. */
  readonly servers: () => Promise<ServersAnswer>;
  /** The last events of every node; reads their records. */
  readonly events: () => Promise<LinesAnswer>;
}

/** However many look, nodes are asked no more often than this, ms. */
const EVERY_MS = 2000;
/** What takes long is asked so much less often: for a tenth of the time at most, */
const SHARE = 10;
/** but at least this often, ms. */
const AT_LEAST_MS = 20_000;
/** A rate is made of two readings that are no further apart, ms. */
const RATE_MS = 30_000;
/** Who asks for the page waits no longer than this for nodes that do not answer, ms. */
const WAIT_MS = 2000;

/** What has to be asked of the nodes, once for all who look, and only while somebody does. */
export function looking({ clock, servers, events }: LookSource): {
  /** As last asked; asks nobody. */
  readonly latest: () => Looked;
  /** Resolves once what is known is as new as it gets, or after WAIT_MS with what there is. Never rejects. */
  readonly look: () => Promise<void>;
} {
  let latest: Looked = { servers: null, rates: new Map(), events: null };
  let before: { readonly totals: ReadonlyMap<string, number>; readonly atMs: number } | null = null;
  let nextMs = -Infinity;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    const startedMs = clock.nowMs();
    const [list, lines] = await Promise.all([known(servers), known(events)]);
    const atMs = clock.nowMs();
    nextMs = startedMs + Math.min(AT_LEAST_MS, Math.max(EVERY_MS, SHARE * (atMs - startedMs)));
    const rates = new Map<string, number>();
    if (list !== null) {
      await layOut(list);
      const totals = totalsOf(list);
      const overMs = before === null ? Infinity : atMs - before.atMs;
      if (before !== null && overMs > 0 && overMs <= RATE_MS)
        for (const [key, total] of totals) {
          const was = before.totals.get(key);
          // A new process of HAProxy counts from 0 again.
          if (was !== undefined && total >= was) rates.set(key, ((total - was) * 1000) / overMs);
        }
      before = { totals, atMs };
    }
    latest = { servers: list ?? latest.servers, rates, events: lines ?? latest.events };
  }

  return {
    latest: () => latest,
    look() {
      if (asking === null && clock.nowMs() < nextMs) return Promise.resolve();
      asking ??= ask().finally(() => (asking = null));
      const asked = asking;
      return new Promise((resolve) => {
        const cancel = clock.after(WAIT_MS, resolve);
        const end = (): void => {
          cancel();
          resolve();
        };
        asked.then(end, end);
      });
    },
  };
}

/** Each says itself which node does not answer; null: not even that. */
async function known<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch {
    return null;
  }
}

const totalsOf = ({ nodes }: ServersAnswer): Map<string, number> =>
  new Map(
    nodes.flatMap(({ node, servers }) =>
      servers.map(({ backend, name, total }) => [rateKey(node, backend, name), total] as const),
    ),
  );
