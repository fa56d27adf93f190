import { createHash } from 'node:crypto';
import {
  ActFailure,
  ALREADY_THERE,
  type ActHeader,
  type ActResult,
  type CertificateOutcome,
  type NodeOutcome,
  type PushAct,
  type SwapReading,
} from '../core/acts.ts';
import type { NodeView } from '../core/model.ts';
import {
  absent,
  asFailure,
  away,
  failed,
  present,
  result,
  stamped,
  steps,
  storeEverywhere,
  type Member,
  type Pair,
  type Report,
} from './pair.ts';

/**
 * `cert push`: every node checks and stages the bundle before any commits;
 * then BACKUP nodes commit first and the MASTER last, each verified by what it
 * really serves. A node that refuses rolls all back; one that is lost between
 * the commits leaves the decided version standing, and the result says so.
 */
export async function pushCertificate(
  pair: Pair,
  act: PushAct,
  report: Report,
): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header } = act;
  const said = steps(pair.clock, report);
  const missing = absent(pair);
  if (missing.length > 0 && !header.acceptRisks.includes('peer-unknown')) {
    throw new ActFailure('unreachable', {
      code: 'agent_unreachable',
      message: `not pushed: the agent on ${missing.join(', ')} does not answer`,
      cause: 'a certificate goes to every node or to none',
      remediation: `on ${missing.join(', ')}: service proxyagent status; or --accept-risk=peer-unknown`,
      retryable: true,
    });
  }
  const members = commitOrder(pair);
  const swapId = swapIdOf(header);
  const prepare = {
    swapId,
    path: act.path,
    pem: act.pem,
    dryRun: header.dryRun,
    acceptRisks: header.acceptRisks,
  };
  const prepared = await each(members, (member) => member.swapPrepare(prepare));
  const [refusal] = prepared.flatMap(({ error }) => (error === null ? [] : [error]));
  if (refusal !== undefined) {
    await each(members, (member) => member.swapAbort(swapId));
    return refused(pair, act, startedAtMs, prepared, refusal);
  }
  const readings = prepared.flatMap(({ reading }) => (reading === null ? [] : [reading]));
  for (const warning of new Set(readings.flatMap(({ warnings }) => warnings)))
    if (warning !== ALREADY_THERE) report({ step: 'warning', text: warning, tookMs: 0 });
  const names = members.map(({ node }) => node).join(', ');
  const same = readings.every(({ warnings }) => warnings.includes(ALREADY_THERE));
  said('checking', `${readings[0]?.path ?? ''} on ${names}`);
  if (header.dryRun || same) {
    // A node finishes only what it has committed; for one that has it all, committing is a note.
    if (!header.dryRun) {
      await each(members, (member) => member.swapCommit(swapId));
      await each(members, (member) => member.swapFinish(swapId));
    }
    const outcome = same ? (missing.length > 0 ? 'partial' : 'reached') : 'would-change';
    return result(pair, header, startedAtMs, {
      outcome,
      nodes: [...members.map(({ node }) => fine(node, false)), ...missing.map(away)],
      certificates: readings.map((one) => certificate(one, same ? 'already' : 'would-swap')),
    });
  }

  const done: SwapReading[] = [];
  for (const member of members) {
    try {
      done.push(await member.swapCommit(swapId));
      said('committing', `${member.node}, verified`);
    } catch (error) {
      const failure = asFailure(error);
      // Its agent lives and says that its HAProxy does not: that is a refusal, not a loss.
      const lives = failure.detail.code === 'not_put_back';
      const unknown = failure.outcome === 'unreachable' || failure.outcome === 'result-unknown';
      const lost = unknown && !lives;
      if (lost && done.length > 0)
        return stands(pair, act, startedAtMs, { members, done, lost: member.node, failure });
      return rollBack(pair, act, startedAtMs, { members, done, failed: member.node, failure });
    }
  }
  await each(members, (member) => member.swapFinish(swapId));
  await remember(pair, act, done);
  said('confirmed', `served on ${names}`);
  return result(pair, header, startedAtMs, {
    outcome: missing.length > 0 ? 'partial' : 'reached',
    changed: true,
    nodes: [...members.map(({ node }) => fine(node, true)), ...missing.map(away)],
    certificates: done.map((one) =>
      certificate(one, one.warnings.includes(ALREADY_THERE) ? 'already' : 'swapped'),
    ),
  });
}

/** Names the journal's file: always short and plain, whatever the request id is. */
const swapIdOf = ({ requestId }: ActHeader): string =>
  createHash('sha256').update(requestId).digest('hex').slice(0, 16);

interface Answer {
  readonly node: string;
  readonly reading: SwapReading | null;
  readonly error: ActFailure | null;
}

function each(
  members: readonly Member[],
  ask: (member: Member) => Promise<SwapReading>,
): Promise<Answer[]> {
  return Promise.all(
    members.map(async (member) => {
      try {
        return { node: member.node, reading: await ask(member), error: null };
      } catch (error) {
        return { node: member.node, reading: null, error: asFailure(error) };
      }
    }),
  );
}

/** Nodes that are MASTER of nothing first: what clients meet changes last. */
function commitOrder(pair: Pair): Member[] {
  const view = pair.view();
  const isMaster = (member: Member): number =>
    Number(masterOfSomething(view.find(({ node }) => node === member.node)));
  return present(pair).sort((a, b) => isMaster(a) - isMaster(b));
}

const masterOfSomething = (view: NodeView | undefined): boolean =>
  view?.report?.addresses.some(({ state }) => state === 'MASTER') ?? false;

const fine = (node: string, changed: boolean): NodeOutcome => ({
  node,
  ok: true,
  changed,
  error: null,
});

const certificate = (
  { node, path, fingerprintBefore, fingerprint, notAfter, names }: SwapReading,
  outcome: CertificateOutcome['outcome'],
): CertificateOutcome => ({
  node,
  path,
  fingerprintBefore,
  fingerprint,
  notAfter,
  names,
  outcome,
});

function refused(
  pair: Pair,
  act: PushAct,
  startedAtMs: number,
  answers: readonly Answer[],
  first: ActFailure,
): ActResult {
  return result(pair, act.header, startedAtMs, {
    outcome: first.outcome === 'result-unknown' ? 'failed' : first.outcome,
    error: first.detail,
    nodes: answers.map(({ node, error }) =>
      error === null ? fine(node, false) : failed(node, error),
    ),
  });
}

interface Broken {
  readonly members: readonly Member[];
  readonly done: readonly SwapReading[];
  readonly failure: ActFailure;
}

/** A living node refused: the old certificate goes back everywhere. */
async function rollBack(
  pair: Pair,
  act: PushAct,
  startedAtMs: number,
  broken: Broken & { readonly failed: string },
): Promise<ActResult> {
  const { members, done, failure } = broken;
  const aborted = await each(members, (member) => member.swapAbort(swapIdOf(act.header)));
  // A node that does not know the swap has put itself back already, or never began.
  const stuck = aborted.filter(({ error }) => error !== null && error.outcome !== 'not-found');
  const names = stuck.map(({ node }) => node).join(', ');
  const undone = { ...failure.detail, cause: failure.detail.cause || failure.detail.message };
  return result(pair, act.header, startedAtMs, {
    outcome: stuck.length === 0 ? 'failed' : 'result-unknown',
    changed: stuck.length > 0,
    error: {
      ...undone,
      message:
        stuck.length === 0
          ? `not pushed: ${broken.failed} refused, the old certificate is back everywhere`
          : `not pushed, and ${names} could not be put back`,
    },
    nodes: aborted.map(({ node, error }) => {
      if (error !== null && error.outcome !== 'not-found') return failed(node, error);
      return node === broken.failed ? failed(node, failure) : fine(node, false);
    }),
    certificates: done.map((one) => certificate(one, 'rolled-back')),
  });
}

/** A node was lost after the first commit was verified: what was decided stands. */
async function stands(
  pair: Pair,
  act: PushAct,
  startedAtMs: number,
  broken: Broken & { readonly lost: string },
): Promise<ActResult> {
  const { members, done, failure, lost } = broken;
  const alive = members.filter(({ node }) => done.some((one) => one.node === node));
  await each(alive, (member) => member.swapFinish(swapIdOf(act.header)));
  await remember(pair, act, done);
  return result(pair, act.header, startedAtMs, {
    outcome: 'partial',
    changed: true,
    error: {
      ...failure.detail,
      message: `${lost} was lost before it confirmed; the new certificate is served elsewhere`,
      remediation: `when ${lost} is back: proxyctl status, then push it again`,
    },
    nodes: members.map(({ node }) =>
      done.some((one) => one.node === node) ? fine(node, true) : failed(node, failure),
    ),
    certificates: done.map((one) =>
      certificate(one, one.warnings.includes(ALREADY_THERE) ? 'already' : 'swapped'),
    ),
  });
}

/** Stores which bundle is wanted, so that a node that was away can be told apart. */
async function remember(pair: Pair, act: PushAct, done: readonly SwapReading[]): Promise<void> {
  const value = createHash('sha256').update(act.pem).digest('hex');
  const paths = [...new Set(done.map(({ path }) => path))];
  const wishes = paths.map((path) => ({
    key: `certificate/${path}`,
    value,
    deleted: false,
    untilMs: null,
  }));
  await storeEverywhere(pair, stamped(pair, act.header, wishes));
}
