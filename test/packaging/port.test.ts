import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test from 'ava';
import { VERSION } from '../../agent/version.ts';
import { DIRECTORIES, PREFIX, SOURCES } from '../../packaging/contents.ts';
import { factsOf } from '../../packaging/package.ts';
import { TREE } from './clones.ts';

const read = (path: string): string => readFileSync(join(TREE, 'packaging', path), 'utf8');
const SCRIPTS = readdirSync(join(TREE, 'packaging/scripts'));

/** Files of pkg-plist from the prefix, without those of the add-on that the port alone has. */
const listed = read('port/pkg-plist')
  .split('\n')
  .filter((line) => /^(@sample |[a-z])/.test(line))
  .map((line) => line.replace('@sample ', ''));

test('pkg-plist lists the files of the package', (t) => {
  const made = ['proxyagent', 'proxyagent.mjs', 'proxyctl.cjs', 'proxyctl.js', 'warm-up.cjs'].map(
    (name) => `libexec/proxyctl/${name}`,
  );
  const wanted = [
    'bin/proxyctl',
    'share/doc/proxyctl/LICENSE',
    'share/doc/proxyctl/third-party-licences.txt',
    ...made,
    ...SOURCES.map(({ to }) => relative(PREFIX, to)),
  ];
  t.deepEqual(listed.sort(), wanted.sort());
});

test('pkg-plist makes the directories of the package', (t) => {
  const wanted = DIRECTORIES.map(({ path, mode, owner, group }) => {
    const name = path.startsWith(`${PREFIX}/`) ? relative(PREFIX, path) : path;
    const plain = owner === 'root' && group === 'wheel' && mode === 0o755;
    return plain ? `@dir ${name}` : `@dir(${owner},${group},${mode.toString(8)}) ${name}`;
  });
  t.deepEqual(read('port/pkg-plist').match(/^@dir.*$/gm), wanted);
});

test('--stage puts the files of pkg-plist under a folder, and no other', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-stage-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(TREE, 'dist/packaging/main.js');
  const { status, stderr } = spawnSync(process.execPath, [program, '--stage', folder], {
    encoding: 'utf8',
  });
  t.deepEqual([status, stderr], [0, '']);
  const absent = SOURCES.filter(({ from }) => !existsSync(join(TREE, from))).map(({ to }) =>
    relative(PREFIX, to),
  );
  const staged = readdirSync(join(folder, PREFIX), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(join(folder, PREFIX), join(entry.parentPath, entry.name)));
  t.deepEqual(staged.sort(), listed.filter((path) => !absent.includes(path)).sort());
});

test('port and package agree on version, comment and words at the removal', (t) => {
  const makefile = read('port/Makefile');
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}=\t+(.*)$`, 'm').exec(makefile)?.[1];
  const comment = /COMMENT = '(.*)'/.exec(read('manifest.ts'))?.[1];
  t.deepEqual([value('DISTVERSION'), value('COMMENT')], [VERSION, comment]);
  const advice = (script: string): string | undefined => /<<'EOM'\n(.*)\nEOM\n/s.exec(script)?.[1];
  t.truthy(advice(read('port/files/pkg-deinstall.in')));
  t.is(advice(read('port/files/pkg-deinstall.in')), advice(read('scripts/pre-deinstall.sh')));
});

test('messages and description fit 80 columns of ASCII', (t) => {
  const { description, messages } = factsOf(TREE, VERSION, null);
  const texts = [description, ...messages.map(({ message }) => message)];
  const wrong = texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => !/^[\x20-\x7e]{0,80}$/.test(line));
  t.deepEqual([wrong, messages.length], [[], 3]);
});

const SHELLCHECK = '/usr/bin/shellcheck';
const withShellcheck = existsSync(SHELLCHECK) ? test : test.skip;

withShellcheck('the package scripts pass shellcheck', (t) => {
  const files = SCRIPTS.map((name) => join(TREE, 'packaging/scripts', name));
  const { stdout, status } = spawnSync(SHELLCHECK, ['-s', 'sh', ...files], { encoding: 'utf8' });
  t.deepEqual([stdout, status], ['', 0]);
});
