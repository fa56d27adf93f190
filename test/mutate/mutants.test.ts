import test from 'ava';
import { mutantsOf, mutated } from './mutants.ts';

/** What each mutant makes of a line. */
const lines = (text: string): string[] => mutantsOf(text).map((one) => mutated(text, one));

test('comparisons, && and ||, signs and conditions are turned round, each once', (t) => {
  t.deepEqual(lines('a < b;'), [';', 'a <= b;']);
  t.deepEqual(lines('x = a >= 2;'), [';', 'x = a > 2;', 'x = a >= 4;']);
  t.deepEqual(lines('x = a && !b;'), [';', 'x = a || !b;', 'x = a && b;']);
  t.deepEqual(lines('x = a ?? b;'), [';', 'x = (b);']);
  t.deepEqual(lines('x += a - b;'), [';', 'x -= a - b;', 'x += a + b;']);
  t.deepEqual(lines('if (a === b) c();'), ['if (a !== b) c();', 'if (a === b) ;']);
  t.deepEqual(lines('if (!a) c();'), ['if (a) c();', 'if (!a) ;']);
  t.deepEqual(lines('if (a) c();'), ['if (!(a)) c();', 'if (a) ;']);
});

test('numbers, truth, arrays, filters and what is said of one or all are changed', (t) => {
  t.deepEqual(lines('x = 0;'), [';', 'x = 1;']);
  t.deepEqual(lines('x = 240;'), [';', 'x = 480;']);
  t.deepEqual(lines('x = true;'), [';', 'x = false;']);
  t.deepEqual(lines('x = [a];'), [';', 'x = [];']);
  t.deepEqual(lines('x = [];'), [';']);
  t.deepEqual(lines('x = a.some(f);'), [';', 'x = a.every(f);']);
  t.deepEqual(lines('x = Math.min(a, b);'), [';', 'x = Math.max(a, b);']);
  t.deepEqual(lines('x = a.filter(f).length;'), [';', 'x = a.length;']);
});

test('statements and whole bodies are taken away, and texts are left', (t) => {
  t.deepEqual(lines('throw e;'), [';']);
  t.deepEqual(lines("x = a + 'text';"), [';']);
  t.deepEqual(lines("'use strict';"), []);
  t.deepEqual(lines('function f() { g(); return a; }'), [
    'function f() {}',
    'function f() { ; return a; }',
  ]);
  t.deepEqual(lines('for (;;) { continue; }'), ['for (;;) { ; }']);
});
