import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
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
