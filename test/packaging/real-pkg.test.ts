import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { VERSION } from '../../agent/version.ts';
import { cloneTree, removeClone } from './clones.ts';

/** FreeBSD's pkg(8), on FreeBSD or built elsewhere. */
const { PKG = '' } = process.env;
const withPkg = PKG === '' ? test.serial.skip : test.serial;

const folder = mkdtempSync(join(tmpdir(), 'proxyctl-pkg-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, 'root');
const bin = join(folder, 'bin');

/** With at most the repository of the test, and for a FreeBSD that this machine may not be. */
function pkg(osversion: string, ...args: string[]) {
  const settings = {
    ABI: `FreeBSD:${osversion.slice(0, 2)}:amd64`,
    OSVERSION: osversion,
    IGNORE_OSVERSION: 'yes',
    ASSUME_ALWAYS_YES: 'yes',
    REPOS_DIR: join(folder, 'repos'),
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const { status, stdout, stderr } = spawnSync(PKG, [...options, ...args], {
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** A package of this tree; with another version as one that comes later. */
function built(version: string): string {
  const clone = cloneTree();
  try {
    const later = version !== VERSION;
    const manifest = join(clone.path, 'package.json');
    if (later) writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(VERSION, version));
    const { code, stderr } = clone.build(...(later ? ['--allow-dirty'] : []));
    if (code !== 0) throw new Error(stderr);
    const name = later ? `${version}.dirty` : version;
    const path = join(folder, `proxyctl-${name}.pkg`);
    writeFileSync(path, clone.read(name));
    return path;
  } finally {
    removeClone(clone);
  }
}

test.before(() => {
  mkdirSync(bin);
  // Accounts are the business of the host, and these roots have no files for them.
  writeFileSync(join(bin, 'pw'), '#!/bin/sh\nexit 0\n');
  chmodSync(join(bin, 'pw'), 0o755);
});

withPkg('the real pkg reads, installs, checks and removes the package', (t) => {
  mkdirSync(root);
  const file = built(VERSION);

  const info = pkg('1403000', 'info', '-F', file);
  t.deepEqual([info.code, info.stderr], [0, '']);
  for (const line of [`Version        : ${VERSION}`, 'Origin         : net/proxyctl'])
    t.true(info.stdout.includes(line), line);
  t.regex(pkg('1403000', 'info', '-d', '-F', file).stdout, /^\s+node24-/m);
  const scripts = pkg('1403000', 'query', '-F', file, '%Fp');
  t.true(scripts.stdout.includes('/usr/local/libexec/proxyctl/proxyagent.mjs'));

  // -M: node24 is not installed here.
  for (const osversion of ['1500000', '1403000']) {
    const add = pkg(osversion, '-r', root, 'add', '-f', '-M', file);
    t.is(add.code, 0, add.stderr);
  }
  const config = join(root, 'usr/local/etc/proxyctl/agent.toml');
  t.true(existsSync(config));
  const check = pkg('1403000', '-r', root, 'check', '-s', 'proxyctl');
  t.is(check.code, 0, check.stderr);
  t.is(
    spawnSync(process.execPath, [join(root, 'usr/local/bin/proxyctl'), '--version'], {
      encoding: 'utf8',
    }).stdout,
    `proxyctl ${VERSION}\n`,
  );

  writeFileSync(join(root, 'usr/local/share/doc/proxyctl/json.md'), 'tampered with');
  const tampered = pkg('1403000', '-r', root, 'check', '-s', 'proxyctl');
  t.regex(tampered.stderr, /checksum mismatch for .*json\.md/);

  writeFileSync(config, 'edited = true\n');
  const removed = pkg('1403000', '-r', root, 'delete', '-y', 'proxyctl');
  t.is(removed.code, 0, removed.stderr);
  t.regex(removed.stdout, /`service proxyagent onerelease`/);
  t.is(readFileSync(config, 'utf8'), 'edited = true\n');
  t.false(existsSync(join(root, 'usr/local/bin/proxyctl')));
  t.false(existsSync(join(root, 'usr/local/libexec/proxyctl')));
});

withPkg('pkg upgrade from a repository keeps the configuration and leaves no old file', (t) => {
  const host = join(folder, 'host');
  const repository = join(folder, 'repository');
  for (const path of [host, repository, join(folder, 'repos'), join(folder, 'empty')])
    mkdirSync(path);
  writeFileSync(join(folder, 'repos/own.conf'), `own: { url: "file://${repository}" }\n`);
  const node24 = {
    name: 'node24',
    version: '24.12.0',
    origin: 'www/node24',
    comment: 'stands for Node',
    desc: 'stands for Node',
    maintainer: 'root@localhost',
    www: 'UNKNOWN',
    prefix: '/usr/local',
    abi: 'FreeBSD:*',
  };
  writeFileSync(join(folder, 'node24.ucl'), JSON.stringify(node24));
  const all = (...runs: readonly (readonly string[])[]): void => {
    for (const args of runs) {
      const { code, stderr } = pkg('1403000', ...args);
      t.is(code, 0, stderr);
    }
  };
  const release = (version: string): void => {
    copyFileSync(built(version), join(repository, 'proxyctl.pkg'));
    all(['repo', repository]);
  };
  const create = ['create', '-M', join(folder, 'node24.ucl'), '-r', join(folder, 'empty')];
  all([...create, '-o', repository]);
  release(VERSION);
  all(['-r', host, 'install', 'proxyctl']);
  const config = join(host, 'usr/local/etc/proxyctl/agent.toml');
  const libexec = join(host, 'usr/local/libexec/proxyctl');
  const before = readdirSync(libexec);
  writeFileSync(config, 'edited = true\n');
  writeFileSync(join(libexec, 'proxyctl.0123456789abcdef.cache'), '');
  release('99.0.0');
  const upgrade = pkg('1403000', '-r', host, 'upgrade');
  t.is(upgrade.code, 0, upgrade.stderr);
  t.regex(upgrade.stdout, /service proxyagent restart/);
  t.notRegex(upgrade.stdout, /onerelease/);
  t.is(readFileSync(config, 'utf8'), 'edited = true\n');
  t.deepEqual(readdirSync(libexec), before);
  all(['-r', host, 'check', '-s', '-a']);
});
