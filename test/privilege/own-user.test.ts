import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { journalOf, pemOf, takenOver } from './hostile.ts';
import { SCRIPT } from './tools.ts';

// Somebody has taken the agent's user over and has a shell: the known ways to a file of root's that
// docs/security.md does not name. Each is refused with a sentence, and nothing of root's changes.
const SETPRIV = '/usr/bin/setpriv';
const canDoIt = process.getuid?.() === 0 && existsSync(SETPRIV);
const asRoot = canDoIt ? test : test.skip;
const SECRET = 'root:$6$secret';

type Host = Awaited<ReturnType<typeof takenOver>>;

/** A host with what root keeps there: a key, passwords, a certificate. */
async function attacked(t: ExecutionContext) {
  const host = await takenOver(t);
  const { folder, certs } = host;
  const secret = (path: string, text: string): void => {
    writeFileSync(path, text, { mode: 0o600 });
    chmodSync(path, 0o600);
  };
  mkdirSync(join(folder, 'private'), { mode: 0o700 });
  secret(join(folder, 'private', 'master.passwd'), `${SECRET}\n`);
  secret(join(folder, 'private', 'root.key'), `${SECRET}\n${pemOf(SECRET)}`);
  secret(join(certs, 'site.pem'), pemOf('site'));
  secret(join(certs, 'rndc.key'), `key { ${SECRET} };\n`);
  secret(join(certs, 'master.passwd'), `${SECRET}\n`);
  mkdirSync(join(folder, 'other'));
  secret(join(folder, 'other', 'other.pem'), pemOf('other'));
  const run = join(folder, 'run');
  mkdirSync(run);
  const { uid, gid } = host.account;
  const shellArgs = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '/bin/sh'];
  return {
    ...host,
    /** What the user's own shell makes of it. */
    shell: (script: string) =>
      spawnSync(SETPRIV, [...shellArgs, '-c', script], { cwd: folder, encoding: 'utf8' }),
    /** The user's shell at it until the test ends it. */
    over: async (script: string, during: () => Promise<void>): Promise<void> => {
      const loop = `while :; do ${script}; done 2>/dev/null`;
      // A run of the tests that is killed leaves it to nobody.
      const args = ['--pdeathsig', 'KILL', ...shellArgs, '-c', loop];
      const child = spawn(SETPRIV, args, { cwd: folder, stdio: 'ignore' });
      try {
        await during();
      } finally {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
    },
    /** What the helper answers to these bytes, as the agent's user could write them. */
    helper: (input: string | Buffer): string => {
      const arg = [SCRIPT, '/bin/false', '/bin/false', '/bin/false', certs, '', '', '/bin/false'];
      return spawnSync('/bin/sh', [...arg, '', ''], { input, encoding: 'latin1' }).stdout;
    },
  };
}

/** Every file that is not the user's: owner, mode, names and content. */
function roots({ folder, account }: Host): Record<string, string> {
  const found: Record<string, string> = {};
  const look = (path: string): void => {
    const at = lstatSync(path);
    // Root makes the sockets at every start.
    if (at.uid === account.uid || at.isSocket()) return;
    const facts = `${at.uid}:${at.gid} ${(at.mode & 0o7777).toString(8)} ${at.nlink}`;
    if (at.isDirectory()) for (const name of readdirSync(path)) look(join(path, name));
    const content = at.isSymbolicLink()
      ? readlinkSync(path)
      : at.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)
        : '';
    found[path.slice(folder.length)] = at.isDirectory() ? '' : `${facts} ${content}`;
  };
  look(folder);
  return found;
}

asRoot('by its shell alone: no file of root’s is read, written, moved or replaced', async (t) => {
  const host = await attacked(t);
  const before = roots(host);
  for (const script of [
    'cat private/root.key',
    'cat certs/site.pem',
    'cat certs/rndc.key',
    'echo x >certs/site.pem',
    'echo x >certs/new.pem',
    'rm -f certs/site.pem && [ ! -e certs/site.pem ]',
    'mv certs elsewhere',
    'ln -s /etc/passwd certs/link.pem',
    'echo user = \\"root\\" >>agent.toml',
    'rm agent.toml </dev/null',
    'echo x >run/agent.sock',
    'chown nobody certs/site.pem',
  ]) {
    const { status, stdout } = host.shell(script);
    t.not(status, 0, script);
    t.false(stdout.includes(SECRET), script);
  }
  t.deepEqual(roots(host), before);
});

asRoot('by the helper: what the guide names works, and nothing else is read', async (t) => {
  const host = await attacked(t);
  const { certs, folder, helper } = host;
  linkSync(join(folder, 'private', 'root.key'), join(certs, 'second.key'));
  symlinkSync(join(folder, 'private', 'root.key'), join(certs, 'link.key'));
  symlinkSync(join(folder, 'private'), join(certs, 'up'));
  mkdirSync(join(certs, 'given'));
  writeFileSync(join(certs, 'given', 'a.pem'), pemOf('a'));
  chownSync(join(certs, 'given'), host.account.uid, 0);
  writeFileSync(join(certs, 'passwd.pem'), `${SECRET}\n`, { mode: 0o600 });
  const before = roots(host);
  t.regex(helper(`1 cert-read ${certs}/site.pem\n`), /^0 ok\n( [ 0-9a-f]+\n)+1 ok\n$/);
  t.regex(helper('1 rc-lines\n'), /^0 ok\n( .*\n)*1 ok\n$/);
  for (const path of [
    '/etc/passwd',
    `${folder}/private/root.key`,
    `${folder}/other/other.pem`,
    `${folder}/agent.toml`,
    `${certs}/../private/root.key`,
    `${certs}/./site.pem`,
    `${certs}//site.pem`,
    `${certs}/up/root.key`,
    `${certs}/link.key`,
    `${certs}/second.key`,
    `${certs}/rndc.key`,
    `${certs}/master.passwd`,
    `${certs}/passwd.pem`,
    `${certs}/given/a.pem`,
    `${host.state}/state.json`,
    `/proc/self/environ`,
    `/dev/stdin`,
    certs,
  ]) {
    const said = helper(`1 cert-read ${path}\n`);
    t.regex(said, /^0 ok\n1 (refused|failed) \S[^\n]{10,}\n$/, path);
  }
  t.deepEqual(roots(host), before);
});

asRoot('by the helper: nothing is written or removed under other names or elsewhere', async (t) => {
  const host = await attacked(t);
  const { certs, folder, helper } = host;
  symlinkSync(join(folder, 'private', 'master.passwd'), join(certs, 'link.pem'));
  symlinkSync(join(folder, 'other'), join(certs, 'up'));
  symlinkSync(join(folder, 'nowhere'), join(certs, 'hanging.pem'));
  const before = roots(host);
  const pem = pemOf('evil');
  for (const path of [
    '/etc/cron.d/evil.pem',
    `${folder}/evil.pem`,
    `${folder}/other/other.pem`,
    `${folder}/other/new.pem`,
    `${certs}/../evil.pem`,
    `${certs}/up/new.pem`,
    `${certs}/link.pem`,
    `${certs}/hanging.pem`,
    `${certs}/evil.sh`,
    `${certs}/haproxy.conf`,
    `${certs}/.profile`,
    `${certs}/rndc.key`,
    `${certs}/master.passwd`,
    `${certs}/site.pem/`,
    `${host.state}/state.pem`,
  ]) {
    const write = (verb: string): string => `1 ${verb} ${path} ${pem.length}\n${pem}`;
    const all = helper(`${write('cert-write')}${write('cert-try')}1 cert-remove ${path}\n`);
    t.regex(all, /^0 ok\n(1 (refused|failed) \S[^\n]{10,}\n){3}$/, path);
  }
  const cron = `* * * * * root id\n${pem}`;
  const texts = [cron, `${pem}${cron}`, '#!/bin/sh\nid\n', `${pem}\0`, ''];
  for (const text of texts) {
    const said = helper(`1 cert-write ${certs}/site.pem ${text.length}\n${text}`);
    t.regex(said, /^0 ok\n1 refused \S[^\n]{10,}\n$/, text);
  }
  t.deepEqual(roots(host), before);
  t.is(helper(`1 cert-write ${certs}/site.pem ${pem.length}\n${pem}`), '0 ok\n1 ok\n');
  t.is(readFileSync(join(certs, 'site.pem'), 'utf8'), pem);
});

asRoot('by the helper: odd words do nothing, and the next request is understood', async (t) => {
  const host = await attacked(t);
  const { certs, helper } = host;
  const before = roots(host);
  const key = `${host.folder}/private/root.key`;
  const long = 'a'.repeat(1 << 20);
  for (const [line, answers] of [
    [`1 cert-read ${certs}/site.pem;cat ${key}`, 1],
    [`1 cert-read $(cat ${key})`, 1],
    [`1 cert-read ${certs}/*.key`, 1],
    [`1 cert-read ${certs}/site.pem\r`, 1],
    [`1 cert-read ${certs}/x\n${key}`, 2],
    [`1 cert-read ${long}`, 1],
    [`1 ${'allow '.repeat(1000)}`, 1],
    [`${long} cert-read ${key}`, 1],
    [`1 cert-write ${certs}/site.pem -1`, 1],
    [`1 cert-write ${certs}/site.pem 1e3`, 1],
    [`1 cert-write ${certs}/site.pem 99999999`, 1],
    [`1 cert-read ${key} ${certs}/site.pem`, 1],
    [`1 cert-read`, 1],
    [`cert-read ${certs}/site.pem`, 1],
    ['', 1],
    ['\u0000', 1],
    [`1 cert-read ${certs}/master\u0000.passwd`, 1],
    ['1 reload now', 1],
    ['1 sh -c id', 1],
  ] as const) {
    const lines = helper(Buffer.from(`${line}\n2 check\n`, 'latin1')).split('\n');
    const [started, ...said] = lines.slice(0, -1);
    t.is(started, '0 ok');
    t.is(said.at(-1), '2 refused not configured in agent.toml', line.slice(0, 60));
    t.is(said.length, answers + 1, line.slice(0, 60));
    for (const one of said) t.regex(one, /^\d+ refused \S/, line.slice(0, 60));
  }
  t.deepEqual(roots(host), before);
});

asRoot(
  'by a race: a directory swapped for a link while root looks is never followed',
  async (t) => {
    const host = await attacked(t);
    const { certs, helper, own } = host;
    const shared = own('certs/shared');
    mkdirSync(join(shared, 'site'));
    writeFileSync(join(shared, 'site', 'root.key'), pemOf('mine'));
    for (const path of [join(shared, 'site'), join(shared, 'site', 'root.key')])
      chownSync(path, host.account.uid, host.account.gid);
    const before = roots(host);
    const swap =
      'cd certs/shared && mv site was && ln -s ../../private site; rm -f site; mv was site; cd ../..';
    const pem = pemOf('evil');
    const path = `${certs}/shared/site/root.key`;
    const said: string[] = [];
    await host.over(swap, async () => {
      for (let at = 0; at < 15; at++) {
        said.push(helper(`1 cert-read ${path}\n1 cert-write ${path} ${pem.length}\n${pem}`));
        await new Promise((resolve) => void setImmediate(resolve));
      }
    });
    const bad = said.filter((one) => !/^0 ok\n(1 (refused|failed) \S[^\n]{10,}\n){2}$/.test(one));
    t.deepEqual([bad, roots(host)], [[], before]);
  },
);

asRoot(
  'by a start and a release that root is asked for: nothing planted is followed',
  async (t) => {
    const host = await attacked(t);
    const { certs, folder, own, state } = host;
    const swaps = own('state/swaps');
    const victims = [
      join(folder, 'private', 'master.passwd'),
      join(folder, 'agent.toml'),
      join(certs, 'rndc.key'),
      join(certs, 'site.pem'),
      `${certs}/../private/root.key`,
      '/etc/cron.d/evil.pem',
    ];
    for (const [at, path] of victims.entries())
      host.shell(
        `cat >state/swaps/swap-${at}.json <<'END'\n${journalOf(path, readable(path), '* * * * * root id\n')}END`,
      );
    t.is(readdirSync(swaps).length, victims.length);
    const before = roots(host);
    const look = async (what: string, ...args: readonly string[]): Promise<void> => {
      const { code, said } = await host.agent(...args);
      // A release that finds nothing of the agent in force has nothing to say against.
      t.true(code === 1 || (code === 0 && args.length > 0), what);
      t.regex(said, /^(proxyagent: |already released: )\S.{10,}/m, what);
      t.false(said.includes(SECRET), what);
      t.deepEqual(roots(host), before, what);
    };
    await look('planted journals, release', '--release');
    await look('planted journals, start');
    for (const [what, script] of [
      ['a link for the next state', 'ln -s ../private/master.passwd state/state.json.new'],
      ['a link for the state', 'ln -sf ../private/master.passwd state/state.json'],
      ['a link for the one before', 'ln -sf ../private/root.key state/state.json.1'],
      ['a pipe for the state', 'rm -f state/state.json.1; mkfifo state/revoked.pem'],
      ['a link for the journals', 'rm -rf state/swaps; ln -s ../certs state/swaps'],
      ['a state of its own', `rm -f state/state.json; echo '{"version":1}' >state/state.json`],
    ] as const) {
      t.is(host.shell(script).status, 0, what);
      await look(`${what}, release`, '--release');
      await look(`${what}, start`);
    }
    // The state directory itself is the user's only below what is root's.
    t.not(host.shell('mv state was && ln -s private state').status, 0);
    await host.over(
      'rm -rf state/swaps; ln -s ../private state/swaps; rm -f state/swaps; mkdir state/swaps; ' +
        'ln -s ../private/root.key state/swaps/swap-a.json',
      async () => {
        for (let at = 0; at < 5; at++) await look('a race for the journals', '--release');
      },
    );
    t.is(lstatSync(state).uid, host.account.uid);
  },
);

/** The content a journal must name to be taken for what is there. */
function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return pemOf('none');
  }
}
