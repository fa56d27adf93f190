import test from 'ava';
import * as fc from 'fast-check';
import {
  DeploymentError,
  encodeDeployment,
  MOST_BYTES,
  MOST_FILES,
  problemOf,
  type Deployment,
} from '../../agent/core/deploy/deployment.ts';
import { readDeployment } from '../../agent/core/deploy/read.ts';
import { deploymentOf } from './deployments.ts';

const file = (path: string, text = 'x') => ({ path, content: Buffer.from(text) });
const directory = (...paths: string[]) =>
  deploymentOf({ form: 'directory', files: paths.map((path) => file(path)) });

test('a deployment is lines for sh, an empty one, and the bytes of its files', (t) => {
  const files = [file('10-global.cfg', 'global\n'), file('maps/hosts.map', 'a b\n\n')];
  t.is(
    encodeDeployment(deploymentOf({ form: 'directory', files })).toString(),
    `proxyctl-deployment 1
purpose push
pair web
nodes haproxy01 haproxy02
made 1800000000
until 1800000900
number 1800000000123
form directory
reason more room
file 10-global.cfg 7
file maps/hosts.map 5

global
a b

`,
  );
});

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const part = fc.stringMatching(/^[A-Za-z0-9_+@=,-][A-Za-z0-9._+@=,-]{0,10}$/);
const deployments: fc.Arbitrary<Deployment> = fc
  .record({
    purpose: fc.constantFrom('check' as const, 'push' as const),
    pair: name,
    nodes: fc.uniqueArray(name, { minLength: 1, maxLength: 8 }),
    madeS: fc.integer({ min: 1, max: 9_000_000_000 }),
    lasts: fc.integer({ min: 1, max: 86_400 }),
    number: fc.integer({ min: 1, max: 999_999_999_999_999 }),
    form: fc.constantFrom('file' as const, 'directory' as const),
    reason: fc.string({ maxLength: 50, unit: 'grapheme' }),
    files: fc.uniqueArray(
      fc.record({
        path: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
        content: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      }),
      { minLength: 1, maxLength: 4, selector: ({ path }) => path },
    ),
  })
  .map(({ lasts, ...rest }) => ({ ...rest, untilS: rest.madeS + lasts }));

test('what was written is read as it was, and what cannot be is not written', (t) => {
  fc.assert(
    fc.property(deployments, (deployment) => {
      if (problemOf(deployment) !== null)
        t.throws(() => encodeDeployment(deployment), { instanceOf: DeploymentError });
      else t.deepEqual(readDeployment(encodeDeployment(deployment)), deployment);
    }),
    { numRuns: 500 },
  );
});

test('a path that leads elsewhere, is hidden or cannot be a line is refused', (t) => {
  for (const path of [
    '/etc/passwd',
    '../haproxy.conf',
    'a/../../b',
    'a/./b',
    'a//b',
    'a/',
    '',
    '.haproxy.conf',
    'conf.d/.x.cfg',
    'a b',
    'a\nfile b 1',
    'a\u0000',
    'ä.cfg',
    '$(id)',
    'x'.repeat(201),
  ])
    t.regex(problemOf(directory(path)) ?? '', /^"[^\n]*"(?:: a path has| is longer than)/, path);
  t.is(problemOf(directory('10.cfg', 'maps/a.map', 'maps/b/c.map', '-f', '@x=1,2')), null);
});

test('names, times, numbers, reasons and sizes have their limits', (t) => {
  const cases: readonly [Partial<Deployment>, string][] = [
    [{ pair: 'a b' }, '"a b" is no name of a pair'],
    [{ nodes: [] }, 'it names 0 nodes; it is for 1 to 8'],
    [{ nodes: ['a', 'a'] }, 'it names a node twice'],
    [{ nodes: ['-'] }, '"-" is no name of a node'],
    [{ madeS: 0 }, 'its times are no Unix seconds'],
    [{ madeS: 1.5 }, 'its times are no Unix seconds'],
    [{ untilS: 1_800_000_000 }, 'it ends 0 s after it was made; that is 1 to 86400 s'],
    [{ untilS: 1_800_086_401 }, 'it ends 86401 s after it was made; that is 1 to 86400 s'],
    [{ number: 0 }, '0 is no number of a deployment'],
    [{ number: 1e15 }, '1000000000000000 is no number of a deployment'],
    [{ reason: 'a\nnumber 9' }, 'its reason is one line of at most 200 characters'],
    [{ reason: 'a'.repeat(201) }, 'its reason is one line of at most 200 characters'],
    [{ files: [] }, 'it has no file'],
    [{ files: [file('a.cfg'), file('b.cfg')] }, 'as one file it has one, without a directory'],
    [{ files: [file('a/b.cfg')] }, 'as one file it has one, without a directory'],
    [{ files: [file('a', '')] }, 'a is empty'],
    [
      { files: [{ path: 'a', content: new Uint8Array(MOST_BYTES + 1) }] },
      'its files have 4000001 bytes; at most 4000000 are taken',
    ],
  ];
  t.deepEqual(
    cases.map(([change]) => problemOf(deploymentOf(change))),
    cases.map(([, problem]) => problem),
  );
  const many = Array.from({ length: MOST_FILES + 1 }, (_, at) => `${at}.cfg`);
  t.is(problemOf(directory(...many)), 'it has 201 files; at most 200 are taken');
  t.is(problemOf(directory('a', 'b', 'a')), 'it has a file twice');
  t.is(problemOf(directory('a/b', 'a')), 'a is a file and a directory');
});

test('text that reads otherwise than it was written is no deployment', (t) => {
  const good = encodeDeployment(deploymentOf()).toString();
  const cases: readonly [string, string, string][] = [
    ['proxyctl-deployment 1', 'global', 'it is no deployment'],
    [
      'proxyctl-deployment 1',
      'proxyctl-deployment 2',
      'it has the format "proxyctl-deployment 2", this program reads proxyctl-deployment 1',
    ],
    ['pair web\n', '', 'its header has no pair'],
    ['purpose push', 'purpose pull', 'its header has a word that is not known here'],
    ['form file', 'form folder', 'its header has a word that is not known here'],
    ['number 18', 'number 018', 'its header is not written as it has to be'],
    ['made 1800000000', 'made 1800000000.0', 'its header is not written as it has to be'],
    ['haproxy01 haproxy02', 'haproxy01  haproxy02', '"" is no name of a node'],
    ['haproxy.conf 21', 'haproxy.conf 021', 'its header has a line that is not known here'],
    ['haproxy.conf 21', 'haproxy.conf 20', 'its files have 21 bytes, its header says 20'],
    ['haproxy.conf 21', 'haproxy.conf 22', 'its files have 21 bytes, its header says 22'],
    ['file haproxy.conf', 'exec haproxy.conf', 'its header has a line that is not known here'],
  ];
  t.deepEqual(
    cases.map(([from, to]) => {
      t.true(good.includes(from), from);
      return t.throws(() => readDeployment(Buffer.from(good.replace(from, to))), {
        instanceOf: DeploymentError,
      }).message;
    }),
    cases.map(([, , message]) => message),
  );
});

test('whatever bytes come, they are read or refused with a sentence', (t) => {
  const good = encodeDeployment(deploymentOf());
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const other = Buffer.from(good);
      other[at] = byte;
      try {
        t.deepEqual(encodeDeployment(readDeployment(other)), other);
      } catch (error) {
        t.true(error instanceof DeploymentError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
