import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { VERSION } from '../../agent/version.ts';
import { GUIDE } from '../../packaging/contents.ts';
import { answering } from '../ctl/answering.ts';
import { readArchive } from './archive-reader.ts';
import { cloneTree, removeClone } from './clones.ts';

// A laptop: no checkout, no node_modules above, and Node alone in PATH.
const laptop = mkdtempSync(join(tmpdir(), 'proxyctl-laptop-'));
const bin = join(laptop, 'node');
mkdirSync(bin);
symlinkSync(process.execPath, join(bin, 'node'));
const file = join(laptop, `proxyctl-${VERSION}.tgz`);
const clone = cloneTree();
const built = clone.build();
test.after.always(() => {
  removeClone(clone);
  rmSync(laptop, { recursive: true, force: true });
});
test.before(() => writeFileSync(file, clone.read(VERSION, 'tgz')));

const env = { PATH: bin, HOME: laptop };
const which = (name: string): string | null => {
  const { status, stdout } = spawnSync('/bin/sh', ['-c', `command -v ${name}`], {
    encoding: 'utf8',
  });
  return status === 0 ? realpathSync(stdout.trim()) : null;
};

/** Both ways in which somebody may have installed it; the program in PATH. */
const WAYS: readonly (readonly [string, (folder: string) => string])[] = [
  [
    'npm install -g',
    (folder) => {
      // npm is found beside Node on a laptop; these tests may run with another Node.
      const npm = which('npm');
      if (npm === null) throw new Error('there is no npm');
      const args = [npm, 'install', '-g', '--prefix', folder, '--offline', '--no-audit', file];
      execFileSync(process.execPath, args, { cwd: laptop, env, stdio: 'pipe' });
      return join(folder, 'bin/proxyctl');
    },
  ],
  [
    'tar -xzf',
    (folder) => {
      execFileSync(which('tar') ?? 'tar', ['-xzf', file, '-C', folder], {
        env: { PATH: process.env['PATH'] },
      });
      return join(folder, `proxyctl-${VERSION}/bin/proxyctl`);
    },
  ],
];

for (const [way, install] of WAYS)
  test.serial(
    `${way} from the archive alone: proxyctl runs, sets up, and asks an agent`,
    async (t) => {
      const folder = mkdtempSync(join(laptop, 'installed-'));
      const program = install(folder);
      const run = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync(program, args, {
          cwd: laptop,
          env,
          encoding: 'utf8',
        });
        return { code: status, stdout, stderr };
      };
      t.deepEqual(run('--version'), { code: 0, stdout: `proxyctl ${VERSION}\n`, stderr: '' });
      // What lies in a file of its own: setup and pki.
      t.is(run('pki', 'init', '--pair', 'web', '--dir', join(folder, 'pki')).code, 0);
      const socket = join(folder, 'agent.sock');
      const config = join(folder, 'config.toml');
      writeFileSync(config, `[contexts.here]\nsocket = "${socket}"\n`);
      const server = await answering(socket);
      t.teardown(() => server.close());
      const child = spawn(program, ['status', '--config', config], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said, ended] = await Promise.all([text(child.stdout), once(child, 'close')]);
      t.deepEqual(ended, [0, null]);
      t.regex(said, /ADDRESS +VIP/);
    },
  );

test('the archive holds the program, its pages and licences, and nothing to resolve or to run', (t) => {
  t.is(built.code, 0, built.stderr);
  const members = readArchive(readFileSync(file));
  const top = `proxyctl-${VERSION}/`;
  t.deepEqual(
    members.map(({ name, mode, type, owner }) => [name.replace(top, ''), mode, type, owner]),
    [
      ['LICENSE', '0644', 'file', ''],
      ['README.md', '0644', 'file', ''],
      ['bin/proxyctl', '0755', 'file', ''],
      ['lib/proxyctl-setup.cjs', '0644', 'file', ''],
      ['lib/proxyctl.cjs', '0644', 'file', ''],
      ['lib/proxyctl.js', '0644', 'file', ''],
      ['package.json', '0644', 'file', ''],
      ['share/bash-completion/completions/proxyctl', '0644', 'file', ''],
      ...GUIDE.map((page) => [`share/doc/proxyctl/${page}`, '0644', 'file', '']).sort(),
      ['share/fish/vendor_completions.d/proxyctl.fish', '0644', 'file', ''],
      ['share/man/man1/proxyctl.1', '0644', 'file', ''],
      ['share/zsh/site-functions/_proxyctl', '0644', 'file', ''],
      ['third-party-licences.txt', '0644', 'file', ''],
    ],
  );
  t.true(readFileSync(file).length < 2_000_000);
  t.true(members.every(({ name }) => dirname(name).startsWith(top.slice(0, -1))));
  const read = (name: string): string =>
    String(members.find((one) => one.name === `${top}${name}`)?.content);
  const { engines, ...manifest } = JSON.parse(read('package.json')) as Record<string, unknown>;
  t.deepEqual(engines, { node: '>=20.19' });
  t.deepEqual(manifest, {
    name: 'proxyctl',
    version: VERSION,
    description: 'Keeps a pair of FreeBSD HAProxy hosts behind CARP addresses acting as one',
    license: 'BSD-2-Clause',
    private: true,
    type: 'commonjs',
    bin: { proxyctl: 'bin/proxyctl' },
    man: ['share/man/man1/proxyctl.1'],
  });
  const licences = read('third-party-licences.txt');
  for (const name of ['commander', 'protobufjs', 'smol-toml', '@peculiar/x509'])
    t.regex(licences, new RegExp(`^${name} \\d`, 'm'));
  // The agent's alone.
  t.notRegex(licences, /^pino \d/m);
  t.false(members.some(({ content }) => content.includes(clone.path)));
});
