// Installs what the other scripts need and is missing, and says what it is doing.
//   node test/prepare.mjs [--quiet] [lab|test|long|observed]
// lab: the programs of the lab; test: what else the tests ask; long: what the long ones ask too;
// observed: what those ask that look at the agents with other programs.
// Plain JavaScript on purpose: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wish = ['lab', 'test', 'long', 'observed'].findIndex((one) => process.argv.includes(one));
const quiet = process.argv.includes('--quiet');
const say = (text) => console.error(text);
const note = (text) => quiet || say(text);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(`Node ${process.versions.node} is too old: Node 20.19 or later is needed`);
  process.exit(1);
}
npmPackages();
rawSocket();
if (wish >= 0) systemPackages();

function npmPackages() {
  const stampFile = join(root, 'node_modules', '.installed-from');
  const lock = readFileSync(join(root, 'package-lock.json'));
  const stamp = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing npm packages (npm ci)');
  // No install script runs: the only one that matters, raw-socket's, would download headers.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stampFile, stamp);
}

function rawSocket() {
  const folder = join(root, 'node_modules', 'raw-socket');
  const stampFile = join(folder, '.built-for');
  const abi = process.versions.modules;
  if (!existsSync(folder)) return;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8').startsWith(`${abi} `)) return;
  const prefix = dirname(dirname(process.execPath));
  const missing = ['make', 'python3', 'c++'].filter((tool) => which(tool) === null);
  if (!existsSync(join(prefix, 'include/node/node_api.h'))) missing.push("Node's headers");
  if (missing.length > 0) {
    note(`raw-socket is not built (no ${missing.join(', no ')}): echo probes use ping(8)`);
    writeFileSync(stampFile, `${abi} no`);
    return;
  }
  say('building raw-socket for ICMP echo probes');
  const built = spawnSync('npm', ['rebuild', 'raw-socket', `--nodedir=${prefix}`], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, npm_config_ignore_scripts: 'false', npm_config_nodedir: prefix },
  });
  const ok = built.status === 0 && existsSync(join(folder, 'build/Release/raw.node'));
  if (!ok) say('raw-socket does not compile here: echo probes use ping(8)');
  writeFileSync(stampFile, `${abi} ${ok ? 'yes' : 'no'}`);
}

function systemPackages() {
  if (process.platform !== 'linux') {
    say('this is no Linux: the lab is left out, everything else runs');
    return;
  }
  const wanted = { haproxy: 'haproxy', ip: 'iproute2', nft: 'nftables', socat: 'socat' };
  Object.assign(wanted, { ucarp: 'ucarp', ping: 'iputils-ping', perl: 'perl-base' });
  // What the package's build and rc.d's script ask on a Linux machine.
  Object.assign(wanted, { git: 'git', ps: 'procps' });
  const lab = missingOf(wanted);
  const asked = wish < 1 ? {} : { shellcheck: 'shellcheck', mandoc: 'mandoc', pebble: 'pebble' };
  if (wish > 0) Object.assign(asked, { openssl: 'openssl', python3: 'python3' });
  if (wish === 2)
    Object.assign(asked, { certbot: 'certbot', dehydrated: 'dehydrated', lego: 'lego' });
  if (wish === 3) {
    Object.assign(asked, { prometheus: 'prometheus', chromium: 'chromium' });
    Object.assign(asked, { 'ansible-playbook': 'ansible-core' });
  }
  if (wish === 2) Object.assign(asked, { zsh: 'zsh', fish: 'fish', tcsh: 'tcsh' });
  const tests = missingOf(asked);
  if (process.getuid?.() !== 0 || which('apt-get') === null) {
    if (lab.length > 0) say(`the lab needs these packages: ${lab.join(' ')}`);
    if (tests.length > 0) say(`without these packages their tests are skipped: ${tests.join(' ')}`);
    const all = [...lab, ...tests].join(' ');
    if (all !== '')
      say(`install them as root, for example: apt-get install --no-install-recommends ${all}`);
    return;
  }
  const refused = aptInstall(lab);
  if (refused !== null) {
    say(refused);
    process.exit(1);
  }
  const without = aptInstall(tests);
  if (without !== null) say(`${without}: the tests that need them are skipped`);
}

/** The packages of the tools that are not there. */
function missingOf(wanted) {
  return Object.entries(wanted).flatMap(([tool, name]) => (which(tool) === null ? [name] : []));
}

/** Installs Debian's packages, with their services neither started nor enabled; says why it could not, or null. */
function aptInstall(names) {
  if (names.length === 0) return null;
  say(`installing system packages: ${names.join(' ')} (their services are not started)`);
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
    const apt = (...args) =>
      spawnSync('apt-get', [...args, '-q', '-o', 'Acquire::Retries=0'], {
        encoding: 'utf8',
        env,
      });
    const install = () => apt('install', '-y', '--no-install-recommends', ...names);
    let done = install();
    if (done.status !== 0) {
      apt('update');
      done = install();
    }
    // Debian enables the services at the next boot; nobody asked for that.
    const units = { haproxy: 'haproxy', ucarp: 'ucarp', nftables: 'nftables' };
    Object.assign(units, { certbot: 'certbot.timer', prometheus: 'prometheus' });
    const enabled = names.flatMap((name) => units[name] ?? []);
    if (enabled.length > 0 && which('systemctl') !== null)
      spawnSync('systemctl', ['disable', ...enabled], { stdio: 'ignore' });
    if (done.status === 0) return null;
    const why = /^E: (.*)$/m.exec(done.stderr ?? '')?.[1] ?? `exit ${done.status}`;
    return `apt-get cannot install ${names.join(' ')} (${why})`;
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function which(tool) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']) {
    // npm puts its packages' programs first, and one of them is called nft.
    if (folder === '' || folder.endsWith('node_modules/.bin')) continue;
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return join(folder, tool);
    } catch {
      continue;
    }
  }
  return null;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  say(`${command} ${args.join(' ')}: ${error === undefined ? `exit ${status}` : error.message}`);
  process.exit(1);
}
