// Builds dist/ from the TypeScript sources; does nothing when it is up to date.
// --quiet: prints on standard error only, and only what went wrong.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stampFile = join(root, 'dist', '.sources');
const quiet = process.argv.includes('--quiet');

const sources = createHash('sha256');
for (const file of ['package-lock.json', 'tsconfig.json', ...walk('proto'), ...walk('agent')]
  .concat(walk('ctl'), walk('test'))
  .sort()) {
  sources.update(`${file}\0`).update(readFileSync(join(root, file)));
}
const stamp = sources.digest('hex');
if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) process.exit(0);

if (!quiet) console.error('building: proto, TypeScript');
rmSync(join(root, 'dist'), { recursive: true, force: true });
run(process.execPath, [join(root, 'proto/generate.mjs')]);
run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root]);
run(process.execPath, [join(root, 'test/bundle.mjs')]);
for (const script of walk('agent').filter((file) => file.endsWith('.sh')))
  copyFileSync(join(root, script), join(root, 'dist', script));
mkdirSync(dirname(stampFile), { recursive: true });
writeFileSync(stampFile, stamp);

function walk(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === join('proto', 'gen') ? [] : walk(path);
    return /\.(ts|mjs|js|proto|sh)$/.test(entry.name) ? [path] : [];
  });
}

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
