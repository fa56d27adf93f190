import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const APART = new Set(['dist', 'node_modules', '.git']);

/**
 * A copy of what was built, outside the tree, in which mutants are tried: dist is its own, the rest are
 * links to the tree, and `ava` is the stand-in. The caller removes the folder that it returns.
 */
export function shadowOf(root: string): string {
  const shadow = mkdtempSync(join(tmpdir(), 'mutate-'));
  for (const name of readdirSync(root).filter((one) => !APART.has(one)))
    symlinkSync(join(root, name), join(shadow, name));
  cpSync(join(root, 'dist'), join(shadow, 'dist'), { recursive: true });
  const modules = join(shadow, 'node_modules');
  mkdirSync(join(modules, 'ava'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')).filter((one) => one !== 'ava'))
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  writeFileSync(
    join(modules, 'ava', 'package.json'),
    '{"name":"ava","type":"module","exports":"./index.js"}',
  );
  writeFileSync(
    join(modules, 'ava', 'index.js'),
    `export { default } from ${JSON.stringify(join(shadow, 'dist/test/mutate/ava.js'))};\n`,
  );
  return shadow;
}

/** Removes what `shadowOf` made. */
export const removeShadow = (shadow: string): void =>
  rmSync(shadow, { recursive: true, force: true });
