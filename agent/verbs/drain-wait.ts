import type { ServersAct } from '../core/acts.ts';
import { ActFailure, type ActError, type ActResult, type NodeOutcome } from '../core/results.ts';
import { lookRemedy } from '../core/older.ts';
import type { ServerTarget } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import type { Report } from '../core/verbs.ts';
import { unseenOn } from './behind.ts';
import { failed, waitMs, type Pair } from './pair.ts';
import { countDown, countText, isIdle, stickyText, uncountedText } from './session-count.ts';
import type { Count } from './session-count.ts';
import { keyOf } from './server-targets.ts';
import { enforce, firstError, undone } from './server-wishes.ts';

/** How long cut sessions may take to be gone, and sticky ones to end after maint, ms. */
const KILL_MS = 5000;
const MAINT_MS = 1000;

export interface Drained {
  readonly targets: readonly ServerTarget[];
  /** The rows so far, one for each configured node. */
  readonly nodes: readonly NodeOutcome[];
  /** What was wished before, by key. */
  readonly before: ReadonlyMap<string, Intent>;
  /** Keys that this act has changed. */
  readonly changing: readonly string[];
  /** Nodes whose HAProxy cannot be asked. */
  readonly silent: readonly NodeOutcome[];
}

export type Waited = Pick<ActResult, 'outcome' | 'changed' | 'nodes' | 'error'>;

/**
 * Waits until the servers have no session left on any node where it is in
 * force. At the deadline: leaves it (partial), maintenance, cuts what is left,
 * or undoes it (failed).
 */
export async function waitForIdle(
  pair: Pair,
  act: ServersAct,
  drained: Drained,
  report: Report,
): Promise<Waited> {
  const { targets, changing } = drained;
  const nodes = drained.nodes.filter(({ ok }) => ok).map(({ node }) => node);
  const changed = changing.length > 0;
  const startedAtMs = pair.clock.nowMs();
  let most = 0;
  let said = '';
  const say = (step: string, counts: readonly Count[]): void => {
    const left = counts.reduce((sum, { sessions }) => sum + sessions, 0);
    most = Math.max(most, left);
    const sticky = stickyText(counts);
    const text = `${countText(counts)}${sticky === '' ? '' : `; ${sticky}`}`;
    if (text === said) return;
    said = text;
    const tookMs = Math.round(pair.clock.nowMs() - startedAtMs);
    report({ step, text, tookMs, part: { done: most - left, of: most } });
  };
  const count = (step: string, timeoutMs: number) =>
    countDown(pair, { targets, nodes, timeoutMs, onCount: (counts) => say(step, counts) });

  let end = await count('draining', waitMs(act.header));
  let rows = drained.nodes;
  const sticky = stickyText(end.counts);
  const late = sessionsLeft(act, end.counts, waitMs(act.header), sticky);
  if (end.how === 'deadline' && act.wait === 'fail') {
    if (!changed) return { outcome: 'failed', changed: false, nodes: drained.nodes, error: late };
    return undo(pair, act, drained, late);
  }
  if (end.how === 'deadline' && (act.wait === 'maint' || act.wait === 'kill')) {
    if (act.state !== 'maint') {
      const wishes = targets.map((target) => wishOf(target, act));
      rows = (await enforce(pair, act.header, wishes, drained.silent)).nodes;
      report({ step: 'maint', text: 'the time is over', tookMs: 0 });
    }
    if (act.wait === 'kill') rows = await kill(pair, targets, rows);
    end = await count(act.wait, act.wait === 'kill' ? KILL_MS : MAINT_MS);
  }
  if (end.how === 'superseded')
    return {
      outcome: 'conflict',
      changed,
      nodes: rows,
      error: new ActFailure('conflict', {
        code: 'newer_intent',
        message: `${end.newer?.actor ?? 'somebody'} changed it while this waited`,
        remediation: 'proxyctl servers shows what holds now',
      }).detail,
    };
  if (end.how === 'idle') {
    const unseen = unseenOn(pair, nodes);
    if (unseen.length > 0) return notSeen(unseen, changed, rows);
    const outcome = rows.every(({ ok }) => ok) ? 'reached' : 'partial';
    return { outcome, changed, nodes: rows, error: firstError(rows) };
  }
  const error = sessionsLeft(act, end.counts, pair.clock.nowMs() - startedAtMs, sticky);
  return { outcome: 'partial', changed, nodes: busyRows(rows, end.counts, error), error };
}

/** No session is left that is seen, and on some nodes not all can be. */
function notSeen(
  unseen: ReturnType<typeof unseenOn>,
  changed: boolean,
  rows: readonly NodeOutcome[],
): Waited {
  const errorOf = (node: string, problem: string): ActError => ({
    code: 'sessions_not_counted',
    message: `older HAProxy processes on ${node} cannot be looked for`,
    cause: problem,
    remediation: `on ${node}: ${lookRemedy(problem)}`,
    retryable: true,
  });
  const marked = rows.map((row) => {
    const mine = unseen.find(({ node }) => node === row.node);
    if (!row.ok || mine === undefined) return row;
    return { ...row, ok: false, error: errorOf(mine.node, mine.problem) };
  });
  return { outcome: 'partial', changed, nodes: marked, error: firstError(marked) };
}

const wishOf = (target: ServerTarget, act: ServersAct) => ({
  key: keyOf(target),
  value: 'maint',
  deleted: false,
  untilMs: act.untilMs,
});

/** Takes back what this act has changed. */
async function undo(
  pair: Pair,
  act: ServersAct,
  { changing, before, silent }: Drained,
  late: ActError,
): Promise<Waited> {
  const wishes = undone(changing, before, pair.clock.wallMs());
  const { nodes } = await enforce(pair, act.header, wishes, silent);
  const back = nodes.every(({ node, ok }) => ok || silent.some((one) => one.node === node));
  const remediation = back ? 'it was undone: nothing is changed' : 'it was not undone everywhere';
  return {
    outcome: back ? 'failed' : 'partial',
    changed: !back,
    nodes: back ? nodes.map((one) => ({ ...one, changed: false })) : nodes,
    error: { ...late, remediation },
  };
}

async function kill(
  pair: Pair,
  targets: readonly ServerTarget[],
  rows: readonly NodeOutcome[],
): Promise<NodeOutcome[]> {
  return Promise.all(
    rows.map(async (row) => {
      const member = pair.members.find(({ node }) => node === row.node);
      if (!row.ok || member === undefined) return row;
      try {
        for (const { instance, backend, server } of targets)
          await member.shutSessions(instance, backend, server);
        return row;
      } catch (error) {
        return failed(row.node, error);
      }
    }),
  );
}

/** `sessions_left`, or where none of them is seen, `sessions_not_counted`. */
function sessionsLeft(
  { state, wait }: ServersAct,
  counts: readonly Count[],
  afterMs: number,
  sticky: string,
): ActError {
  if (counts.every(({ sessions }) => sessions === 0) && uncountedText(counts) !== '')
    return {
      code: 'sessions_not_counted',
      message: `${countText(counts)} after ${Math.round(afterMs / 1000)} s`,
      cause: 'a reload left it, and it ends with its last session; nothing can ask it any more',
      remediation: 'wait on with the same command; hard-stop-after in haproxy.conf limits it',
      retryable: true,
    };
  const ways = [state === 'maint' ? [] : ['maint'], ['kill', 'fail']].flat();
  const others = ways.filter((one) => one !== wait && (wait !== 'kill' || one === 'fail'));
  return {
    code: 'sessions_left',
    message: `${countText(counts)} after ${Math.round(afterMs / 1000)} s`,
    cause: sticky,
    remediation:
      sticky !== '' && state === 'drain'
        ? 'drain lets cookie and stick-table clients in: proxyctl maint sends them elsewhere'
        : `it stays in force; wait on with the same command, or --then ${others.join(' or ')}`,
    retryable: true,
  };
}

/** The nodes that still have sessions are not finished. */
const busyRows = (
  rows: readonly NodeOutcome[],
  counts: readonly Count[],
  error: ActError,
): NodeOutcome[] =>
  rows.map((row) => {
    const mine = counts.filter(({ node }) => node === row.node);
    if (!row.ok || mine.every(isIdle)) return row;
    return { ...row, ok: false, error: { ...error, message: countText(mine), remediation: '' } };
  });
