import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { VERSION } from '../../agent/version.ts';
import { DIRECTORIES, SOURCES } from '../../packaging/contents.ts';
import { pkgSum, readArchive, type Read } from './archive-reader.ts';
import { cloneTree, COMMITTED, removeClone, TREE } from './clones.ts';

interface Manifest {
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly directories: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly messages: readonly { readonly type: string }[];
  readonly annotations: { readonly commit: string };
  readonly [key: string]: unknown;
}

const first = cloneTree();
const built = first.build();
test.after.always(() => removeClone(first));

const members = (): Read[] => readArchive(first.read(VERSION));
const named = (name: string): Read => {
  const found = members().find((member) => member.name === name);
  if (found === undefined) throw new Error(`no ${name} in the package`);
  return found;
};
const manifest = (name = '+MANIFEST'): Manifest =>
  JSON.parse(named(name).content.toString('utf8')) as Manifest;

test('the same commit gives the same bytes again, and from another path', (t) => {
  const [once, client] = [first.read(VERSION), first.read(VERSION, 'tgz')];
  t.deepEqual([built.code, first.build().code], [0, 0]);
  t.true(once.equals(first.read(VERSION)));
  const second = cloneTree();
  t.teardown(() => removeClone(second));
  t.is(second.build().code, 0);
  t.not(second.path, first.path);
  t.true(once.equals(second.read(VERSION)));
  t.true(client.equals(second.read(VERSION, 'tgz')));
});

test('the manifests come first, then the files by path, then the directories', (t) => {
  const names = members().map(({ name }) => name);
  t.deepEqual(names.slice(0, 2), ['+COMPACT_MANIFEST', '+MANIFEST']);
  const paths = Object.keys(manifest().files);
  t.deepEqual(names.slice(2), [...paths.sort(), ...DIRECTORIES.map(({ path }) => path)]);
});

test('the manifest lists every member with its sum, mode and owner, and no other', (t) => {
  const listed = ({ mode, owner, group }: Read): Record<string, string> => ({
    uname: owner,
    gname: group,
    perm: mode,
  });
  const { files, directories } = manifest();
  const all = members().slice(2);
  const [folders, others] = [true, false].map((wanted) =>
    all.filter(({ type }) => (type === 'directory') === wanted),
  );
  t.deepEqual(
    files,
    Object.fromEntries(
      (others ?? []).map((member) => [
        member.name,
        { sum: pkgSum(member.content), ...listed(member) },
      ]),
    ),
  );
  t.deepEqual(
    directories,
    Object.fromEntries((folders ?? []).map((member) => [member.name, listed(member)])),
  );
  t.deepEqual([...new Set(members().map(({ mtime }) => mtime))], [COMMITTED]);
});

test('the manifest says what pkg needs, and the compact one the same without files', (t) => {
  const { files, directories, scripts, messages, annotations, desc, flatsize, ...rest } =
    manifest();
  t.deepEqual(rest, {
    name: 'proxyctl',
    origin: 'net/proxyctl',
    version: VERSION,
    comment: 'Agent and command that make HAProxy hosts behind CARP act as one',
    maintainer: 'root@localhost',
    www: 'UNKNOWN',
    abi: 'FreeBSD:*',
    arch: 'freebsd:*',
    prefix: '/usr/local',
    licenselogic: 'single',
    licenses: ['BSD2CLAUSE'],
    deps: { node24: { origin: 'www/node24', version: '24.12.0' } },
    categories: ['net'],
    users: ['proxyctl'],
    groups: ['proxyctl'],
  });
  t.regex(String(desc), /^Two FreeBSD hosts run HAProxy behind CARP/);
  t.regex(annotations.commit, /^[0-9a-f]{40}$/);
  t.deepEqual(Object.keys(scripts), ['post-install', 'pre-deinstall', 'pre-install']);
  t.deepEqual(
    messages.map(({ type }) => type),
    ['install', 'upgrade', 'remove'],
  );
  const size = members()
    .filter(({ name }) => name in files)
    .reduce((sum, { content }) => sum + content.length, 0);
  t.is(flatsize, size);
  t.deepEqual(manifest('+COMPACT_MANIFEST'), {
    ...rest,
    messages,
    annotations,
    desc,
    flatsize,
  } as unknown as Manifest);
  t.true(Object.keys(directories).length > 0);
});

test('owners and modes are those of a host that keeps its secrets', (t) => {
  const { files, directories } = manifest();
  t.deepEqual(directories, {
    '/usr/local/etc/proxyctl': { uname: 'root', gname: 'wheel', perm: '0755' },
    '/usr/local/etc/proxyctl/tls': { uname: 'root', gname: 'proxyctl', perm: '0750' },
    '/var/db/proxyctl': { uname: 'proxyctl', gname: 'proxyctl', perm: '0700' },
    '/var/run/proxyctl': { uname: 'root', gname: 'wheel', perm: '0755' },
  });
  const writable = Object.entries(files).filter(([, { perm = '' }]) => /[2367].?$/.test(perm));
  t.deepEqual(writable, []);
  t.deepEqual(
    Object.entries(files)
      .filter(([, { perm }]) => perm === '0555')
      .map(([path]) => path)
      .filter((path) => SOURCES.every(({ to }) => to !== path)),
    ['proxyagent', 'proxyctl.cjs', 'warm-up.cjs'].map(
      (name) => `/usr/local/libexec/proxyctl/${name}`,
    ),
  );
});

test('the two programs in PATH are links, and nothing else is', (t) => {
  const links = members().filter(({ type }) => type === 'link');
  t.deepEqual(
    links.map(({ name, content }) => [name, String(content)]),
    [
      ['/usr/local/bin/proxyctl', '../libexec/proxyctl/proxyctl.cjs'],
      ['/usr/local/sbin/proxyagent', '../libexec/proxyctl/proxyagent'],
    ],
  );
});

test('no path of the building machine is in it', (t) => {
  const telling = members().filter(({ content }) => content.includes(first.path));
  t.deepEqual(
    telling.map(({ name }) => name),
    [],
  );
});

test('every npm package inside comes with its licence, and no native part', (t) => {
  const path = '/usr/local/share/doc/proxyctl/third-party-licences.txt';
  const text = named(path).content.toString('utf8');
  const packages = [...text.matchAll(/^(\S+) \d\S* \([\w.-]+\)\n-{72}$/gm)].map(([, name]) => name);
  const { dependencies } = JSON.parse(readFileSync(join(TREE, 'package.json'), 'utf8')) as {
    readonly dependencies: object;
  };
  t.deepEqual(
    Object.keys(dependencies).filter((name) => !packages.includes(name)),
    [],
  );
  // What those bring along.
  for (const name of ['@peculiar/asn1-x509', 'asn1js', 'tslib'])
    t.true(packages.includes(name), name);
  t.false(packages.includes('raw-socket'));
  t.deepEqual(
    members().filter(({ name }) => name.endsWith('.node')),
    [],
  );
});

test('a tree with changes is refused by their names, or marks the version', (t) => {
  const changed = cloneTree();
  t.teardown(() => removeClone(changed));
  rmSync(join(changed.path, 'LICENSE'));
  writeFileSync(join(changed.path, 'LICENSE'), 'another\n');
  writeFileSync(join(changed.path, 'ctl/new.ts'), '');
  const { code, stdout, stderr } = changed.build();
  t.deepEqual(
    { code, stdout, stderr },
    {
      code: 1,
      stdout: '',
      stderr:
        'package: the tree has changes that no commit holds:\n  LICENSE\n  ctl/new.ts\n' +
        'commit them, or use --allow-dirty, which marks the version\n',
    },
  );
  t.throws(() => changed.read(VERSION), { code: 'ENOENT' });
  t.is(changed.build('--allow-dirty').code, 0);
  const [compact] = readArchive(changed.read(`${VERSION}.dirty`));
  t.is(
    (JSON.parse(String(compact?.content)) as { readonly version: string }).version,
    `${VERSION}.dirty`,
  );
});

test('a required file that is missing is named', (t) => {
  const lacking = cloneTree();
  t.teardown(() => removeClone(lacking));
  rmSync(join(lacking.path, 'packaging/agent.toml.sample'));
  rmSync(join(lacking.path, 'docs/json.md'));
  const { code, stderr } = lacking.build('--allow-dirty', '--output', lacking.path);
  t.deepEqual(
    [code, stderr],
    [1, 'package: the tree lacks packaging/agent.toml.sample, docs/json.md\n'],
  );
});

test('a command line that is wrong is 2 and says how', (t) => {
  const { code, stderr } = first.build('--fast');
  t.is(code, 2);
  t.regex(stderr, /^package: Unknown option '--fast'.*\nusage: npm run package/s);
});
