// Runs the tests and closes with the real counts: skips by name, then `N passed, N failed`.
//   node test/run.mjs [FILE|FOLDER...]    only these tests (paths under dist/test)
// What takes minutes lies in dist/test/long, what needs other programs in dist/test/observed; both
// run only when named: npm run test:long, npm run test:observed.
// Tests of the pair in the lab run two files side by side, never two that measure; what failed runs again, alone.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withoutSettings } from './surroundings.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs');
const chosen = process.argv.slice(2);
const files = chosen.length > 0 ? chosen.flatMap(named) : testFiles(join(root, 'dist', 'test'));
const pair = files.filter((file) => /dist\/test\/(pair|long|observed)\//.test(file));
const others = files.filter((file) => !pair.includes(file));

// Modes of files are what the tests ask for, whoever calls.
process.umask(0o022);
const env = withoutSettings(process.env);
const all = { passed: 0, failed: 0, skipped: [] };
add(await runAva(others, ['--concurrency', '2']));
const measuring = pair.filter((file) => !isPatient(file));
const patient = pair.filter(isPatient);
const again = [];
await Promise.all([lane(measuring, patient), lane(patient)]);
for (const file of again) add(await runOnLab(file));

for (const title of all.skipped) console.log('skipped:', title);
console.log(`${all.passed} passed, ${all.failed} failed`);
process.exitCode = all.failed > 0 || all.passed === 0 ? 1 : 0;

/** Lab files that hold nothing against a clock of milliseconds. */
function isPatient(file) {
  const patient =
    'acme audit certificates doctor draining events hidden identity lab newer notify older packaged ' +
    'privilege releases servers setup trouble ucarp wire wishes';
  return patient.split(' ').some((name) => file.endsWith(`/pair/${name}.test.js`));
}

/**
 * Runs one file after the other until the queues are empty. Lab tests measure real packets against
 * bounds in milliseconds, which a busy machine can break: a file that failed is run once more, and
 * the line `again:` says so. What fails twice has failed.
 */
async function lane(...queues) {
  for (;;) {
    const file = queues.find((queue) => queue.length > 0)?.shift();
    if (file === undefined) return;
    const counts = await runOnLab(file);
    if (counts.failed === 0) add(counts);
    else {
      console.log(`again: ${file} (${counts.failed} failed the first time)`);
      again.push(file);
    }
  }
}

function add({ passed, failed, skipped }) {
  all.passed += passed;
  all.failed += failed;
  all.skipped.push(...skipped);
}

async function runOnLab(file) {
  const long = file.includes('dist/test/long/');
  const startedMs = performance.now();
  const counts = await runAva([file], ['--concurrency', '1', '--timeout', long ? '20m' : '180s']);
  console.log(`${file}: ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  return counts;
}

async function runAva(some, options) {
  const counts = { passed: 0, failed: 0, skipped: [] };
  if (some.length === 0) return counts;
  const child = spawn(process.execPath, [ava, '--tap', ...options, ...some], {
    cwd: root,
    env,
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
    if (skip !== null) counts.skipped.push(title.slice(0, skip.index));
    else if (failing) {
      counts.failed++;
      console.log(`not ok: ${title}`);
    } else {
      counts.passed++;
      console.log(`ok: ${title}`);
    }
  }
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('close', resolve)));
  // Failed tests make ava's exit code too; this is for a run that ended without saying which.
  if (code !== 0 && counts.failed === 0) {
    counts.failed++;
    console.log(`not ok: the run itself: ava ended with ${code}, see above`);
  }
  return counts;
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter(
      (file) => /(long|observed)$/.test(folder) || !/dist\/test\/(long|observed)\//.test(file),
    )
    .sort();
}

function named(path) {
  return path.endsWith('.js') ? [path] : testFiles(join(root, path));
}
