import type { Status } from '../core/answers.ts';
import type { DrillAct, DrillMeans, DrillRecord, DrillSeenAct } from '../core/drill.ts';
import { drillKey, drillValue } from '../core/drill.ts';
import { pinKey, wish } from '../core/intents.ts';
import type { MovedAddress } from '../core/results.ts';
import { ActFailure, type ActResult } from '../core/results.ts';
import type { Report } from '../core/verbs.ts';
import { sessionsOn } from './cut-sessions.ts';
import type { DarkTimes } from './dark.ts';
import { drillTarget, type DrillTarget } from './drill-checks.ts';
import { restoreDrill } from './drill-restore.ts';
import { drillWatchers, type Figures } from './drill-watch.ts';
import { rehearsal } from './rehearsal.ts';
import { asFailure, result, stamped, steps, storeEverywhere, type Pair } from './pair.ts';

/** Beyond the time that the other node serves, a drill is over and put back within this, ms. */
const LONGEST_MS = 60_000;
/** How long whoever watches clients may take to say what they saw, once all is put back, ms. */
const SEEN_MS = 5000;

/** `drill` and `drillSeen` of this agent. */
export interface Drills {
  drill(act: DrillAct, report: Report): Promise<ActResult>;
  seen(act: DrillSeenAct): ActResult;
}

/**
 * Rehearsals on the pair itself: on record on every node before anything is touched, ended at once
 * when whoever watches clients says so, and everything put back whatever came of it. The verdict
 * rests on what clients saw: where nobody says it, it is none.
 */
export function drills(pair: Pair, now: () => Status): Drills {
  const watchers = drillWatchers(pair);
  return {
    seen: (act) => watchers.seen(act),
    async drill(act, report) {
      const startedAtMs = pair.clock.nowMs();
      const { header, kind } = act;
      const say = steps(pair.clock, report);
      const target = drillTarget(pair, act, now().alerts);
      const probes = await pair.clientPlaces(
        target.addresses.flatMap(({ vips }) => vips.slice(0, 1)),
      );
      const plan = { node: target.node, means: act.means, probes };
      const did: { means: DrillMeans | null } = { means: null };
      const taken = target.moving.length === 0 ? '' : ` and could take over from ${target.node}`;
      say('checking', `every node is in touch, serves${taken}`);
      if (header.dryRun)
        return result(pair, header, startedAtMs, {
          outcome: 'would-change',
          addresses: rows(pair, target, 'would-move', [], sessionsOn(pair, target.node)),
          drill: plan,
        });
      const sessions = sessionsOn(pair, target.node);
      const record = begun(pair, act, target);
      const store = (value: DrillRecord) =>
        storeEverywhere(
          pair,
          stamped(pair, header, [
            { key: drillKey(kind), value: drillValue(value), deleted: false, untilMs: null },
          ]),
        );
      const watched = watchers.watch(header.requestId);
      const refused = (await store(record)).find(({ ok }) => !ok);
      if (refused?.error) {
        await store({ ...record, ...over(pair, 'failed', refused.error.message) });
        watched.close();
        throw new ActFailure('failed', { ...refused.error });
      }
      say('begun', `on record on ${pair.members.map(({ node }) => node).join(', ')}`);

      const parts = { pair, act, target, say, did };
      const rehearsed = rehearsal(parts);
      // One that is given up goes on to its own end, which nobody waits for.
      rehearsed.catch(() => undefined);
      const outcome = await Promise.race([
        rehearsed.then(
          (dark) => ({ dark, failure: null }),
          (error: unknown) => ({ dark: NO_DARK, failure: asFailure(error) }),
        ),
        watched.stopped.then((why) => ({ dark: NO_DARK, failure: stoppedBy(why) })),
      ]);
      const { left, dark } = await restoreDrill(pair, record, header);
      say('restored', left === '' ? 'everything is as it was before' : left);
      const figures = await watched.figures(SEEN_MS);
      const failure = verdict(act, outcome.failure, figures, left);
      const state =
        figures === null && failure?.detail.code === 'not_watched'
          ? 'interrupted'
          : failure === null
            ? 'passed'
            : 'failed';
      await store({
        ...record,
        means: did.means,
        ...over(pair, state, failure?.detail.message ?? ''),
        darkMs: figures?.darkMs ?? null,
        sent: figures?.sent ?? null,
        lost: figures?.lost ?? null,
      });
      watched.close();
      return result(pair, header, startedAtMs, {
        outcome: failure?.outcome ?? 'reached',
        changed: left !== '',
        error: failure?.detail ?? null,
        nodes: pair.members.map(({ node }) => ({ node, ok: true, changed: false, error: null })),
        addresses: rows(
          pair,
          target,
          failure === null ? 'moved' : 'failed',
          [outcome.dark, dark],
          sessions,
        ),
        drill: { ...plan, means: did.means },
      });
    },
  };
}

const NO_DARK: DarkTimes = new Map();

const begun = (pair: Pair, act: DrillAct, { node, homes }: DrillTarget): DrillRecord => ({
  kind: act.kind,
  state: 'running',
  node,
  by: pair.node,
  means: null,
  startedWallMs: pair.clock.wallMs(),
  endedWallMs: null,
  deadlineWallMs: pair.clock.wallMs() + act.stayMs + LONGEST_MS,
  maxOutageMs: act.maxOutageMs,
  darkMs: null,
  sent: null,
  lost: null,
  why: '',
  homes,
});

const over = (pair: Pair, state: DrillRecord['state'], why: string) => ({
  state,
  why: why.slice(0, LONGEST_WHY),
  endedWallMs: pair.clock.wallMs(),
});
/** A decision has its length; homes are most of it. */
const LONGEST_WHY = 200;

const stoppedBy = (why: string): ActFailure =>
  new ActFailure('failed', {
    code: 'stopped',
    message: why,
    remediation: 'proxyctl history and proxyctl events say what happened meanwhile',
  });

/** Why it has not passed; null: it has. */
function verdict(
  { maxOutageMs }: DrillAct,
  failure: ActFailure | null,
  figures: Figures | null,
  left: string,
): ActFailure | null {
  if (left !== '')
    return new ActFailure('result-unknown', {
      code: 'not_restored',
      message: `not everything is as before: ${left}`,
      cause: failure?.detail.message ?? '',
      remediation: 'proxyctl status and proxyctl explain say what stands against it',
    });
  if (failure !== null) return failure;
  if (figures === null)
    return new ActFailure('failed', {
      code: 'not_watched',
      message: 'it was done and put back, and nobody said what clients saw',
      remediation: 'do it again, from a machine that stays connected',
    });
  if (figures.darkMs > maxOutageMs)
    return new ActFailure('failed', {
      code: 'outage',
      message: `clients waited ${Math.round(figures.darkMs)} ms, more than ${maxOutageMs} ms`,
      remediation: 'proxyctl history and proxyctl doctor; --max-outage sets the bound',
    });
  return null;
}

const rows = (
  pair: Pair,
  { node, moving }: DrillTarget,
  outcome: MovedAddress['outcome'],
  dark: readonly DarkTimes[],
  sessions: number | null,
): MovedAddress[] =>
  moving.map(({ address: { id, vhid, vips }, to }) => {
    const times = dark.flatMap((one) => one.get(id) ?? []);
    return {
      address: id,
      vhid,
      vips,
      from: node,
      to,
      outcome,
      darkMsMax: times.length === 0 ? null : Math.max(...times),
      sessions,
      pin: wish(pair.intents(), pinKey(id), pair.clock.wallMs()),
    };
  });
