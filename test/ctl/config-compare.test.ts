import { parsePatch } from 'diff';
import test from 'ava';
import { compared, type Side } from '../../ctl/config/compare.ts';

const side = (name: string, ...files: readonly (readonly [string, string])[]): Side => ({
  name,
  isNode: true,
  files: files.map(([path, text]) => ({ path, text })),
});
const headers = ({ diff }: { readonly diff: string }): string[] =>
  diff.split('\n').filter((line) => /^(?:---|\+\+\+) /.test(line));

test('files are compared with those of their path, then of their name, then the only one', (t) => {
  t.deepEqual(
    headers(compared(side('a', ['/x/h.conf', 'global\n']), side('b', ['/y/k.conf', '']), [])),
    ['--- a:/x/h.conf', '+++ b:/y/k.conf'],
  );
  const many = compared(
    side('a', ['/x/1.cfg', 'one\n'], ['/x/2.cfg', 'two\n'], ['/x/3.cfg', 'three\n']),
    side('b', ['/x/2.cfg', '2\n'], ['/y/3.cfg', '3\n'], ['/x/4.cfg', 'four\n']),
    [],
  );
  t.deepEqual(headers(many), [
    '--- a:/x/1.cfg',
    '+++ /dev/null',
    '--- a:/x/2.cfg',
    '+++ b:/x/2.cfg',
    '--- a:/x/3.cfg',
    '+++ b:/y/3.cfg',
    '--- /dev/null',
    '+++ b:/x/4.cfg',
  ]);
});

test('files of which every line differs are one block, which patch(1) takes', (t) => {
  const lines = (net: number) =>
    Array.from({ length: 30_000 }, (_, at) => `  server s${at} 10.${net}.0.1:80`).join('\n');
  const text = (net: number) => `global\n daemon\nbackend b\n${lines(net)}\nresolvers r\n x\n`;
  const { diff, textDiffers } = compared(
    side('a', ['/h', text(0)]),
    side('b', ['/h', text(1)]),
    [],
  );
  t.true(textDiffers);
  const hunks = parsePatch(diff)[0]?.hunks ?? [];
  t.deepEqual(
    hunks.map(({ oldStart, oldLines, newStart, newLines }) => [
      oldStart,
      oldLines,
      newStart,
      newLines,
    ]),
    [[1, 30_005, 1, 30_005]],
  );
  const shown = hunks[0]?.lines ?? [];
  t.deepEqual(
    [...shown.slice(0, 4), ...shown.slice(-3)],
    [
      ' global',
      '  daemon',
      ' backend b',
      '-  server s0 10.0.0.1:80',
      '+  server s29999 10.1.0.1:80',
      ' resolvers r',
      '  x',
    ],
  );
});
