import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { SWAP_PHASES } from '../core/certs/swap.ts';
import type { PushEntry } from '../core/deploy/push-messages.ts';
import { isSystemError, syncDirectory } from '../sys/files.ts';

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
const file = v.strictObject({ version: v.literal(1), sha256: v.string(), push: v.string() });

/** In `directory`, made with mode 0700: `push.json`, and `push.cms` with what was signed. */
export function pushJournal(directory: string): PushJournal {
  const journal = join(directory, 'push.json');
  const signed = join(directory, 'push.cms');
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const beside = `${path}.new`;
    await rm(beside, { force: true });
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    await rename(beside, path);
    await syncDirectory(directory);
  };
  const write = (one: PushEntry): Promise<void> => {
    const push = JSON.stringify(one);
    return put(journal, `${JSON.stringify({ version: 1, sha256: sumOf(push), push })}\n`);
  };
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
      const found = parsed(text);
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

function parsed(text: string): PushEntry | null {
  const outer = v.safeParse(file, fromJson(text));
  if (!outer.success || outer.output.sha256 !== sumOf(outer.output.push)) return null;
  const inner = v.safeParse(entry, fromJson(outer.output.push));
  return inner.success ? inner.output : null;
}

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
