import test from 'ava';
import { ALERTS } from '../../../agent/core/alerts/alert.ts';
import { envelopeText, nodeRows } from '../../../ctl/json/envelope.ts';
import { emptyResult } from '../../rpc/world.ts';
import { statusOf } from '../statuses.ts';
import { EXAMPLES } from './examples.ts';
import { blockOf, rowsOf, section, verbBlocks } from './page.ts';
import { mismatches, shapeOf } from './shape.ts';

/** As a script reads it: what is undefined is absent. */
const printed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('docs/json.md names every verb that has a result, in its order', (t) => {
  t.deepEqual([...verbBlocks().keys()], Object.keys(EXAMPLES));
});

test('the keys of every result are those of docs/json.md, nested ones too', (t) => {
  for (const [verb, block] of verbBlocks())
    t.deepEqual(mismatches(shapeOf(block), (EXAMPLES[verb] ?? []).map(printed)), [], verb);
});

test('the envelope has the keys of docs/json.md, its table says what each is', (t) => {
  const detail = { code: 'c', message: 'm', cause: '', remediation: '', retryable: false };
  const rows = nodeRows(
    { ...emptyResult, nodes: [{ node: 'haproxy01', ok: false, changed: false, error: detail }] },
    null,
  );
  const envelope = {
    verb: 'drain',
    ok: true,
    changed: true,
    requestId: 'r',
    answeredBy: null,
    tookMs: 1,
    result: null,
    nodes: [],
    error: null,
  };
  const both = [envelope, { ...envelope, error: detail, incomplete: ['nodes'] }].map(
    (one) => JSON.parse(envelopeText(one)) as { error?: unknown },
  );
  const keys = rowsOf('The envelope').map(([key]) => key);
  const [, error = ''] = rowsOf('The envelope').at(-1) ?? [];
  const [row = '', moved = ''] = section('The envelope').match(/\{node, ok[^}]*\}/g) ?? [];
  t.deepEqual(Object.keys(both[1] ?? {}), keys);
  t.deepEqual(blockOf(section('The envelope')).match(/\w+/g), keys);
  t.false('error' in (both[0] ?? {}));
  t.false('incomplete' in (both[0] ?? {}));
  t.deepEqual(mismatches(shapeOf(/\{.*\}/.exec(error)?.[0] ?? ''), [both[1]?.error]), []);
  const whole = { ...rows[0], error: null };
  t.deepEqual(mismatches(shapeOf(row), [whole]), []);
  const [after] = nodeRows(
    { ...emptyResult, nodes: [{ node: 'haproxy01', ok: true, changed: true, error: null }] },
    { after: statusOf() },
  );
  t.deepEqual(mismatches(shapeOf(moved), [printed(after), { ...after, error: null }]), []);
});

test('a key too many, one too few and a null that nobody foresaw are each found', (t) => {
  const shape = shapeOf('{a, b: [{c}], d: null | {e}, f: []}');
  const good = [
    { a: 1, b: [{ c: null }], d: null, f: ['x'] },
    { a: null, b: [], d: { e: 2 }, f: [] },
  ];
  t.deepEqual(mismatches(shape, good), []);
  const found = (change: object): string[] =>
    mismatches(shape, [{ ...good[0], ...change }, good[1]].map(printed));
  t.deepEqual(
    [
      found({ more: 1 }),
      found({ a: undefined }),
      found({ a: { b: 1 } }),
      found({ b: null }),
      found({ b: [{ c: 1, x: 1 }] }),
      found({ b: [] }),
      found({ d: { e: 1 } }),
      found({ d: { e: 1, y: 1 } }),
      found({ f: [1] }),
    ],
    [
      ['.more is not documented'],
      ['.a is absent'],
      ['.a has keys of its own'],
      ['.b is null', '.b is in no example'],
      ['.b.x is not documented'],
      ['.b is in no example'],
      ['.d is never null'],
      ['.d is never null'],
      ['.f is not a list of words'],
    ],
  );
});

test('docs/json.md lists every alert, and how bad it is', (t) => {
  t.deepEqual(
    rowsOf('Alerts').map(([id, severity]) => [id, severity]),
    Object.entries(ALERTS),
  );
});
