import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** Debian's, from its package; null: there is none here. */
export function installedChromium(): string | null {
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** A headless Chromium, started by these words in front of its own: in the place of a lab, or here (none). */
export async function startBrowser(
  before: readonly string[] = [],
): Promise<{ readonly browser: Browser; close(): Promise<void> }> {
  const program = installedChromium();
  if (program === null) throw new Error('Chromium is not installed: apt-get install chromium');
  const folder = mkdtempSync(join(tmpdir(), 'browser-'));
  const started = join(folder, 'chromium');
  const words = [...before, program].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  writeFileSync(started, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  const browser = await chromium.launch({
    executablePath: started,
    // As root it has no sandbox; it sees nothing but the agents' page.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    env: { HOME: folder, PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    timeout: 60_000,
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
