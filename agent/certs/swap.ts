import type { SwapPrepare, SwapReading } from '../core/acts.ts';
import { blocksOf, bundleText } from './blocks.ts';
import { checkSwap } from './check.ts';
import { asFailure, refuse } from './failure.ts';
import type { JournalError, SwapEntry, SwapJournal } from './journal.ts';
import { makeLive, stage } from './live.ts';
import type { NodeSwapParts } from './port.ts';
import { inMemory, putBack } from './undo.ts';

/** What a restart found of a swap and made of it. */
export interface SwapRecovery {
  readonly swapId: string;
  readonly path: string;
  /**
   * `aborted`: the old bundle is in memory and on disk, nothing is left open.
   * `committed`: the new one is in both; `finish` or `abort` is awaited.
   * `unresolved`: not done, see `problem`; the journal stays and `recover` can be called again.
   */
  readonly state: 'aborted' | 'committed' | 'unresolved';
  readonly fingerprint: string;
  /** Empty unless unresolved. */
  readonly problem: string;
}

export interface NodeSwap {
  prepare(request: SwapPrepare): Promise<SwapReading>;
  commit(swapId: string): Promise<SwapReading>;
  abort(swapId: string): Promise<SwapReading | null>;
  finish(swapId: string): Promise<SwapReading | null>;
  /** With `onlyAborting` a swap that is under way is left alone. */
  recover(onlyAborting?: boolean): Promise<{
    readonly swaps: readonly SwapRecovery[];
    readonly damaged: readonly JournalError[];
  }>;
}

/**
 * One node's part of a certificate swap: prepare, commit, then finish, or abort at any point.
 * All state is in the journal, so an agent that was killed goes on with `recover`. One swap at a
 * time; calls wait for each other. Rejects with ActFailure.
 */
export function nodeSwap(parts: NodeSwapParts): NodeSwap {
  const { node, haproxy, journal } = parts;
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(what: string, pem: string, run: () => Promise<T>): Promise<T> => {
    const next = last.then(() => named(`${what} on ${node}`, [pem], run));
    last = next.catch(() => undefined);
    return next;
  };

  return {
    /** Checks, writes the journal and stages; a dry run only checks. Said twice it is the same. */
    prepare: (request) =>
      alone(`prepare swap ${request.swapId}`, request.pem, async () => {
        const open = await openSwaps(journal);
        const same = open.find(({ swapId }) => swapId === request.swapId);
        if (same !== undefined) return reading(node, sameAgain(same, request, node));
        refuseSecond(open, node);
        const entry = await checkSwap(parts, request);
        if (request.dryRun) return reading(node, entry);
        await journal.write(entry);
        if (!entry.already) await orPutBack(parts, entry, () => stage(parts, entry));
        return reading(node, entry);
      }),

    /** Makes the new bundle live, verifies it and puts it on disk; on failure puts the old back. */
    commit: (swapId) =>
      alone(`commit swap ${swapId}`, '', async () => {
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

    /** Puts the old bundle back; resolves to what is served then. Null: this swap is not open here. */
    abort: (swapId) =>
      alone(`abort swap ${swapId}`, '', async () => {
        const entry = await find(journal, swapId);
        if (entry === null) return null;
        await named(`abort swap ${swapId} on ${node}`, pems(entry), () => putBack(parts, entry));
        const now = (await haproxy.list()).find(({ path }) => path === entry.path);
        const { fingerprint = entry.fingerprintOld, notAfter = '', names = [] } = now ?? {};
        return { ...reading(node, entry), fingerprint, notAfter, names };
      }),

    /** Closes the journal of a committed swap. Null: this swap is not open here. */
    finish: (swapId) =>
      alone(`finish swap ${swapId}`, '', async () => {
        const entry = await find(journal, swapId);
        if (entry === null) return null;
        if (entry.phase !== 'committed') throw notNow('finish', entry, node);
        await journal.remove(swapId);
        return reading(node, entry);
      }),

    /** For every start, again while something is unresolved, and when HAProxy is back. Rejects only without a journal. */
    recover: (onlyAborting = false) =>
      alone('recover swaps', '', async () => {
        const { entries, damaged } = await journal.read();
        const swaps: SwapRecovery[] = [];
        const open = entries.filter(({ phase }) => !onlyAborting || phase === 'aborting');
        for (const entry of open) swaps.push(await resume(parts, entry));
        return { swaps, damaged };
      }),
  };
}

const pems = (entry: SwapEntry): readonly string[] => [entry.oldPem, entry.newPem];

const reading = (node: string, entry: SwapEntry): SwapReading => ({
  node,
  path: entry.path,
  fingerprintBefore: entry.fingerprintBefore,
  fingerprint: entry.fingerprint,
  notAfter: entry.notAfter,
  names: entry.names,
  warnings: entry.warnings,
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
    'compare disk, memory and peer (proxyctl doctor), then push again',
    true,
  );
}

const find = async (journal: SwapJournal, swapId: string): Promise<SwapEntry | null> =>
  (await openSwaps(journal)).find((entry) => entry.swapId === swapId) ?? null;

function refuseSecond([other]: readonly SwapEntry[], node: string): void {
  if (other === undefined) return;
  throw refuse(
    'conflict',
    'swap_open',
    `swap ${other.swapId} of ${other.path} is open on ${node}`,
    `it is ${other.phase}`,
    'let it finish, then push again',
    true,
  );
}

function sameAgain(entry: SwapEntry, request: SwapPrepare, node: string): SwapEntry {
  const samePath = request.path === null || request.path === entry.path;
  if (!samePath || bundleText(blocksOf(request.pem)) !== entry.newPem)
    throw refuse(
      'conflict',
      'swap_id_used',
      `swap ${entry.swapId} on ${node} is about another bundle`,
      `it replaces ${entry.path}`,
      'push again with a new id',
    );
  if (entry.phase !== 'prepared') throw notNow('prepare', entry, node);
  return entry;
}

const notNow = (verb: string, entry: SwapEntry, node: string) =>
  refuse(
    'conflict',
    'swap_phase',
    `${verb} swap ${entry.swapId} on ${node}: it is ${entry.phase}`,
    `it replaces ${entry.path}`,
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

/** Runs a step that changes things; when it fails this node is as before, or the error says so. */
async function orPutBack<T>(
  parts: NodeSwapParts,
  entry: SwapEntry,
  run: () => Promise<T>,
): Promise<T> {
  const what = `swap ${entry.path} on ${parts.node}`;
  try {
    return await run();
  } catch (caught) {
    const failure = asFailure(what, caught, pems(entry));
    try {
      await putBack(parts, entry);
    } catch (again) {
      const second = asFailure(`put ${entry.path} back on ${parts.node}`, again, pems(entry));
      throw refuse(
        'result-unknown',
        'not_put_back',
        `${failure.message}; ${second.message}`,
        [failure.detail.cause, second.detail.cause].filter((cause) => cause !== '').join('; '),
        second.detail.remediation || 'it is put back when the agent starts again',
        true,
      );
    }
    throw failure;
  }
}

async function resume(parts: NodeSwapParts, entry: SwapEntry): Promise<SwapRecovery> {
  const { haproxy, files, node } = parts;
  const { swapId, path, fingerprint, fingerprintOld } = entry;
  try {
    if (entry.phase !== 'committed') {
      await putBack(parts, entry);
      const now = (await inMemory(haproxy, path)) ?? fingerprintOld;
      return { swapId, path, state: 'aborted', fingerprint: now, problem: '' };
    }
    const memory = await inMemory(haproxy, path);
    const disk = await files.read(path);
    const [what] = [
      ...(memory === fingerprint ? [] : ['HAProxy has another certificate in memory']),
      ...(disk === entry.newPem || entry.already ? [] : ['the file on disk is another one']),
    ];
    if (what === undefined) return { swapId, path, state: 'committed', fingerprint, problem: '' };
    const problem = `swap ${swapId} of ${path} was committed on ${node}, and ${what}`;
    return { swapId, path, state: 'unresolved', fingerprint: memory ?? '', problem };
  } catch (caught) {
    const { message } = asFailure(`recover swap ${swapId} on ${node}`, caught, pems(entry));
    return { swapId, path, state: 'unresolved', fingerprint: '', problem: message };
  }
}
