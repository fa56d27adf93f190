import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test from 'ava';
import { VERSION } from '../../agent/version.ts';
import { DIRECTORIES, ETC, LIBEXEC, PREFIX, SOURCES } from '../../packaging/contents.ts';
import { completions, factsOf } from '../../packaging/package.ts';
import { TREE } from './clones.ts';
import { PAGES, pagePath } from './manual.ts';

const read = (path: string): string => readFileSync(join(TREE, 'packaging', path), 'utf8');

/** Files of pkg-plist from the prefix, without those of the add-on that the port alone has. */
const listed = read('port/pkg-plist')
  .split('\n')
  .filter((line) => /^(@sample |[a-z])/.test(line))
  .map((line) => line.replace('@sample ', ''));

test('pkg-plist lists the files of the package', (t) => {
  const made = [
    'proxyagent',
    'proxyagent.mjs',
    'proxyctl-setup.cjs',
    'proxyctl.cjs',
    'proxyctl.js',
    'warm-up.cjs',
  ].map((name) => `libexec/proxyctl/${name}`);
  const wanted = [
    'bin/proxyctl',
    'sbin/proxyagent',
    'share/doc/proxyctl/LICENSE',
    'share/doc/proxyctl/third-party-licences.txt',
    ...completions().map(([path]) => path),
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
  const staged = readdirSync(join(folder, PREFIX), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(join(folder, PREFIX), join(entry.parentPath, entry.name)));
  t.deepEqual(staged.sort(), [...listed].sort());
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

test('package, port, rc script, manual and newsyslog name the same paths', (t) => {
  const all = new Set([
    ...listed.map((path) => join(PREFIX, path)),
    ...DIRECTORIES.map(({ path }) => path),
  ]);
  const rc = readFileSync(join(TREE, 'rc.d/proxyagent'), 'utf8');
  const assigned = (name: string): string =>
    new RegExp(`^${name}="(.*)"$`, 'm').exec(rc)?.[1] ?? '';
  t.is(assigned('agent_program'), `${LIBEXEC}/proxyagent`);
  t.true(rc.includes(`: "\${proxyagent_config:="${ETC}/agent.toml"}"`));
  // What is made later: by administrators, by the rc script, and by the agent while it runs.
  for (const path of [
    `${ETC}/agent.toml`,
    ...['ca.pem', 'node.pem', 'node.key'].map((name) => `${ETC}/tls/${name}`),
    `${PREFIX}/etc/devd/proxyctl.conf`,
    '/var/log/proxyagent.log',
    '/var/log/proxyctl-audit.log',
    '/var/log/proxyctl-events.log',
    '/var/run/proxyctl/agent.sock',
    '/var/db/proxyctl/state.json',
    '/var/db/proxyctl/swaps',
    '/var/db/proxyctl-deployed',
    assigned('pidfile'),
    assigned('agent_pidfile'),
    assigned('leave_file'),
  ])
    all.add(path);
  const texts = {
    'rc.d/proxyagent': rc,
    'newsyslog.conf': read('newsyslog.conf'),
    'devd.conf': read('devd.conf'),
    'pkg-message': read('port/pkg-message'),
    ...Object.fromEntries(PAGES.map((page) => [page, readFileSync(pagePath(page), 'utf8')])),
  };
  const ours = /\/(?:usr\/local|var)\/[\w./-]*prox(?:yctl|yagent)[\w./-]*/g;
  const found = Object.entries(texts).flatMap(([name, text]) =>
    [...text.matchAll(ours)].map(([path]) => `${name}: ${path.replace(/[./]+$/, '')}`),
  );
  t.true(found.length > 20);
  const known = (line: string): boolean => {
    const path = line.replace(/^.*: /, '');
    return all.has(path) || [...all].some((one) => one.startsWith(`${path}/`));
  };
  t.deepEqual(
    found.filter((line) => !known(line)),
    [],
  );
});
