import type { DrillAct } from '../../agent/core/drill.ts';
import type { OwnerChange } from '../../agent/core/history.ts';
import { ActFailure, type ActResult, type Progress } from '../../agent/core/results.ts';
import type { Agent } from '../connect/client.ts';
import { newRequestId } from '../session.ts';
import type { Abort } from './aborts.ts';
import { targetOf } from './knock.ts';
import { startProbe, type Probe } from './probe.ts';
import { newChanges, type DrillReport, type DrillStep } from './report.ts';
import { endedWithout } from './without.ts';

export interface Drilling {
  readonly act: DrillAct;
  readonly abortOn: readonly Abort[];
  /** HOST:PORT or URLs; empty: where the agent says that clients are answered. */
  readonly probes: readonly string[];
  readonly report: (progress: Progress) => void;
  /** Resolves once the operator has agreed to what the dry run says. */
  readonly agreed: (plan: ActResult) => Promise<void>;
  /** From now on something may be different. */
  readonly begins: () => void;
  /** Another connection, after this one was lost. */
  readonly again: () => Promise<Agent>;
}

/** Each target is to answer within this before anything is touched, ms. */
const FIRST_MS = 3000;
/** How long clients are watched once all is put back, ms. */
const TAIL_MS = 500;
/** How often it is looked whether clients wait too long, ms. */
const LOOK_MS = 10;
/** How often alerts are looked at, ms. */
const ALERTS_MS = 250;

/**
 * Rehearses: asks the agent what it would do, watches clients from this machine, has the agent do
 * it and end it at once where they wait too long. Null for a dry run that was refused or asked for,
 * with what the agent said. Rejects with ActFailure where nothing was begun.
 */
export async function drilled(
  agent: Agent,
  drilling: Drilling,
): Promise<{ readonly result: ActResult; readonly report: DrillReport | null }> {
  const { act } = drilling;
  const { header } = act;
  const startedMs = performance.now();
  const dry = { ...act, header: { ...header, dryRun: true } };
  // What it says is said again by the drill itself.
  const said = header.dryRun ? drilling.report : () => undefined;
  const planned = await agent.drill(dry, said);
  if (planned.outcome !== 'would-change' || planned.drill === undefined || header.dryRun)
    return { result: planned, report: null };
  const { drill: plan } = planned;
  const targets = (drilling.probes.length > 0 ? drilling.probes : plan.probes).map(targetOf);
  if (targets.length === 0)
    throw new ActFailure('usage', {
      code: 'no_probe',
      message: 'nothing was rehearsed: it is not known where clients connect to',
      cause: `haproxy.conf on ${agent.name} has no bind on these addresses that can be understood`,
      remediation: 'name one: --probe 10.1.60.200:443',
    });
  await drilling.agreed(planned);
  const probe = startProbe(targets);
  try {
    const silent = await probe.first(FIRST_MS);
    if (silent.length > 0)
      throw new ActFailure('failed', {
        code: 'probe_unanswered',
        message: `nothing was rehearsed: no answer from ${silent.join(', ')} to this machine`,
        remediation: 'name what clients reach from here: --probe 10.1.60.200:443',
        retryable: true,
      });
    const before = (await agent.history([], null)).changes;
    const steps: DrillStep[] = [];
    const startedWallMs = Date.now();
    drilling.begins();
    const result = await watchedDrill(agent, drilling, plan.node, probe, (progress) => {
      steps.push({
        step: progress.step,
        text: progress.text,
        atMs: performance.now() - startedMs,
      });
    });
    probe.end();
    const history = await historySince(agent, drilling, before);
    const tookMs = performance.now() - startedMs;
    const state = stateOf(result);
    const clients = probe.seen();
    const facts = {
      act,
      plan: result.drill ?? plan,
      state,
      startedWallMs,
      tookMs,
      clients,
      steps,
      result,
      history,
    };
    return { result, report: facts };
  } finally {
    probe.end();
  }
}

/** The drill itself, ended early where clients wait too long or what else was asked for comes. */
async function watchedDrill(
  agent: Agent,
  { act, abortOn, report, again }: Drilling,
  expected: string,
  probe: Probe,
  noted: (progress: Progress) => void,
): Promise<ActResult> {
  const { maxOutageMs } = act;
  const lostBefore = probe.lost();
  let over = false;
  const tell = (stop: boolean, why: string): void => {
    const { sent, lost, darkMs } = probe.seen();
    const header = { ...act.header, requestId: newRequestId() };
    const id = act.header.requestId;
    const seen = { header, drill: id, stop, why, sent, lost, darkMs };
    // It may have ended, or the agent is gone: the drill's own answer tells.
    agent.drillSeen(seen, () => undefined).catch(() => undefined);
  };
  let stopped = false;
  const stop = (why: string): void => {
    if (stopped || over) return;
    stopped = true;
    tell(true, why);
  };
  const looking = setInterval(() => {
    const darkMs = probe.darkNow();
    if (darkMs > maxOutageMs)
      stop(`clients have waited ${Math.round(darkMs)} ms, more than ${maxOutageMs} ms`);
    else if (abortOn.includes('lost') && probe.lost() > lostBefore)
      stop('a client was not answered');
  }, LOOK_MS);
  const alerts = abortOn.includes('alert')
    ? setInterval(() => {
        void failingAlert(agent, expected).then((text) =>
          text === null ? undefined : stop(`alert: ${text}`.slice(0, LONGEST_WHY)),
        );
      }, ALERTS_MS)
    : undefined;
  try {
    return await agent.drill(act, (progress) => {
      noted(progress);
      report(progress);
      if (progress.step !== 'restored') return;
      // Clients that were cut off in the last moment are seen too.
      setTimeout(() => tell(false, ''), TAIL_MS);
    });
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    over = true;
    return await endedWithout(act, error, again);
  } finally {
    over = true;
    clearInterval(looking);
    clearInterval(alerts);
  }
}

/** The first alert of severity fail, but that `expected` has closed its frontends; null for none, and where nobody answers. */
async function failingAlert(agent: Agent, expected: string): Promise<string | null> {
  try {
    const { alerts } = await agent.status();
    const bad = alerts.find(
      ({ id, node, severity }) => severity === 'fail' && !(id === 'partly' && node === expected),
    );
    return bad?.text ?? null;
  } catch {
    return null;
  }
}

/** A reason on the wire has its length. */
const LONGEST_WHY = 200;

async function historySince(
  agent: Agent,
  { again }: Drilling,
  before: readonly OwnerChange[],
): Promise<OwnerChange[] | null> {
  try {
    const { changes } = await agent.history([], null);
    return newChanges(before, changes);
  } catch {
    try {
      const other = await again();
      const { changes } = await other.history([], null).finally(() => other.close());
      return newChanges(before, changes);
    } catch {
      return null;
    }
  }
}

const stateOf = ({ outcome, error }: ActResult): DrillReport['state'] => {
  if (outcome === 'reached') return 'passed';
  if (error?.code === 'cut_short' || error?.code === 'not_watched') return 'interrupted';
  return outcome === 'result-unknown' ? 'unknown' : 'failed';
};
