// Runs the tests and closes with the real counts: skips by name, then `N passed, N failed`.
//   node test/run.mjs [FILE...]    only these test files (paths under dist/test)
// Tests of the pair in the lab run one after the other; the others side by side.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs');
const chosen = process.argv.slice(2);
const files = chosen.length > 0 ? chosen : testFiles(join(root, 'dist', 'test'));
const pair = files.filter((file) => file.includes('dist/test/pair/'));
const others = files.filter((file) => !pair.includes(file));

const counts = { passed: 0, failed: 0 };
const skipped = [];
let broken = false;
await runAva(others, ['--concurrency', '2']);
await runAva(pair, ['--concurrency', '1', '--timeout', '180s']);

for (const title of skipped) console.log(`skipped: ${title}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 || broken || counts.passed === 0 ? 1 : 0;

async function runAva(some, options) {
  if (some.length === 0) return;
  const child = spawn(process.execPath, [ava, '--tap', ...options, ...some], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let failing = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const result = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (result === null) {
      if (failing && !line.startsWith('#') && !/^\d+\.\.\d+$/.test(line)) console.log(line);
      continue;
    }
    const [, not, title] = result;
    const skip = / # (?:SKIP|TODO)\b/i.exec(title);
    failing = not !== undefined && skip === null;
    if (skip !== null) skipped.push(title.slice(0, skip.index));
    else if (failing) {
      counts.failed++;
      console.log(`not ok: ${title}`);
    } else {
      counts.passed++;
      console.log(`ok: ${title}`);
    }
  }
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('close', resolve)));
  if (code !== 0) broken = true;
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}
