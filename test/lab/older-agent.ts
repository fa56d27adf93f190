import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { licencesOf } from '../../packaging/licences.ts';
import { bundleAgent } from '../../packaging/programs.ts';
import { OLDER_AGENTS, olderHelper, olderProgram } from './agent-program.ts';
import { CHECKOUT } from './plan.ts';

// The agent of a commit as a fixture: npm run older-agent -- COMMIT

function run(file: string, args: readonly string[], cwd = CHECKOUT): string {
  return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The tree of a commit under `folder`, built with the npm packages of its own lock file. */
function built(commit: string, folder: string): void {
  const archive = join(folder, 'tree.tar');
  run('git', ['archive', '--output', archive, commit]);
  run('tar', ['-xf', archive, '-C', folder]);
  rmSync(archive);
  const lock = (root: string): string => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lock(folder) === lock(CHECKOUT))
    symlinkSync(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  else
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  run(process.execPath, [join(folder, 'test/build.mjs'), '--quiet'], folder);
}

/** Compressed without a time, and with the same system in its header (RFC 1952, section 2.3) everywhere. */
function packed(text: string): Buffer {
  const bytes = gzipSync(text, { level: 9 });
  bytes.fill(0, 4, 8);
  bytes[9] = 255;
  return bytes;
}

async function make(wanted: string): Promise<void> {
  const full = run('git', ['rev-parse', '--verify', `${wanted}^{commit}`]).trim();
  const commit = full.slice(0, 7);
  const folder = mkdtempSync(join(tmpdir(), 'older-agent-'));
  try {
    built(full, folder);
    const { text, packages } = await bundleAgent(folder, true);
    // The bundle has no comments, and the licences of what is in it want to go with it.
    const licences = licencesOf(folder, packages).replaceAll('*/', '* /');
    mkdirSync(OLDER_AGENTS, { recursive: true });
    const bytes = packed(`${text}/*\n${licences}*/\n`);
    writeFileSync(olderProgram(commit), bytes);
    copyFileSync(join(folder, 'agent/privilege/helper.sh'), olderHelper(commit));
    process.stdout.write(`${olderProgram(commit)}\n${Math.ceil(bytes.length / 1024)} KiB\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [wanted, ...more] = process.argv.slice(2);
try {
  if (wanted === undefined || wanted.startsWith('-') || more.length > 0)
    throw new Error('usage: npm run older-agent -- COMMIT');
  if (!existsSync(join(CHECKOUT, '.git'))) throw new Error('this tree is no git repository');
  await make(wanted);
} catch (error) {
  process.stderr.write(`older-agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
