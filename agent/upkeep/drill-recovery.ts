import type { ActHeader } from '../core/acts.ts';
import { drillKey, drillsIn, drillValue, lastDrills, type LastDrill } from '../core/drill.ts';
import type { Log } from '../log.ts';
import { memberOf, restoreDrill, unpin } from '../verbs/drill-restore.ts';
import { stamped, storeEverywhere, type Pair } from '../verbs/pair.ts';

/** After its start an agent waits so long for the others before it puts back what it can, ms. */
const PATIENCE_MS = 5000;

/**
 * Puts back what a drill has left whose agent ended in the middle of it: that agent itself once it
 * is back and has met the others; until then every other one takes the drill's pins back, and opens
 * the frontends it has closed, as soon as it does not hear it. The returned function ends that.
 */
export function recoverDrills(pair: Pair, log: Pick<Log, 'warn'>): () => void {
  const startedAtMs = pair.clock.nowMs();
  const seen = new Set<string>();
  const look = (): void => {
    for (const drill of lastDrills(drillsIn(pair.intents()), 0)) {
      const { state, requestId, by } = drill;
      if (state !== 'running' || pair.runningDrills.has(requestId) || seen.has(requestId)) continue;
      const views = pair.view();
      if (by === pair.node) {
        const met = views.every(({ fresh, report }) => fresh && report?.joined === true);
        if (!met && pair.clock.nowMs() - startedAtMs < PATIENCE_MS) continue;
        seen.add(requestId);
        log.warn('drill', { kind: drill.kind, request: requestId }, 'a drill was cut short here');
        void end(pair, drill).catch(() => undefined);
      } else if (views.some(({ node, fresh }) => node === by && !fresh)) {
        seen.add(requestId);
        void unpin(pair, headerOf(drill)).catch(() => undefined);
        if (drill.kind === 'haproxy' && drill.node === pair.node)
          void memberOf(pair, pair.node)
            .openFrontends()
            .catch(() => undefined);
      }
    }
  };
  look();
  return pair.onRound(look);
}

async function end(pair: Pair, drill: LastDrill): Promise<void> {
  const header = headerOf(drill);
  const { left } = await restoreDrill(pair, drill, header);
  const { actor: _actor, reason: _reason, requestId: _request, ...record } = drill;
  const why = `the agent on ${pair.node} ended in the middle of it`;
  const value = drillValue({
    ...record,
    state: 'interrupted',
    endedWallMs: pair.clock.wallMs(),
    why: left === '' ? `${why}; everything is as before` : `${why}; ${left}`,
  });
  await storeEverywhere(
    pair,
    stamped(pair, header, [{ key: drillKey(drill.kind), value, deleted: false, untilMs: null }]),
  );
}

const headerOf = ({ requestId, actor, reason }: LastDrill): ActHeader => ({
  requestId,
  actor,
  reason,
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
});
