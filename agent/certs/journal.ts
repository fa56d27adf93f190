import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { syncDirectory } from './files.ts';

/**
 * How far this node's part of a swap is. Until `committed` a restart puts the old one back;
 * from then on it keeps the new one, unless an abort had begun.
 */
const PHASES = ['prepared', 'committing', 'committed', 'aborting'] as const;

const fields = v.strictObject({
  swap_id: v.string(),
  path: v.string(),
  phase: v.picklist(PHASES),
  already: v.boolean(),
  old_pem: v.string(),
  new_pem: v.string(),
  fingerprint_before: v.string(),
  fingerprint_old: v.string(),
  fingerprint: v.string(),
  not_after: v.string(),
  names: v.array(v.string()),
  warnings: v.array(v.string()),
});
const file = v.strictObject({ version: v.literal(1), sha256: v.string(), swap: fields });

/** One open swap on this node. */
export interface SwapEntry {
  readonly swapId: string;
  readonly path: string;
  readonly phase: (typeof PHASES)[number];
  /** Memory and disk held the new bundle before; nothing is touched. */
  readonly already: boolean;
  /** The file on disk before, byte for byte. */
  readonly oldPem: string;
  /** Normalised. */
  readonly newPem: string;
  /** SHA-1 of the leaf in HAProxy's memory before. */
  readonly fingerprintBefore: string;
  /** SHA-1 of the leaf on disk before. */
  readonly fingerprintOld: string;
  readonly fingerprint: string;
  /** RFC 3339 UTC. */
  readonly notAfter: string;
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

/** A journal that cannot be used as it is; the message names the file. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

export interface SwapJournal {
  /** On disk when it resolves. */
  write(entry: SwapEntry): Promise<void>;
  /** Every open swap, by id; damaged files are set aside and named once. */
  read(): Promise<{
    readonly entries: readonly SwapEntry[];
    readonly damaged: readonly JournalError[];
  }>;
  /** Done twice it changes nothing. */
  remove(swapId: string): Promise<void>;
}

/**
 * Journals of open swaps in `directory` (made with mode 0700), one file each with mode 0600,
 * because they hold private keys.
 */
export const swapJournal = (directory: string): SwapJournal => ({
  async write(entry) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = fileOf(directory, entry.swapId);
    const beside = `${path}.new`;
    await rm(beside, { force: true });
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(serialise(entry));
      await handle.sync();
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    await rename(beside, path);
    await syncDirectory(directory);
  },

  async read() {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const entries: SwapEntry[] = [];
    const damaged: JournalError[] = [];
    for (const name of (await readdir(directory)).sort()) {
      const path = join(directory, name);
      // Cut off between writing and renaming: never was in force, and holds a key.
      if (/^swap-.*\.json\.new$/.test(name)) await rm(path, { force: true });
      if (!/^swap-.*\.json$/.test(name)) continue;
      const entry = parseJournal(await readFile(path, 'utf8'));
      if (entry !== null && `swap-${entry.swapId}.json` === name) entries.push(entry);
      else {
        await rename(path, `${path}.damaged`);
        await syncDirectory(directory);
        damaged.push(
          new JournalError(`read journal ${path}: damaged, set aside as ${name}.damaged`),
        );
      }
    }
    return { entries, damaged };
  },

  async remove(swapId) {
    await rm(fileOf(directory, swapId), { force: true });
    await syncDirectory(directory);
  },
});

/** The entry in the text of a journal file; null when it is not whole or not of this version. */
export function parseJournal(text: string): SwapEntry | null {
  const parsed = v.safeParse(file, fromJson(text));
  if (!parsed.success) return null;
  const { sha256, swap } = parsed.output;
  if (sha256 !== checksum(swap)) return null;
  return {
    swapId: swap.swap_id,
    path: swap.path,
    phase: swap.phase,
    already: swap.already,
    oldPem: swap.old_pem,
    newPem: swap.new_pem,
    fingerprintBefore: swap.fingerprint_before,
    fingerprintOld: swap.fingerprint_old,
    fingerprint: swap.fingerprint,
    notAfter: swap.not_after,
    names: swap.names,
    warnings: swap.warnings,
  };
}

function serialise(entry: SwapEntry): string {
  const swap: v.InferOutput<typeof fields> = {
    swap_id: entry.swapId,
    path: entry.path,
    phase: entry.phase,
    already: entry.already,
    old_pem: entry.oldPem,
    new_pem: entry.newPem,
    fingerprint_before: entry.fingerprintBefore,
    fingerprint_old: entry.fingerprintOld,
    fingerprint: entry.fingerprint,
    not_after: entry.notAfter,
    names: [...entry.names],
    warnings: [...entry.warnings],
  };
  return `${JSON.stringify({ version: 1, sha256: checksum(swap), swap }, null, 1)}\n`;
}

/** Over the fields in their declared order, which valibot's strictObject keeps. */
const checksum = (swap: v.InferOutput<typeof fields>): string =>
  createHash('sha256').update(JSON.stringify(swap)).digest('hex');

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Ids come from peers; one that is no plain word never becomes a path. */
function fileOf(directory: string, swapId: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(swapId))
    return join(directory, `swap-${swapId}.json`);
  throw new JournalError(`journal of swap ${JSON.stringify(swapId.slice(0, 100))}: not an id`);
}
