import { createHash } from 'node:crypto';
import type { ActHeader, PushAct } from '../core/acts.ts';
import { ActFailure, type ActResult } from '../core/results.ts';
import { ALREADY_THERE, type SwapPrepare, type SwapReading } from '../core/certs/swap-messages.ts';
import { notVerified } from '../core/certs/listener-check.ts';
import { certificateKey, newestStamp, nextStamp, parseCertificateKey } from '../core/intents.ts';
import { wish } from '../core/intents.ts';
import type { NodeView } from '../core/model.ts';
import type { Member } from '../core/member.ts';
import type { Report } from '../core/verbs.ts';
import {
  absent,
  asFailure,
  away,
  failed,
  present,
  refuseStale,
  result,
  steps,
  storeEverywhere,
  type Pair,
} from './pair.ts';
import { withCommonPlaces } from './candidates.ts';
import { certificatesOf, fine, swapResult } from './push-results.ts';
import { runSwap, swapIntents, type SwapRun } from './swap.ts';

/**
 * `cert push`: every node checks all bundles and stages before any commits; then BACKUP nodes
 * commit first and the MASTER last, each verified by what it really serves. A node that refuses
 * rolls all back; one that is lost between the commits leaves the decided version standing, and
 * the result says so.
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
  if (missing.length > 0 && !header.acceptRisks.includes('peer-unknown'))
    throw refuseAway(
      missing,
      'a certificate goes to every node or to none',
      '; or --accept-risk=peer-unknown',
    );
  // What was decided of a certificate says nothing of a list: such a node could not catch up.
  if (missing.length > 0 && act.bundles.some(({ into }) => into !== undefined))
    throw refuseAway(missing, 'a node that is away could not be brought to a new certificate');
  refuseStale(pair, header, touched(pair, act));
  const members = commitOrder(pair);
  const wallMs = pair.clock.wallMs();
  const prepare: SwapPrepare = {
    swapId: swapIdOf(header),
    bundles: act.bundles.map(({ path, pem, into }) => ({
      path: path === null ? null : pair.certificateName(path),
      pem,
      ...(into === undefined ? {} : { into: { ...into, list: pair.certificateName(into.list) } }),
    })),
    dryRun: header.dryRun,
    acceptRisks: header.acceptRisks,
    coordinator: pair.node,
    members: members.map(({ node }) => node),
    stamp: nextStamp(newestStamp(pair.intents(), wallMs), wallMs, pair.node),
    actor: header.actor,
    reason: header.reason,
  };
  if (header.dryRun)
    return withCommonPlaces(
      pair,
      await dryRun(pair, header, startedAtMs, { members, missing, prepare, report }),
    );
  const run = await runSwap(
    pair,
    members,
    prepare,
    (order, { state, prepared, committed }) => {
      const [node = ''] = order.nodes;
      if (order.step === 'prepare' && state.broken === null) {
        warn(prepared, report);
        said('checking', `${title(prepared)} on ${order.nodes.join(', ')}`);
      } else if (order.step === 'commit' && state.done.includes(node) && !isThere(prepared)) {
        const missing = unverifiedOn(committed, node);
        said(
          'committing',
          missing.length === 0 ? `${node}, verified` : `${node}, not all verified`,
        );
        for (const text of missing) report({ step: 'warning', text, tookMs: 0 });
      }
    },
    (so) => decide(pair, prepare, so),
  );
  if (run.state.end === 'swapped' && !isThere(run.prepared)) confirm(run, said);
  const ended = { run, missing, already: isThere(run.prepared) };
  return withCommonPlaces(pair, swapResult(pair, header, startedAtMs, ended));
}

/** Only what a client was shown counts as served; the rest is what HAProxy says it has. */
function confirm({ state, committed }: SwapRun, said: (step: string, text: string) => void): void {
  const [some, all] = [true, false].map((missing) =>
    state.done.filter((node) => unverifiedOn(committed, node).length > 0 === missing),
  );
  if (all !== undefined && all.length > 0) said('confirmed', `served on ${all.join(', ')}`);
  if (some !== undefined && some.length > 0)
    said('loaded', `on ${some.join(', ')}, not verified by every listener`);
}

/** A sentence for each listener of a node that did not show what it is to serve. */
function unverifiedOn(readings: ReadonlyMap<string, SwapReading>, node: string): readonly string[] {
  const { certificates = [] } = readings.get(node) ?? {};
  return certificates.flatMap(({ path, checks }) =>
    notVerified(checks).map((why) => `${path} not verified on ${node}: ${why}`),
  );
}

interface DryRun {
  readonly members: readonly Member[];
  readonly missing: readonly string[];
  readonly prepare: SwapPrepare;
  readonly report: Report;
}

async function dryRun(
  pair: Pair,
  header: ActHeader,
  startedAtMs: number,
  { members, missing, prepare, report }: DryRun,
): Promise<ActResult> {
  const prepared = new Map<string, SwapReading>();
  const failures = new Map<string, ActFailure>();
  const ask = async (member: Member): Promise<void> => {
    try {
      prepared.set(member.node, await member.swapPrepare(prepare));
    } catch (error) {
      failures.set(member.node, asFailure(error));
    }
  };
  await Promise.all(members.map(ask));
  const [first] = failures.values();
  if (first !== undefined)
    return result(pair, header, startedAtMs, {
      outcome: first.outcome === 'result-unknown' ? 'failed' : first.outcome,
      error: first.detail,
      nodes: members.map(({ node }) => {
        const failure = failures.get(node);
        return failure === undefined ? fine(node, false) : failed(node, failure);
      }),
    });
  warn(prepared, report);
  for (const node of prepared.keys())
    for (const text of unverifiedOn(prepared, node)) report({ step: 'warning', text, tookMs: 0 });
  const inOrder = new Map([...prepared].sort(([a], [b]) => (a < b ? -1 : 1)));
  const already = isThere(prepared);
  return result(pair, header, startedAtMs, {
    outcome: already ? (missing.length > 0 ? 'partial' : 'reached') : 'would-change',
    nodes: [...members.map(({ node }) => fine(node, false)), ...missing.map(away)],
    certificates: certificatesOf(inOrder, already ? 'already' : 'would-swap'),
  });
}

/**
 * Stores which bundles are wanted, on every node, before any journal is closed: what a node that
 * was away is brought to. One that says so already is left with whoever pushed it.
 */
async function decide(pair: Pair, prepare: SwapPrepare, { committed }: SwapRun): Promise<void> {
  const all = [...committed.values()].flatMap(({ certificates }) => certificates);
  const wallMs = pair.clock.wallMs();
  const fresh = all.filter(
    ({ name, sha256 }) => wish(pair.intents(), certificateKey(name), wallMs)?.value !== sha256,
  );
  if (fresh.length === 0) return;
  const stored = await storeEverywhere(pair, swapIntents(fresh, prepare));
  const mine = stored.find(({ node }) => node === pair.node);
  if (mine?.ok === true || mine?.error?.code === 'newer_intent') return;
  throw new ActFailure('result-unknown', {
    code: 'not_stored',
    message: 'the new certificates are served, and the decision could not be stored',
    cause: mine?.error?.message ?? '',
    remediation: 'make room in the state directory; it is completed as soon as that is possible',
    retryable: true,
  });
}

const refuseAway = (missing: readonly string[], cause: string, otherwise = ''): ActFailure =>
  new ActFailure('unreachable', {
    code: 'agent_unreachable',
    message: `not pushed: the agent on ${missing.join(', ')} does not answer`,
    cause,
    remediation: `on ${missing.join(', ')}: service proxyagent status${otherwise}`,
    retryable: true,
  });

function warn(prepared: ReadonlyMap<string, SwapReading>, report: Report): void {
  const all = [...prepared.values()].flatMap(({ certificates }) => certificates);
  for (const warning of new Set(all.flatMap(({ warnings }) => warnings)))
    if (warning !== ALREADY_THERE) report({ step: 'warning', text: warning, tookMs: 0 });
}

const title = (prepared: ReadonlyMap<string, SwapReading>): string => {
  const [first] = prepared.values();
  const more = (first?.certificates.length ?? 0) - 1;
  return `${first?.certificates[0]?.path ?? ''}${more > 0 ? ` and ${more} more` : ''}`;
};

const isThere = (prepared: ReadonlyMap<string, SwapReading>): boolean =>
  [...prepared.values()].every(({ certificates }) =>
    certificates.every(({ warnings }) => warnings.includes(ALREADY_THERE)),
  );

/** Names the journal's file: always short and plain, whatever the request id is. */
const swapIdOf = ({ requestId }: ActHeader): string =>
  createHash('sha256').update(requestId).digest('hex').slice(0, 16);

/** What may be decided anew: without a path any certificate may turn out to be the one that is meant. */
const touched = (pair: Pair, { bundles }: PushAct): string[] =>
  bundles.flatMap(({ path }) =>
    path === null
      ? [...pair.intents().keys()].filter((key) => parseCertificateKey(key) !== null)
      : [certificateKey(pair.certificateName(path))],
  );

/** Nodes that are MASTER of nothing first: what clients meet changes last. */
function commitOrder(pair: Pair): Member[] {
  const view = pair.view();
  const isMaster = (member: Member): number =>
    Number(masterOfSomething(view.find(({ node }) => node === member.node)));
  return present(pair).sort((a, b) => isMaster(a) - isMaster(b));
}

const masterOfSomething = (view: NodeView | undefined): boolean =>
  view?.report?.addresses.some(({ state }) => state === 'MASTER') ?? false;
