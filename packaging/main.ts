import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clientArchive } from './client.ts';
import { DIRECTORIES } from './contents.ts';
import { sha256, type PackageFile } from './manifest.ts';
import { contentsOf, factsOf, packed } from './package.ts';
import { bundlePrograms } from './programs.ts';
import { treeAt, type Tree } from './tree.ts';

const USAGE = `usage: npm run package -- [--allow-dirty] [--output FOLDER]
       npm run package -- --stage FOLDER

Builds dist-package/proxyctl-VERSION.pkg from this tree, for FreeBSD's pkg(8),
and proxyctl-VERSION.tgz, proxyctl alone for operators' machines, for npm or tar.
  --allow-dirty    from a tree with changes too; the version then ends in .dirty
  --output FOLDER  another folder than dist-package
  --stage FOLDER   only puts the files under FOLDER, as a port wants them
Its times are those of the commit, or SOURCE_DATE_EPOCH.`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

function end(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function options(): {
  readonly 'allow-dirty': boolean;
  readonly output: string;
  readonly stage: string;
} {
  try {
    return parseArgs({
      options: {
        'allow-dirty': { type: 'boolean', default: false },
        output: { type: 'string', default: join(root, 'dist-package') },
        stage: { type: 'string', default: '' },
      },
    }).values;
  } catch (error) {
    return end(2, `package: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** Seconds since 1970 for every file of the package. */
function timeOf(tree: Tree | null): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined) {
    if (/^\d{1,10}$/.test(given)) return Number(given);
    return end(2, `package: SOURCE_DATE_EPOCH must be seconds since 1970, not ${given}`);
  }
  if (tree !== null) return tree.date;
  return end(2, 'package: this tree is no git repository; set SOURCE_DATE_EPOCH to its date');
}

function refuseChanges(tree: Tree | null, allowed: boolean): void {
  if (tree === null || tree.changed.length === 0 || allowed) return;
  const shown = tree.changed.slice(0, 20).map((file) => `  ${file}`);
  if (tree.changed.length > 20) shown.push(`  and ${tree.changed.length - 20} more`);
  end(
    1,
    `package: the tree has changes that no commit holds:\n${shown.join('\n')}\n` +
      'commit them, or use --allow-dirty, which marks the version',
  );
}

function stage(folder: string, files: readonly PackageFile[]): void {
  for (const { path, mode, content } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const target = join(folder, path);
    rmSync(target, { force: true });
    if (Buffer.isBuffer(content)) {
      writeFileSync(target, content);
      chmodSync(target, mode);
    } else symlinkSync(content.link, target);
  }
  for (const { path } of DIRECTORIES) mkdirSync(join(folder, path), { recursive: true });
}

const { 'allow-dirty': allowDirty, output, stage: stageFolder } = options();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
};
try {
  if (stageFolder === '') {
    const tree = treeAt(root);
    refuseChanges(tree, allowDirty);
    const mtime = timeOf(tree);
    const name = tree !== null && tree.changed.length > 0 ? `${version}.dirty` : version;
    const programs = await bundlePrograms(root);
    const files = contentsOf(root, programs);
    const { archive, plain } = packed(files, factsOf(root, name, tree?.commit ?? null), mtime);
    const client = clientArchive(root, programs, name, mtime);
    mkdirSync(output, { recursive: true });
    const path = join(output, `proxyctl-${name}.pkg`);
    writeFileSync(path, archive);
    writeFileSync(path.replace(/pkg$/, 'tgz'), client);
    process.stdout.write(
      `${path}\n${files.length} files, ${Math.ceil(archive.length / 1024)} KiB\n` +
        `sha256 ${sha256(archive)}\nbefore compression ${sha256(plain)}\n` +
        `${path.replace(/pkg$/, 'tgz')}\n${Math.ceil(client.length / 1024)} KiB, sha256 ${sha256(client)}\n`,
    );
  } else {
    const files = contentsOf(root, await bundlePrograms(root));
    stage(stageFolder, files);
    process.stdout.write(`${files.length} files under ${stageFolder}\n`);
  }
} catch (error) {
  end(1, `package: ${error instanceof Error ? error.message : String(error)}`);
}
