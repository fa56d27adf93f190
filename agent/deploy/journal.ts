import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { SWAP_PHASES } from '../core/certs/swap.ts';
import type { PushEntry } from '../core/deploy/push-messages.ts';
import { isSystemError, replaceFile, syncDirectory } from '../sys/files.ts';
import { sealed } from '../sys/sealed.ts';

/** The one push that is open here, and what was signed. */
export interface PushJournal {
  /** On disk when it resolves. */
  write(entry: PushEntry): Promise<void>;
  /** The same with the message, which stays until it is removed. */
  begin(entry: PushEntry, message: Uint8Array): Promise<void>;
  /** Null: none is open. Rejects with a sentence for one that is not whole; it is set aside. */
  read(): Promise<PushEntry | null>;
  /** Rejects with a sentence where it is not there. */
  message(entry: PushEntry): Promise<Uint8Array>;
  /** Done twice it changes nothing. */
  remove(): Promise<void>;
}

const entry = v.strictObject({
  pushId: v.string(),
  phase: v.picklist(SWAP_PHASES),
  decided: v.boolean(),
  number: v.number(),
  already: v.boolean(),
  digest: v.string(),
  coordinator: v.string(),
  members: v.array(v.string()),
  settleMs: v.number(),
  actor: v.string(),
  reason: v.string(),
  before: v.strictObject({
    pid: v.number(),
    up: v.array(v.string()),
    certificates: v.record(v.string(), v.string()),
  }),
});
const file = sealed<PushEntry>('push', 1, entry);

/** In `directory`, made with mode 0700: `push.json`, and `push.cms` with what was signed. */
export function pushJournal(directory: string): PushJournal {
  const journal = join(directory, 'push.json');
  const signed = join(directory, 'push.cms');
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await replaceFile(path, content, 0o600);
  };
  const write = (one: PushEntry): Promise<void> => put(journal, file.text(one));
  return {
    write,
    async begin(one, message) {
      await put(signed, message);
      await write(one);
    },
    async read() {
      let text: string;
      try {
        text = await readFile(journal, 'utf8');
      } catch (error) {
        if (isSystemError(error, 'ENOENT')) return null;
        throw error;
      }
      const found = file.read(text);
      if (found !== null) return found;
      await rename(journal, `${journal}.damaged`);
      await syncDirectory(directory);
      throw new Error(`read journal ${journal}: damaged, set aside as push.json.damaged`);
    },
    message: () => readFile(signed),
    async remove() {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await rm(journal, { force: true });
      await rm(signed, { force: true });
      await syncDirectory(directory);
    },
  };
}
