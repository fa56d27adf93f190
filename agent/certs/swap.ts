import type { SwapPrepare, SwapReading } from '../core/certs/swap-messages.ts';
import type { SwapStanding } from '../core/certs/swap.ts';
import { checkSwap } from './check.ts';
import type { SwapEntry } from './entry.ts';
import { asFailure, refuse } from './failure.ts';
import type { JournalError, SwapJournal } from './journal.ts';
import { removeLeftovers } from './leftovers.ts';
import { makeLive, stageAll, stageFiles } from './live.ts';
import { mendedText } from './mend.ts';
import type { NodeSwapParts } from './port.ts';
import { putBack, unstage } from './undo.ts';

export interface NodeSwap {
  prepare(request: SwapPrepare): Promise<SwapReading>;
  commit(swapId: string): Promise<SwapReading>;
  abort(swapId: string): Promise<SwapReading | null>;
  finish(swapId: string): Promise<SwapReading | null>;
  state(swapId: string): Promise<Pick<SwapStanding, 'phase'>>;
  complete(swapId: string): Promise<SwapEntry | null>;
  forget(swapId: string): Promise<void>;
  tidy(): Promise<boolean>;
  open(): Promise<{
    readonly entries: readonly SwapEntry[];
    readonly damaged: readonly JournalError[];
  }>;
  kept(): Promise<readonly SwapEntry[]>;
}

/**
 * One node's part of a certificate swap: prepare, commit, then finish, or abort at any point.
 * All state is in the journal, so an agent that was killed goes on from there. One swap at a
 * time; calls wait for each other. Rejects with ActFailure.
 */
export function nodeSwap(parts: NodeSwapParts): NodeSwap {
  const { node, haproxy, journal } = parts;
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(what: string, pems: readonly string[], run: () => Promise<T>): Promise<T> => {
    const next = last.then(() => named(`${what} on ${node}`, pems, run));
    last = next.catch(() => undefined);
    return next;
  };

  return {
    /** Checks, writes the journal and stages; a dry run only checks. Said twice it is the same. */
    prepare: (request) =>
      alone(
        `prepare swap ${request.swapId}`,
        request.bundles.map(({ pem }) => pem),
        async () => {
          const open = await openSwaps(journal);
          const same = open.find(({ swapId }) => swapId === request.swapId);
          if (same !== undefined) return reading(node, sameAgain(same, request, node));
          refuseSecond(open, node);
          const entry = await checkSwap(parts, request);
          if (request.dryRun) {
            await rehearse(parts, entry);
            return reading(node, entry);
          }
          await journal.write(entry);
          await orPutBack(parts, entry, () => stageAll(parts, entry));
          return reading(node, entry);
        },
      ),

    /** Makes the new bundles live, verifies them and puts them on disk; on failure puts the old back. */
    commit: (swapId) =>
      alone(`commit swap ${swapId}`, [], async () => {
        const entry = await find(journal, swapId);
        if (entry === null)
          throw refuse(
            'not-found',
            'swap_unknown',
            `no swap ${swapId} is open on ${node}`,
            'it was not prepared here, or has been taken back',
            'push again',
          );
        if (entry.phase === 'committed') return reading(node, entry);
        if (entry.phase !== 'prepared') throw notNow('commit', entry, node);
        return reading(node, await orPutBack(parts, entry, () => makeLive(parts, entry)));
      }),

    /** Puts the old bundles back; resolves to what is served then. Null: this swap is not open here. */
    abort: (swapId) =>
      alone(`abort swap ${swapId}`, [], async () => {
        const entry = await find(journal, swapId);
        if (entry === null) return null;
        await named(`abort swap ${swapId} on ${node}`, pems(entry), () => putBack(parts, entry));
        const certificates = [];
        for (const one of reading(node, entry).certificates) {
          const now = await haproxy.loaded(one.path);
          const { notAfter = '', names = [] } = now ?? {};
          const fingerprint = now?.fingerprint ?? one.fingerprintBefore;
          certificates.push({ ...one, fingerprint, notAfter, names });
        }
        return { node, certificates };
      }),

    /** Closes a committed swap and keeps what it replaced. Null: this swap is not open here. */
    finish: (swapId) =>
      alone(`finish swap ${swapId}`, [], async () => {
        const entry = await find(journal, swapId);
        if (entry === null) return null;
        if (entry.phase !== 'committed') throw notNow('finish', entry, node);
        await close(journal, entry);
        return reading(node, entry);
      }),

    /** How far a swap is here, for another node that has it open. */
    state: (swapId) =>
      alone(`look at swap ${swapId}`, [], async () => {
        const entry = await find(journal, swapId);
        if (entry !== null) return { phase: entry.phase };
        const kept = (await journal.kept()).some((one) => one.swapId === swapId);
        return { phase: kept ? 'finished' : 'unknown' };
      }),

    /** Brings a decided swap to its end from whatever phase it is in. Null: it is not open here. */
    complete: (swapId) =>
      alone(`complete swap ${swapId}`, [], async () => {
        const entry = await find(journal, swapId);
        if (entry === null) return null;
        if (entry.phase === 'aborting' || entry.phase === 'aborted')
          throw notNow('complete', entry, node);
        const done =
          entry.phase === 'committed'
            ? entry
            : await orPutBack(parts, entry, () => makeLive(parts, entry));
        await close(journal, done);
        return done;
      }),

    /** Every node has confirmed that it was taken back: the coordinator's note of it goes. */
    forget: (swapId) =>
      alone(`forget swap ${swapId}`, [], async () => {
        const entry = await find(journal, swapId);
        if (entry?.phase === 'aborted') await journal.remove(swapId);
      }),

    /** Removes what a killed agent has left beside certificates. False: a swap is open, and they may be its. */
    tidy: () =>
      alone('remove what was left beside certificates', [], async () => {
        const open = await openSwaps(journal);
        if (open.some(({ phase }) => phase !== 'aborted')) return false;
        await removeLeftovers(parts);
        return true;
      }),

    open: () => alone('look at the journals', [], () => journal.read()),
    kept: () => alone('look at the kept swaps', [], () => journal.kept()),
  };
}

/** What touched nothing is not worth keeping: it would hide what a rollback brings back. */
const close = (journal: SwapJournal, { swapId, items }: SwapEntry): Promise<void> =>
  items.every(({ already }) => already) ? journal.remove(swapId) : journal.keep(swapId);

const pems = ({ items }: SwapEntry): readonly string[] =>
  items.flatMap(({ oldPem, newPem }) => [oldPem, newPem]);

const reading = (node: string, { items }: SwapEntry): SwapReading => ({
  node,
  certificates: items.map((item) => ({
    name: item.name,
    path: item.path,
    fingerprintBefore: item.fingerprintBefore,
    fingerprint: item.fingerprint,
    notAfter: item.notAfter,
    names: item.names,
    warnings: item.warnings,
    sha256: item.sha256,
    ...(item.checks === undefined ? {} : { checks: item.checks }),
  })),
});

/** A damaged journal may hide a half-done swap, so nothing goes on as if it had not been there. */
async function openSwaps(journal: SwapJournal): Promise<readonly SwapEntry[]> {
  const { entries, damaged } = await journal.read();
  const [first] = damaged;
  if (first === undefined) return entries;
  throw refuse(
    'failed',
    'journal_damaged',
    first.message,
    'it recorded a swap that may be half done here',
    'compare disk, memory and peer (proxyctl cert list), then push again',
    true,
  );
}

const find = async (journal: SwapJournal, swapId: string): Promise<SwapEntry | null> =>
  (await openSwaps(journal)).find((entry) => entry.swapId === swapId) ?? null;

function refuseSecond(open: readonly SwapEntry[], node: string): void {
  const other = open.find(({ phase }) => phase !== 'aborted');
  if (other === undefined) return;
  throw refuse(
    'conflict',
    'swap_open',
    `swap ${other.swapId} of ${what(other)} is open on ${node}`,
    `it is ${other.phase}`,
    'let it finish, then push again',
    true,
  );
}

function sameAgain(entry: SwapEntry, request: SwapPrepare, node: string): SwapEntry {
  const same =
    entry.items.length === request.bundles.length &&
    request.bundles.every(({ pem }, at) => mendedText(pem) === entry.items[at]?.newPem);
  if (!same)
    throw refuse(
      'conflict',
      'swap_id_used',
      `swap ${entry.swapId} on ${node} is about another bundle`,
      `it replaces ${what(entry)}`,
      'push again with a new id',
    );
  if (entry.phase !== 'prepared') throw notNow('prepare', entry, node);
  return entry;
}

const what = ({ items }: SwapEntry): string => {
  const [first] = items;
  const more = items.length > 1 ? ` and ${items.length - 1} more` : '';
  return `${first?.path ?? 'nothing'}${more}`;
};

const notNow = (verb: string, entry: SwapEntry, node: string) =>
  refuse(
    'conflict',
    'swap_phase',
    `${verb} swap ${entry.swapId} on ${node}: it is ${entry.phase}`,
    `it replaces ${what(entry)}`,
    'abort it',
  );

async function named<T>(
  what: string,
  secrets: readonly string[],
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (caught) {
    throw asFailure(what, caught, secrets);
  }
}

/** For a dry run: whether the files could be replaced. Nothing of it stays. */
async function rehearse(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  try {
    await stageFiles(parts, entry);
  } finally {
    await unstage(parts, entry);
  }
}

/** Runs a step that changes things; when it fails this node is as before, or the error says so. */
async function orPutBack<T>(
  parts: NodeSwapParts,
  entry: SwapEntry,
  run: () => Promise<T>,
): Promise<T> {
  const title = `swap ${what(entry)} on ${parts.node}`;
  try {
    return await run();
  } catch (caught) {
    const failure = asFailure(title, caught, pems(entry));
    try {
      await putBack(parts, entry);
    } catch (again) {
      const second = asFailure(`put ${what(entry)} back on ${parts.node}`, again, pems(entry));
      throw refuse(
        'result-unknown',
        'not_put_back',
        `${failure.message}; ${second.message}`,
        [failure.detail.cause, second.detail.cause].filter((cause) => cause !== '').join('; '),
        second.detail.remediation || 'it is put back as soon as that is possible',
        true,
      );
    }
    throw failure;
  }
}
