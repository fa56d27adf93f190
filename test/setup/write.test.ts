import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { written, type SetupWorld } from './world.ts';

const ROOT = 'root';
const modeOf = (world: SetupWorld, path: string): string =>
  (statSync(world.at(`${ROOT}/${path}`)).mode & 0o777).toString(8);

/** A host that lived before: rc.conf with a password of its own, readable by all. */
async function lived(t: Parameters<typeof written>[0]): Promise<SetupWorld> {
  const world = await written(t);
  mkdirSync(world.at(`${ROOT}/etc`), { recursive: true });
  writeFileSync(
    world.at(`${ROOT}/etc/rc.conf`),
    'hostname="haproxy01.example.net"\nifconfig_vnet0_alias0="inet vhid 1 advskew 0 pass oldsecret alias 10.1.60.200/32"\n',
    { mode: 0o644 },
  );
  writeFileSync(world.at(`${ROOT}/etc/group`), 'wheel:*:0:root\nproxyctl:*:873:\n');
  return world;
}

const write = (world: SetupWorld, ...more: readonly string[]) =>
  world.run('setup', '--write', 'web', '--host', 'haproxy01', '--root', ROOT, ...more);

const passwordOf = (world: SetupWorld): string =>
  / pass (\S+) /.exec(world.read('web/haproxy01/etc/rc.conf'))?.[1] ?? 'none';

test('without being told it shows the differences and changes nothing: 3', async (t) => {
  const world = await lived(t);
  const { code, stdout, stderr } = await write(world);
  t.is(code, 3);
  t.true(stderr.endsWith('Nothing was changed: --yes writes this.\n'), stderr);
  t.regex(stdout, /^--- \/etc\/rc\.conf\n\+\+\+ \/etc\/rc\.conf\n/m);
  t.regex(stdout, /^-ifconfig_vnet0_alias0="inet vhid 1 advskew 0 pass \*{8} alias 10/m);
  t.regex(stdout, /^\+ifconfig_vnet0_alias1="inet vhid 1 advskew 0 pass \*{8} alias 10/m);
  t.regex(stdout, /^--- \/dev\/null\n\+\+\+ \/usr\/local\/etc\/haproxy\.conf$/m);
  t.regex(stdout, /^\/usr\/local\/etc\/proxyctl\/tls\/node\.key: new private key, mode 0640$/m);
  t.deepEqual(readdirSync(world.at(ROOT), { recursive: true }).sort(), [
    'etc',
    'etc/group',
    'etc/rc.conf',
  ]);
  for (const secret of ['oldsecret', passwordOf(world), 'PRIVATE KEY'])
    t.false((stdout + stderr).includes(secret), secret);
});

test('rules of pf are shown as they are, passwords over several lines are not', async (t) => {
  const world = await lived(t);
  writeFileSync(
    world.at(`${ROOT}/etc/rc.conf`),
    'hostname="haproxy01"\nifconfig_vnet0_aliases="\\\n\tinet vhid 1 pass \\\n\t\'hunter 2\' 10.1.60.200/32"\n',
  );
  writeFileSync(world.at(`${ROOT}/etc/pf.conf`), 'pass in on em0 # vhid 1\n');
  const { stdout, stderr } = await write(world);
  t.false((stdout + stderr).includes('hunter'), stdout);
  t.regex(stdout, /^ pass in on em0 # vhid 1$/m);
  t.regex(stdout, /^\+pass quick on vnet0 inet proto carp keep state \(no-sync\)$/m);
});

test('what files that rc reads later set in the place of rc.conf is said, with the line', async (t) => {
  const world = await lived(t);
  mkdirSync(world.at(`${ROOT}/etc/rc.conf.d`));
  const put = (path: string, text: string): void =>
    writeFileSync(world.at(`${ROOT}/${path}`), text);
  const said = async (): Promise<string> =>
    (await write(world)).stderr
      .replaceAll(/\n +/g, ' ')
      .match(/^.*does not count.*$/gm)
      ?.join('\n') ?? '';
  put('etc/rc.conf.local', 'pf_enable="YES"\nifconfig_em9_alias0="inet 10.0.0.9/32"\n');
  t.is(await said(), '');
  put(
    'etc/rc.conf.local',
    '# x\npf_enable="NO"\nifconfig_vnet0_alias0="inet vhid 1 pass hunter2 alias 10.1.60.200/32"\n',
  );
  put('etc/rc.conf.d/netif', 'ifconfig_vnet0_aliases="\\\n inet 10.0.0.1/32"\n');
  t.is(
    await said(),
    'note: /etc/rc.conf does not count for pf_enable (line 2), ifconfig_vnet0_alias0 (line 3) of /etc/rc.conf.local: take them out there\n' +
      'note: /etc/rc.conf does not count for ifconfig_vnet0_aliases (line 1) of /etc/rc.conf.d/netif: take it out there',
  );
});

test('told, it writes, keeps what was there beside it, tightens modes, and restarts nothing', async (t) => {
  const world = await lived(t);
  const { code, stderr } = await write(world, '--yes');
  t.is(code, 0, stderr);
  t.true(
    stderr.includes('Nothing was restarted. Run, in this order:\n  kldload -n carp\n'),
    stderr,
  );
  const names = readdirSync(world.at(`${ROOT}/etc`)).sort();
  const backup = names.find((name) => name.startsWith('rc.conf.')) ?? '';
  t.deepEqual(names, ['group', 'pf.conf', 'rc.conf', backup, 'sysctl.conf']);
  t.true(world.read(`${ROOT}/etc/${backup}`).includes('oldsecret'));
  t.deepEqual(
    [
      'etc/rc.conf',
      `etc/${backup}`,
      'usr/local/etc/haproxy.conf',
      'usr/local/etc/proxyctl/tls/node.key',
    ].map((path) => modeOf(world, path)),
    ['600', '600', '644', '640'],
  );
  t.true(
    stderr.split('\n').every((line) => line.length <= 100),
    stderr,
  );
});

test('the second time there is nothing to do', async (t) => {
  const world = await lived(t);
  await write(world, '--yes');
  const before = readdirSync(world.at(ROOT), { recursive: true }).sort();
  t.deepEqual(await write(world, '--yes'), {
    code: 0,
    stdout: '',
    stderr: 'Nothing to do: every file is as setup would write it.\n',
  });
  t.deepEqual(readdirSync(world.at(ROOT), { recursive: true }).sort(), before);
  chmodSync(world.at(`${ROOT}/etc/rc.conf`), 0o644);
  const { code, stdout } = await write(world);
  t.deepEqual([code, stdout], [3, '/etc/rc.conf: mode 0644 -> 0600, it holds a secret\n']);
});

test('a file can be left alone', async (t) => {
  const world = await lived(t);
  const before = world.read(`${ROOT}/etc/rc.conf`);
  const { code } = await write(world, '--yes', '--skip', '/etc/rc.conf', '--skip', 'etc/pf.conf');
  t.is(code, 0);
  t.is(world.read(`${ROOT}/etc/rc.conf`), before);
  t.false(readdirSync(world.at(`${ROOT}/etc`)).includes('pf.conf'));
});

test('no host of that name, no tree: 2, and what there is', async (t) => {
  const world = await written(t);
  const said = async (...argv: string[]) => {
    const { code, stderr } = await world.run('setup', '--write', ...argv, '--root', ROOT);
    return [code, stderr];
  };
  t.deepEqual(await said('web', '--host', 'haproxy03'), [
    2,
    'proxyctl: web has no files for haproxy03\n  do      --host NAME; there are haproxy01, haproxy02\n',
  ]);
  const other = await world.run('setup', '--write', 'web/haproxy02', '--host', 'haproxy01');
  t.deepEqual(
    [other.code, other.stderr],
    [
      2,
      'proxyctl: web/haproxy02 holds the files of haproxy02, and this is haproxy01\n' +
        '  do      bring each host its own;\n' +
        '          --host haproxy02 if this is to become haproxy02\n',
    ],
  );
  t.deepEqual(await said('nowhere'), [
    2,
    "proxyctl: nowhere holds no host's files\n  do      proxyctl setup ANSWERS --out DIR writes them\n",
  ]);
});

test('--out twice is once: password and certificates stay', async (t) => {
  const world = await written(t);
  const files = ['web/haproxy01/etc/rc.conf', 'web/haproxy01/usr/local/etc/proxyctl/tls/node.pem'];
  const before = files.map(world.read);
  const again = await world.run('setup', 'answers.toml', '--out', 'web');
  t.deepEqual(again, {
    code: 0,
    stdout: '',
    stderr: 'Nothing to do: web is as the answers say.\n',
  });
  t.deepEqual(files.map(world.read), before);
  const password = passwordOf(world);
  writeFileSync(
    world.at('answers.toml'),
    world.read('answers.toml').replace('[haproxy]', '[haproxy]\ndefault = "GITEA"'),
  );
  const changed = await world.run('setup', 'answers.toml', '--out', 'web');
  t.is(
    changed.stdout,
    'changed  web/haproxy01/usr/local/etc/haproxy.conf\nchanged  web/haproxy02/usr/local/etc/haproxy.conf\n',
  );
  t.is(passwordOf(world), password);
});

test('mistakes are printed with file and line, and nothing is written', async (t) => {
  const world = await written(t);
  writeFileSync(
    world.at('bad.toml'),
    world
      .read('answers.toml')
      .replace('id = 1', 'id = 256')
      .replace('haproxy02 = 100', 'haproxy02 = 1ß0'),
  );
  const { code, stdout, stderr } = await world.run('setup', 'bad.toml', '--out', 'other');
  t.deepEqual([code, stdout], [2, '']);
  t.regex(stderr, /^bad\.toml:17: vhid\.1\.id: must be a whole number from 1 to 255, not 256$/m);
  t.regex(stderr, /^bad\.toml:19: advskew: 1.0 is no number/m);
  t.regex(stderr, /^proxyctl: bad\.toml has 2 mistakes; nothing was written$/m);
  t.true(
    stderr.split('\n').every((line) => line.length <= 80),
    stderr,
  );
  t.false(readdirSync(world.folder).includes('other'));
});

test('a directory with other things in it is not written into; without answers or a terminal: 2', async (t) => {
  const world = await written(t);
  mkdirSync(world.at('home/precious'), { recursive: true });
  const foreign = await world.run('setup', 'answers.toml', '--out', 'home');
  t.deepEqual([foreign.code, readdirSync(world.at('home'))], [2, ['precious']]);
  const none = await world.run('setup', '--out', 'new');
  t.is(none.code, 2);
  t.regex(none.stderr, /^proxyctl: there are no answers\n/);
});
