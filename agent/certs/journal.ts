import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareStamps } from '../core/intents.ts';
import { parseJournal, serialise, type SwapEntry } from './entry.ts';
import { replaceFile, syncDirectory } from '../sys/files.ts';

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
  /** Closes a swap and keeps it as the previous one of its certificates, for a rollback. */
  keep(swapId: string): Promise<void>;
  /** The swaps that were kept, newest first. */
  kept(): Promise<readonly SwapEntry[]>;
}

/**
 * Journals of swaps in `directory` (made with mode 0700), one file each with mode 0600, because
 * they hold private keys: `swap-ID.json` is open, `previous-ID.json` was finished.
 */
export const swapJournal = (directory: string): SwapJournal => ({
  async write(entry) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replaceFile(fileOf(directory, 'swap', entry.swapId), serialise(entry), 0o600);
  },

  async read() {
    const entries: SwapEntry[] = [];
    const damaged: JournalError[] = [];
    for (const name of await namesIn(directory)) {
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
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await rm(fileOf(directory, 'swap', swapId), { force: true });
    await syncDirectory(directory);
  },

  async keep(swapId) {
    await rename(fileOf(directory, 'swap', swapId), fileOf(directory, 'previous', swapId));
    const covered = new Set<string>();
    // A kept swap whose certificates all have newer ones is of no use, and holds keys.
    for (const { swapId: id, items } of await keptIn(directory)) {
      const names = items.map(({ name }) => name);
      if (names.every((name) => covered.has(name)))
        await rm(fileOf(directory, 'previous', id), { force: true });
      for (const name of names) covered.add(name);
    }
    await syncDirectory(directory);
  },

  kept: () => keptIn(directory),
});

async function keptIn(directory: string): Promise<SwapEntry[]> {
  const files = (await namesIn(directory)).filter((name) => /^previous-.*\.json$/.test(name));
  const entries: SwapEntry[] = [];
  for (const name of files) {
    const entry = parseJournal(await readFile(join(directory, name), 'utf8'));
    if (entry !== null) entries.push(entry);
  }
  return entries.sort((a, b) => compareStamps(b.stamp, a.stamp));
}

async function namesIn(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return (await readdir(directory)).sort();
}

/** Ids come from peers; one that is no plain word never becomes a path. */
function fileOf(directory: string, kind: 'swap' | 'previous', swapId: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(swapId))
    return join(directory, `${kind}-${swapId}.json`);
  throw new JournalError(`journal of swap ${JSON.stringify(swapId.slice(0, 100))}: not an id`);
}
