// Runs the tests with another Node than the one that runs this: the package depends on node24.
//   npm run test:node -- VERSION [FILE|FOLDER...]    24 or 24.21.0; then as test/run.mjs
//   npm run bench:node -- VERSION NAME               one benchmark, built with that Node
// The programs of that Node come from npm's registry, into node_modules/.cache. What the tests
// start runs with it too; a native module stays built for the Node of the machine, so that
// echo probes use ping(8).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bench = process.argv[2] === 'bench';
const [version = '', ...args] = process.argv.slice(bench ? 3 : 2);
if (!/^\d+(\.\d+){0,2}$/.test(version)) {
  const usage = bench ? 'bench:node -- VERSION NAME' : 'test:node -- VERSION [FILE|FOLDER...]';
  console.error(`usage: npm run ${usage}    VERSION as 24 or 24.21.0`);
  process.exit(2);
}
const node = installed();
const said = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
if (said !== `v${version}` && !said.startsWith(`v${version}.`)) {
  console.error(`${node} is ${said === '' ? 'no program here' : said}, not ${version}`);
  process.exit(1);
}
if (!bench) console.log(`the tests run with Node ${said}`);
// The bundles hold code that V8 has compiled, which another Node compiles anew at every start.
const steps = bench
  ? [
      ['test/build.mjs', '--quiet'],
      ['dist/test/bench/main.js', ...args],
    ]
  : [['test/run.mjs', ...args]];
for (const [script, ...rest] of steps) {
  const { status } = spawnSync(node, [join(root, script), ...rest], {
    cwd: root,
    stdio: 'inherit',
    // What asks env(1) for node gets the same.
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
  });
  process.exitCode = status ?? 1;
  if (status !== 0) break;
}

/** The program, which npm's package `node` would fetch by an install script: no such script runs here. */
function installed() {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules/.cache/node', version);
  const program = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  console.error(`installing ${name}@${version} (npm install)`);
  mkdirSync(folder, { recursive: true });
  const flags = ['--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  const install = ['install', '--prefix', folder, ...flags, '--loglevel=error'];
  const npm = spawnSync('npm', [...install, `${name}@${version}`], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status === 0 && existsSync(program)) return program;
  console.error(
    `Node ${version} is not to be had: npm has no ${name}@${version}, or is not reached`,
  );
  process.exit(1);
}
