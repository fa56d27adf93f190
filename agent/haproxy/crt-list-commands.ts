import { RuntimeError, word, type Runtime } from './runtime.ts';

/** One line of a crt-list as HAProxy has it in memory. */
export interface LoadedEntry {
  readonly path: string;
  /** Its number, which tells lines of one certificate apart; not always that in the file. */
  readonly line: number;
  /** Server names it is served for, patterns with `!` too; empty: those of the certificate. */
  readonly filters: readonly string[];
}

/** Parses `show ssl crt-list -n LIST`; after `alpn` HAProxy prints a NUL byte. */
export const parseEntries = (text: string): LoadedEntry[] =>
  text.split('\n').flatMap((shown) => {
    const [, path = '', line = '', rest = ''] = /^([^#\s]\S*):(\d+)(?:\s+(.*))?$/.exec(shown) ?? [];
    if (path === '') return [];
    const filters = rest.replace(/\[[^\]]*\]/, '').trim();
    return [{ path, line: Number(line), filters: filters === '' ? [] : filters.split(/\s+/) }];
  });

/**
 * What makes a new certificate one of a crt-list, and what takes it back; nothing of it is on
 * disk. Everything rejects with RuntimeError.
 */
export const crtListCommands = (runtime: Runtime) => ({
  /** crt-lists as `bind` lines name them, and directories, without their last slash. */
  async crtLists(): Promise<readonly string[]> {
    return (await runtime('show ssl crt-list')).split('\n').filter((line) => line !== '');
  },

  /** The lines of one of them; none where HAProxy does not use it. */
  async listed(list: string): Promise<readonly LoadedEntry[]> {
    return parseEntries(await runtime(`show ssl crt-list -n ${word(list)}`));
  },

  /** A certificate without content, which `stage` and `commit` fill. */
  async create(path: string): Promise<void> {
    const command = `new ssl cert ${word(path)}`;
    confirmed(command, await runtime(command), 'New empty certificate store');
  },

  /** Deletes a certificate that no listener uses. */
  async drop(path: string): Promise<void> {
    const command = `del ssl cert ${word(path)}`;
    confirmed(command, await runtime(command), 'deleted!');
  },

  /** Adds `line` (path, then filters) at the end; said twice it is there twice. */
  async addToList(list: string, line: string): Promise<void> {
    const command = `add ssl crt-list ${word(list)}`;
    confirmed(command, await runtime(command, line), 'Success!');
  },

  /** Takes one line of a certificate out: clients get others for its names from then on. */
  async removeFromList(list: string, { path, line }: LoadedEntry): Promise<void> {
    const command = `del ssl crt-list ${word(list)} ${word(path)}:${line}`;
    confirmed(command, await runtime(command), 'deleted in crtlist');
  },
});

function confirmed(command: string, reply: string, said: string): void {
  if (!reply.includes(said))
    throw new RuntimeError(command, '', { kind: 'rejected', text: reply.trim() });
}
