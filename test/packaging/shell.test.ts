import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import test from 'ava';
import { TREE } from './clones.ts';

const ELSEWHERE = new Set(['.git', 'node_modules', 'dist', 'dist-package', 'fixtures']);

/** Every file of the tree, from its root. */
function walk(folder = TREE): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ELSEWHERE.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [relative(TREE, path)] : [];
  });
}

/** Shell by its first line or its name; pkg(8) runs the scripts of a package without either. */
const SHELL = walk()
  .filter((path) => {
    const [first = ''] = readFileSync(join(TREE, path), 'latin1').split('\n', 1);
    return /^#!.*\b(ba)?sh\b/.test(first) || /\.(sh|subr)$/.test(path);
  })
  .sort();

test('all shell of the tree is known here: a new file is looked at too', (t) => {
  for (const path of [
    '.ci/run',
    'agent/privilege/helper.sh',
    'packaging/hooks/acme.sh',
    'packaging/hooks/certbot',
    'packaging/hooks/dehydrated',
    'packaging/hooks/lego',
    'packaging/periodic/450.proxyctl-certificates',
    'packaging/port/files/pkg-deinstall.in',
    'packaging/scripts/post-install.sh',
    'packaging/scripts/pre-deinstall.sh',
    'packaging/scripts/pre-install.sh',
    'packaging/verify-host.sh',
    'rc.d/proxyagent',
    'test/service/rc.subr',
  ])
    t.true(SHELL.includes(path), path);
});

/** The file itself says which shell it is for. */
const OWN = /^# shellcheck shell=|^#!.*\bbash\b/m;
const asked = (path: string): string[] =>
  OWN.test(readFileSync(join(TREE, path), 'utf8')) ? [] : ['-s', 'sh'];

const SHELLCHECK = '/usr/bin/shellcheck';
const withShellcheck = existsSync(SHELLCHECK) ? test : test.skip;

withShellcheck('all shell of the tree passes shellcheck', (t) => {
  const said = SHELL.flatMap((path) => {
    const args = ['-f', 'gcc', ...asked(path), path];
    const { stdout, stderr, status } = spawnSync(SHELLCHECK, args, { cwd: TREE, encoding: 'utf8' });
    return status === 0 ? [] : [stdout, stderr];
  });
  t.deepEqual(said, []);
});

const DASH = '/bin/dash';
const withDash = existsSync(DASH) ? test : test.skip;

withDash('all shell of the tree is read by dash; .ci/run is for bash', (t) => {
  const said = SHELL.filter((path) => path !== '.ci/run').flatMap((path) => {
    const { stderr, status } = spawnSync(DASH, ['-n', path], { cwd: TREE, encoding: 'utf8' });
    return status === 0 ? [] : [`${path}: ${stderr}`];
  });
  t.deepEqual(said, []);
});
