import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { mutantsOf, mutated } from './mutants.ts';
import { linesOf, readSame } from './same.ts';

test('the list: reasons hold up to the next empty line, files up to the next file', (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'same-')), 'same.txt');
  const text =
    '# Sorted by\n# name.\nagent/a.ts\n- x < y\n+ x <= y\n+ x > y\n\n# Other.\n- z\n+ w\n';
  writeFileSync(path, text);
  const why = 'Sorted by name.';
  const file = 'agent/a.ts';
  t.deepEqual(readSame(path), [
    { file, was: 'x < y', becomes: 'x <= y', why },
    { file, was: 'x < y', becomes: 'x > y', why },
    { file, was: 'z', becomes: 'w', why: 'Other.' },
  ]);
});

test('a mutant is named by its line before and after', (t) => {
  const text = 'f();\n  if (a) {\n  }\nlast';
  t.deepEqual(linesOf(text, text.replace('a', 'b'), 11), ['if (a) {', 'if (b) {']);
  t.deepEqual(linesOf(text, text.replace('f()', 'g()'), 0), ['f();', 'g();']);
  t.deepEqual(linesOf(text, `${text}!`, text.length - 1), ['last', 'last!']);
});

test('what stands in the list is a mutant of the present program, with a reason', (t) => {
  const built = (file: string): string =>
    readFileSync(new URL(`../../${file.replace(/\.ts$/, '.js')}`, import.meta.url), 'utf8');
  const list = readSame(fileURLToPath(new URL('../../../test/mutate/same.txt', import.meta.url)));
  t.deepEqual(
    list.filter(({ why }) => why === ''),
    [],
  );
  for (const file of new Set(list.map((one) => one.file))) {
    const text = built(file);
    const known = new Set(
      mutantsOf(text).map((one) => linesOf(text, mutated(text, one), one.start).join('\n')),
    );
    t.deepEqual(
      list.filter((one) => one.file === file && !known.has(`${one.was}\n${one.becomes}`)),
      [],
    );
  }
});
