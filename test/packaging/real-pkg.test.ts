import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
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

/** Without a repository, and for a FreeBSD that this machine may not be. */
function pkg(osversion: string, ...args: string[]) {
  const settings = {
    ABI: `FreeBSD:${osversion.slice(0, 2)}:amd64`,
    OSVERSION: osversion,
    IGNORE_OSVERSION: 'yes',
    ASSUME_ALWAYS_YES: 'yes',
    REPOS_DIR: '/nonexistent',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const { status, stdout, stderr } = spawnSync(PKG, [...options, ...args], {
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

function built(version: string): string {
  const clone = cloneTree();
  try {
    const path = join(folder, `proxyctl-${version}.pkg`);
    const { code, stderr } = clone.build();
    if (code !== 0) throw new Error(stderr);
    writeFileSync(path, clone.read(version));
    return path;
  } finally {
    removeClone(clone);
  }
}

withPkg('the real pkg reads, installs, checks and removes the package', (t) => {
  mkdirSync(root);
  mkdirSync(bin);
  // Accounts are the business of the host, and this root has no files for them.
  writeFileSync(join(bin, 'pw'), '#!/bin/sh\nexit 0\n');
  chmodSync(join(bin, 'pw'), 0o755);
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
  t.regex(removed.stdout, /`proxyctl release`/);
  t.is(readFileSync(config, 'utf8'), 'edited = true\n');
  t.false(existsSync(join(root, 'usr/local/bin/proxyctl')));
  t.false(existsSync(join(root, 'usr/local/libexec/proxyctl')));
});
