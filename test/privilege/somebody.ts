import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

/** Only root can give files away: for others these tests are skipped by name. */
export const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** A user that nothing here runs as. */
export const SOMEBODY = { name: 'somebody', uid: 64_001, gid: 64_002 };

/** An empty folder, without a link in its path, that goes with the test. */
export function folderOf(t: ExecutionContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'proxyctl-account-')));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
