import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isSystemError } from '../sys/files.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { VERSION } from '../version.ts';

const LOOK_MS = 60_000;

/**
 * Says within a minute that the program at `path` is another file than at the
 * start: pkg(8) replaces it under the running agent, which goes on with what
 * it has read. Looks on where the file cannot be asked for.
 */
export function watchInstalled(path: string, clock: Clock, problems: Problems): { stop(): void } {
  const first = markOf(statSync(path));
  const again = (): (() => void) => clock.after(LOOK_MS, () => void look());
  let cancel = again();
  let stopped = false;

  async function look(): Promise<void> {
    const mark = await stat(path).then(markOf, (error: unknown) =>
      isSystemError(error, 'ENOENT') ? null : first,
    );
    if (stopped) return;
    if (mark === first) problems.clear('installed');
    else {
      const now = mark === null ? 'is no longer installed' : 'was replaced on disk';
      const cause = `restart needed: proxyagent ${VERSION} runs and ${now}`;
      problems.raise('installed', cause, 'service proxyagent restart; it moves no address');
    }
    cancel = again();
  }

  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** Of the inode too: files of a package carry the date of their commit. */
const markOf = ({ ino, size, mtimeMs }: { ino: number; size: number; mtimeMs: number }): string =>
  `${ino} ${size} ${mtimeMs}`;
