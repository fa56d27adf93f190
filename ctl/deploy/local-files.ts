import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DeployedFile, Deployment } from '../../agent/core/deploy/deployment.ts';
import { MOST_BYTES, MOST_FILES } from '../../agent/core/deploy/deployment.ts';
import type { ActFailure } from '../../agent/core/results.ts';
import { usage } from '../failure.ts';
import { readAtMost } from '../files.ts';

/**
 * The configuration at a path of this machine: one file, or a directory with all below it in the
 * order of their names, without what begins with a dot. Throws ActFailure 'usage' for a link or
 * anything else in a directory that is no plain file, for too much, and for what cannot be read.
 */
export function localFiles(path: string): Pick<Deployment, 'form' | 'files'> {
  try {
    if (!statSync(path).isDirectory()) {
      const content = readAtMost(path, MOST_BYTES);
      if (content === null) throw tooLarge(path);
      return { form: 'file', files: [{ path: basename(path), content }] };
    }
    const files: DeployedFile[] = [];
    let bytes = 0;
    for (const one of namesBelow(path, '')) {
      bytes += lstatSync(join(path, one)).size;
      if (files.length >= MOST_FILES || bytes > MOST_BYTES) throw tooLarge(path);
      files.push({ path: one, content: readFileSync(join(path, one)) });
    }
    return { form: 'directory', files };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw usage(
      `${path} cannot be read`,
      'name a file or a directory that you may read',
      error.message,
    );
  }
}

function* namesBelow(folder: string, below: string): Generator<string> {
  const found = readdirSync(join(folder, below), { withFileTypes: true });
  const seen = found.filter(({ name }) => !name.startsWith('.'));
  for (const entry of seen.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* namesBelow(folder, path);
    else if (entry.isFile()) yield path;
    else
      throw usage(
        `${join(folder, path)} is ${entry.isSymbolicLink() ? 'a link' : 'no file'}`,
        'a configuration has plain files alone: put the file itself there',
      );
  }
}

const tooLarge = (path: string): ActFailure =>
  usage(
    `${path} is larger than a configuration can be`,
    `at most ${MOST_FILES} files and ${MOST_BYTES} bytes; keep other files elsewhere`,
  );
