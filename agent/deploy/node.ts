import { unverified } from '../core/deploy/read.ts';
import { DeploymentError } from '../core/deploy/deployment.ts';
import type { Deployments, DeployState } from '../core/deploy/deployments.ts';
import type { PushEntry, PushPrepare, PushReading } from '../core/deploy/push-messages.ts';
import type { SwapStanding } from '../core/certs/swap.ts';
import { beforeOf } from '../core/deploy/served.ts';
import { ActFailure } from '../core/results.ts';
import { sentence } from '../core/words.ts';
import { digestOf } from './digest.ts';
import { failure, refusedBy } from './failure.ts';
import type { PushJournal } from './journal.ts';
import type { Served } from './served.ts';
import { rootState } from './state.ts';

/** What one node's part of a push needs of its host. */
export interface NodePushParts {
  readonly node: string;
  /** The path of haproxy.conf, for people. */
  readonly path: string;
  readonly deployments: Deployments;
  /** The newest revocation lists that are known here, PEM. */
  readonly lists: () => string;
  readonly journal: PushJournal;
  readonly served: Served;
  /** It is there for good. */
  readonly pushed: (entry: PushEntry) => void;
}

export interface NodePush {
  prepare(request: PushPrepare): Promise<PushReading>;
  install(pushId: string): Promise<PushReading>;
  keep(pushId: string): Promise<void>;
  back(pushId: string): Promise<void>;
  complete(pushId: string): Promise<void>;
  forget(pushId: string): Promise<void>;
  state(pushId: string, number: number): Promise<Pick<SwapStanding, 'phase'>>;
  open(): Promise<PushEntry | null>;
}

/**
 * One node's part of a push: prepare, install, then keep, or back at any point. All state is in the
 * journal and with root, so an agent that was killed goes on from there. One at a time; calls wait
 * for each other. Rejects with ActFailure.
 */
export function nodePush(parts: NodePushParts): NodePush {
  const { node, path, deployments, journal, served } = parts;
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run);
    last = next.catch(() => undefined);
    return next;
  };
  const find = async (pushId: string): Promise<PushEntry | null> => {
    const open = await journal.read();
    return open?.pushId === pushId ? open : null;
  };
  const known = async (pushId: string): Promise<PushEntry> => {
    const found = await find(pushId);
    if (found !== null) return found;
    throw failure('not-found', 'push_unknown', `no push ${pushId} is open on ${node}`, {
      cause: 'it was not prepared here, or has ended',
      remediation: 'push again',
    });
  };
  const put = async (entry: PushEntry, phase: PushEntry['phase']): Promise<PushEntry> => {
    const now = { ...entry, phase };
    await journal.write(now);
    return now;
  };
  /** The file, unless it is there already; then the process, until it serves. */
  const bring = async (entry: PushEntry, again = false): Promise<void> => {
    const there = await rootState(deployments, node);
    if (there.last !== entry.number || there.state === 'none') {
      await deployments.revocations(parts.lists());
      const answer = await deployments.install(await journal.message(entry), entry.digest);
      if (answer.kind !== 'done') {
        const now = answer.kind === 'unknown' ? await rootState(deployments, node) : there;
        if (now.last !== entry.number || now.state !== 'pending') throw refusedBy(node, answer);
      }
    } else if (there.state === 'back')
      throw failure('failed', 'push_back', `version ${entry.number} was taken back on ${node}`);
    if (again) await served.again(entry.before, entry.settleMs);
    else await served.reload(entry.before, entry.settleMs);
  };
  /** What was there before, on disk and in HAProxy. */
  const putBack = async (entry: PushEntry): Promise<void> => {
    const there = await rootState(deployments, node);
    if (there.last === entry.number && there.state === 'pending') {
      const answer = await deployments.back(entry.number);
      if (answer.kind !== 'done') throw refusedBy(node, answer);
    }
    await served.restore(entry.before, entry.settleMs);
  };
  /** It is not taken back any more. */
  const close = async (entry: PushEntry): Promise<void> => {
    if (!entry.already) {
      const answer = await deployments.keep(entry.number);
      if (answer.kind !== 'done') throw refusedBy(node, answer);
    }
    await journal.remove();
    if (!entry.already) parts.pushed(entry);
  };
  const orPutBack = async (entry: PushEntry, run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (caught) {
      const first = asFailure(node, caught);
      try {
        await put(entry, 'aborting');
        await putBack(entry);
        await put(entry, 'aborted');
      } catch (again) {
        throw failure('result-unknown', 'not_put_back', `${first.message}; ${sentence(again)}`, {
          cause: first.detail.cause,
          remediation: 'it is put back as soon as that is possible: proxyctl status',
          retryable: true,
        });
      }
      throw first;
    }
  };

  return {
    /** Has everything checked and writes the journal; a dry run only checks. Said twice it is the same. */
    prepare: (request) =>
      alone(async () => {
        const open = await journal.read();
        if (open?.pushId === request.pushId && open.phase === 'prepared')
          return reading(node, open, []);
        const { message } = request;
        const signed = understood(message);
        const there = await rootState(deployments, node);
        // The others have it, and root takes it here no more: the next one brings all to one version.
        const isOver = open !== null && open.decided && there.last !== open.number;
        if (!isOver) refuseSecond(node, open);
        refuseChanged(parts, there, request);
        await deployments.revocations(parts.lists());
        const answer = await deployments.check(message);
        if (answer.kind !== 'done') throw refusedBy(node, answer);
        const now = await served.now();
        if (now.state !== 'up')
          throw failure('failed', 'haproxy_not_up', `HAProxy on ${node} is ${now.state}`, {
            cause: 'nothing is pushed to a host that could not show whether it serves with it',
            remediation: `on ${node}: service haproxy status`,
          });
        const already = there.form === signed.form && digestOf(signed) === there.digest;
        const { pushId, coordinator, members, settleMs, actor, reason } = request;
        const entry: PushEntry = {
          pushId,
          phase: 'prepared',
          decided: false,
          number: signed.number,
          already,
          digest: there.digest,
          coordinator,
          members,
          settleMs,
          actor,
          reason,
          before: beforeOf(now),
        };
        if (request.dryRun) return reading(node, entry, answer.lines);
        if (isOver) await journal.remove();
        await journal.begin(entry, message);
        return reading(node, entry, answer.lines);
      }),

    /** Installs, reloads and verifies; on failure this node is as before, or the error says so. */
    install: (pushId) =>
      alone(async () => {
        const entry = await known(pushId);
        if (entry.phase === 'committed') return reading(node, entry, []);
        if (entry.phase !== 'prepared')
          throw failure('conflict', 'push_phase', `push ${pushId} on ${node} is ${entry.phase}`);
        const begun = await put(entry, 'committing');
        if (!entry.already) await orPutBack(begun, () => bring(begun));
        return reading(node, await put(begun, 'committed'), []);
      }),

    /** Closes one that was verified: it is not taken back any more. */
    keep: (pushId) =>
      alone(async () => {
        const entry = await find(pushId);
        if (entry === null) return;
        await close(entry);
      }),

    /** Puts back what was there; where it is not open there is nothing to put back. */
    back: (pushId) =>
      alone(async () => {
        const entry = await find(pushId);
        if (entry === null) return;
        const touched = entry.phase !== 'prepared' && entry.phase !== 'aborted' && !entry.already;
        if (touched) {
          await put(entry, 'aborting');
          await putBack(entry);
        }
        // Whoever carried it out keeps the note until all have confirmed.
        if (entry.coordinator === node) await put(entry, 'aborted');
        else await journal.remove();
      }),

    /** Brings one that was decided to its end, from whatever phase it is in. */
    complete: (pushId) =>
      alone(async () => {
        const entry = await find(pushId);
        if (entry === null) return;
        if (!entry.already) {
          if (entry.phase !== 'committed') {
            // The others have it: what fails here is tried again, and not taken back.
            const begun = await put({ ...entry, decided: true }, 'committing');
            await bring(begun, entry.phase === 'committing');
          }
        }
        await close(entry);
      }),

    /** Every node has confirmed that it was taken back: the note of it goes. */
    forget: (pushId) =>
      alone(async () => {
        if ((await find(pushId))?.phase === 'aborted') await journal.remove();
      }),

    /** How far it is here, for another node that has it open. */
    state: (pushId, number) =>
      alone(async () => {
        const entry = await find(pushId);
        if (entry !== null) return { phase: entry.phase };
        const { versions, last, state } = await rootState(deployments, node);
        const isThere = versions.some((one) => one.number === number);
        return { phase: isThere && (last !== number || state === 'kept') ? 'finished' : 'unknown' };
      }),

    open: () => alone(() => journal.read()),
  };

  function refuseSecond(self: string, open: PushEntry | null): void {
    // One that was taken back is open until whoever carried it out knows that of every node.
    if (open === null) return;
    throw failure(
      'conflict',
      'push_open',
      `${open.actor}'s push of version ${open.number} is open on ${self}`,
      {
        cause: `it is ${open.phase}${open.reason === '' ? '' : `: ${open.reason}`}`,
        remediation: `let it end, then push again; ${path} is not touched`,
        retryable: true,
      },
    );
  }
}

const reading = (node: string, entry: PushEntry, lines: readonly string[]): PushReading => ({
  node,
  number: entry.number,
  already: entry.already,
  lines,
});

/** Somebody has changed the file since the last push: what they did would be lost. */
function refuseChanged(
  { node, path }: NodePushParts,
  { digest, state, versions }: DeployState,
  { acceptRisks }: PushPrepare,
): void {
  const [newest] = versions;
  if (newest === undefined || state === 'none' || acceptRisks.includes('local-changes')) return;
  const expected = state === 'back' ? newest.before : newest.digest;
  if (digest === expected) return;
  throw failure('unsafe', 'local_changes', `${path} was changed on ${node} since the last push`, {
    cause: `version ${newest.number} of ${newest.who} is not what is there now`,
    remediation:
      'see proxyctl config diff; take it into your file, or give it up: --accept-risk=local-changes',
  });
}

function understood(message: Uint8Array) {
  try {
    return unverified(message);
  } catch (error) {
    if (!(error instanceof DeploymentError)) throw error;
    throw failure(
      'usage',
      'no_deployment',
      `what was pushed is nothing to install: ${error.message}`,
    );
  }
}

const asFailure = (node: string, caught: unknown): ActFailure =>
  caught instanceof ActFailure
    ? caught
    : failure('failed', 'push_failed', `${node}: ${sentence(caught)}`);
