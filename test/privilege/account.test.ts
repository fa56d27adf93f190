import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { accountOf, giveDirectory, giveLog } from '../../agent/privilege/account.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import { asRoot, folderOf, SOMEBODY } from './somebody.ts';

const exec = execWithin(10_000);
const main = fileURLToPath(new URL('../../agent/main.js', import.meta.url));

const ownerOf = (path: string): string => {
  const { uid, gid, mode } = lstatSync(path);
  return `${uid} ${gid} ${(mode & 0o777).toString(8)}`;
};

test('root means: stay root; a user that does not exist is named with the remedy', async (t) => {
  t.is(await accountOf(exec, 'root'), null);
  const error = await t.throwsAsync(accountOf(exec, 'no-such-user'));
  t.is(
    error.message,
    'user = "no-such-user": no such user; make it (pw useradd no-such-user -d /nonexistent ' +
      '-s /usr/sbin/nologin), or set user',
  );
});

asRoot('an agent whose user does not exist does not start: 1, one sentence, nothing made', (t) => {
  const folder = folderOf(t);
  const config = join(folder, 'agent.toml');
  writeFileSync(
    config,
    `user = "no-such-user"\nstate = "${folder}/state"\nlog = { file = "${folder}/log" }\n` +
      '[[peer]]\nnode = "other"\naddress = ["127.0.0.1:7660"]\n',
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--config', config], {
    encoding: 'utf8',
  });
  t.is(status, 1);
  t.is(stdout, '');
  t.regex(stderr, /^proxyagent: user = "no-such-user": no such user; [^\n]*\n$/);
  const left = spawnSync('ls', [folder], { encoding: 'utf8' }).stdout;
  t.is(left, 'agent.toml\n');
});

asRoot(
  'a state directory of root becomes the account’s with all that is in it, links untouched',
  async (t) => {
    const folder = folderOf(t);
    const state = join(folder, 'state');
    mkdirSync(join(state, 'swaps'), { recursive: true, mode: 0o700 });
    chmodSync(state, 0o700);
    writeFileSync(join(state, 'state.json'), '{}', { mode: 0o600 });
    writeFileSync(join(folder, 'passwd'), 'root', { mode: 0o600 });
    symlinkSync(join(folder, 'passwd'), join(state, 'link'));
    await giveDirectory(state, SOMEBODY);
    t.deepEqual([state, join(state, 'state.json'), join(state, 'swaps')].map(ownerOf), [
      '64001 64002 700',
      '64001 64002 600',
      '64001 64002 700',
    ]);
    t.is(ownerOf(join(folder, 'passwd')), '0 0 600');
  },
);

asRoot('one that is missing is made; one that is the account’s is not looked into', async (t) => {
  const folder = folderOf(t);
  const state = join(folder, 'new', 'state');
  await giveDirectory(state, SOMEBODY);
  t.is(ownerOf(state), '64001 64002 700');
  // Its owner could have put a second name of any file there.
  writeFileSync(join(folder, 'passwd'), 'root', { mode: 0o600 });
  linkSync(join(folder, 'passwd'), join(state, 'state.json'));
  await giveDirectory(state, SOMEBODY);
  t.is(ownerOf(join(folder, 'passwd')), '0 0 600');
});

asRoot('a state directory that others could have written is refused', async (t) => {
  const folder = folderOf(t);
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign);
  chownSync(foreign, 64_009, 0);
  for (const path of [shared, foreign]) {
    const error = await t.throwsAsync(giveDirectory(path, SOMEBODY));
    t.is(
      error.message,
      `${path} is not root's alone and not somebody's: chown -R somebody ${path}`,
    );
  }
});

asRoot(
  'the log becomes the account’s, and root follows no link and opens nothing of others',
  async (t) => {
    const folder = folderOf(t);
    const log = join(folder, 'agent.log');
    await giveLog('log.file', log, SOMEBODY);
    t.is(ownerOf(log), '64001 64002 640');
    const link = join(folder, 'link.log');
    writeFileSync(join(folder, 'passwd'), 'root', { mode: 0o600 });
    symlinkSync(join(folder, 'passwd'), link);
    await t.throwsAsync(giveLog('log.file', link, SOMEBODY), { code: 'ELOOP' });
    const own = join(folder, 'own');
    mkdirSync(own);
    chownSync(own, SOMEBODY.uid, SOMEBODY.gid);
    const error = await t.throwsAsync(giveLog('log.file', join(own, 'agent.log'), SOMEBODY));
    t.is(error.message, `log.file: ${own} must belong to root, because root opens the log`);
    t.is(ownerOf(join(folder, 'passwd')), '0 0 600');
    await giveLog('log.file', '', SOMEBODY);
  },
);
