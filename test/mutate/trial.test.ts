import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { mutantsOf, mutated } from './mutants.ts';
import { removeShadow, shadowOf } from './shadow.ts';
import { measure, tryMutant } from './trial.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULE = 'dist/agent/core/smaller.js';
const SMALLER = `export const smaller = (a, b) => {
  let from = a;
  while (from > b) from -= 1;
  return from;
};
export const never = () => 5;
`;

/** A tree with one module and these tests of it, by name. */
function tree(tests: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mutate-tree-'));
  for (const folder of ['dist/agent/core', 'dist/test/core', 'dist/test/mutate', 'node_modules'])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(join(root, MODULE), SMALLER);
  for (const name of ['ava.js', 'run-tests.js'])
    copyFileSync(join(HERE, name), join(root, 'dist/test/mutate', name));
  const imports = `import test from 'ava';\nimport { smaller } from '../../agent/core/smaller.js';\n`;
  for (const [name, text] of Object.entries(tests))
    writeFileSync(join(root, `dist/test/core/${name}.test.js`), imports + text);
  return root;
}

test('a mutant is noticed by a failing test or by one that never ends, and one that no test minds is not', async (t) => {
  const root = tree({
    holds: `test('a', (t) => t.deepEqual([smaller(1, 2), smaller(5, 2)], [1, 2]));
            test('b', async (t) => t.is(await smaller(1, 1), 1));`,
    broken: `test('c', (t) => t.is(smaller(1, 2), 7));`,
  });
  const shadow = shadowOf(root);
  t.teardown(() => [root, shadow].forEach(removeShadow));
  const said: string[] = [];
  const measured = await measure([shadow], [MODULE], (line) => said.push(line));
  t.deepEqual(
    measured.map(({ file }) => file),
    ['dist/test/core/holds.test.js'],
  );
  t.regex(said.join(), /^dist\/test\/core\/broken\.test\.js is left out: failed; not ok: c/);
  const ends: Record<string, string> = {};
  for (const mutant of mutantsOf(SMALLER)) {
    const line = mutated(SMALLER, mutant).split('\n')[2] ?? '';
    if (!line.includes('while') || SMALLER.includes(line)) continue;
    const one = { file: MODULE, text: SMALLER, mutant };
    ends[line.trim()] = await tryMutant(shadow, one, measured, 1000);
  }
  t.deepEqual(ends, {
    'while (!(from > b)) from -= 1;': 'time',
    'while (from >= b) from -= 1;': 'failed',
    'while (from > b) ;': 'time',
    'while (from > b) from += 1;': 'time',
    'while (from > b) from -= 2;': 'failed',
  });
  const never = mutantsOf(SMALLER).at(-1);
  if (never === undefined) throw new Error('no mutant');
  t.is(await tryMutant(shadow, { file: MODULE, text: SMALLER, mutant: never }, measured), 'nobody');
  t.is(readFileSync(join(shadow, MODULE), 'utf8'), SMALLER, 'the copy is as it was');
  t.is(readFileSync(join(root, MODULE), 'utf8'), SMALLER, 'and the tree was never touched');
});

test('every way a test can fail is a failure in the stand-in', async (t) => {
  const fails = {
    asserts: `t.true(smaller(1, 2) === 2)`,
    swallows: `try { t.fail(); } catch {}`,
    throws: `throw new Error('x')`,
    rejects: `await Promise.reject(new Error('x'))`,
    like: `t.like({ a: { b: 1, c: 2 } }, { a: { b: 2 } })`,
    regex: `t.regex('abc', /d/)`,
    nothing: `await t.throwsAsync(async () => 1)`,
    other: `t.throws(() => { throw new TypeError('x'); }, { instanceOf: RangeError })`,
    message: `t.throws(() => { throw new Error('x'); }, { message: /y/ })`,
    teardown: `t.teardown(() => { throw new Error('x'); })`,
    later: `await new Promise(() => {})`,
  };
  const holds = {
    like: `t.like({ a: { b: 1, c: 2 } }, { a: { b: 1 } })`,
    error: `t.is(t.throws(() => { throw new Error('x'); }, { message: 'x' }).message, 'x')`,
  };
  const bodies = (of: Readonly<Record<string, string>>, prefix: string) =>
    Object.entries(of).map(([name, body]) => [
      `${prefix}-${name}`,
      `test('x', async (t) => { ${body}; });`,
    ]);
  const root = tree(Object.fromEntries([...bodies(fails, 'fails'), ...bodies(holds, 'holds')]));
  const shadow = shadowOf(root);
  t.teardown(() => [root, shadow].forEach((one) => rmSync(one, { recursive: true })));
  const measured = await measure([shadow], [MODULE], () => {});
  t.deepEqual(measured.map(({ file }) => file).sort(), [
    'dist/test/core/holds-error.test.js',
    'dist/test/core/holds-like.test.js',
  ]);
});
