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
import {
  giveLog,
  giveRecord,
  keepDirectory,
  refuseSteered,
} from '../../agent/privilege/account.ts';
import type { Exec } from '../../agent/sys/exec.ts';
import { asRoot, folderOf, SOMEBODY } from './somebody.ts';

const groups: Exec = () => Promise.resolve('64002 64003\n');

const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);
const ownerOf = (path: string): string => `${lstatSync(path).uid} ${lstatSync(path).gid}`;

asRoot('the state of an agent that stays root is made for it alone, and kept as it is', (t) => {
  const state = join(folderOf(t), 'state');
  keepDirectory(state);
  t.is(modeOf(state), '700');
  chmodSync(state, 0o755);
  keepDirectory(state);
  t.is(modeOf(state), '755');
});

asRoot('a state directory that others can write is refused with what to do', (t) => {
  const state = join(folderOf(t), 'state');
  mkdirSync(state);
  chmodSync(state, 0o777);
  t.throws(() => keepDirectory(state), {
    message: `state = "${state}": others than root can write ${state}; chown -R root ${state}, chmod go-w ${state}`,
  });
});

asRoot('what is no doubt about writers is the error that it is', (t) => {
  const loop = join(folderOf(t), 'loop');
  symlinkSync(loop, loop);
  const error = t.throws(() => keepDirectory(loop));
  t.notRegex(error.message, /others than root/);
});

asRoot(
  'agent.toml that the account can write, by itself or by a group, is not believed',
  async (t) => {
    const folder = folderOf(t);
    const config = join(folder, 'agent.toml');
    writeFileSync(config, '');
    await t.notThrowsAsync(refuseSteered(groups, config, SOMEBODY));
    chmodSync(config, 0o660);
    await t.notThrowsAsync(refuseSteered(groups, config, SOMEBODY), 'of a group that it is not in');
    chownSync(config, 0, 64_003);
    chmodSync(config, 0o660);
    const message = `${config} is not believed: somebody can write ${config}; chown root ${config}, chmod go-w ${config}`;
    await t.throwsAsync(refuseSteered(groups, config, SOMEBODY), { message });
    chownSync(config, 64_001, 0);
    await t.throwsAsync(refuseSteered(groups, config, SOMEBODY), { message });
    const missing = await t.throwsAsync(refuseSteered(groups, `${config}.no`, SOMEBODY));
    t.like(missing, { code: 'ENOENT' });
  },
);

asRoot(
  'a log and a record are made for the account, in folders that anybody may enter',
  async (t) => {
    const folder = join(folderOf(t), 'var', 'log');
    const before = process.umask(0);
    t.teardown(() => process.umask(before));
    await giveLog('log.file', join(folder, 'log'), SOMEBODY);
    await giveRecord('audit.file', join(folder, 'record'), SOMEBODY);
    t.deepEqual(
      [modeOf(folder), ...['log', 'record'].map((name) => ownerOf(join(folder, name)))],
      ['755', '64001 64002', '64001 64002'],
    );
    t.is(modeOf(join(folder, 'log')), '640');
    await giveLog('log.file', '', SOMEBODY);
  },
);

asRoot('a log with a second name is refused; a record that cannot be opened is left', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'log');
  writeFileSync(path, '');
  linkSync(path, join(folder, 'other'));
  const message = `log.file: ${path} is a file that has a name elsewhere too: rm ${path}`;
  await t.throwsAsync(giveLog('log.file', path, SOMEBODY), { message });
  await t.throwsAsync(giveRecord('log.file', path, SOMEBODY), { message });
  t.is(ownerOf(path), '0 0');
  const link = join(folder, 'link');
  symlinkSync(path, link);
  await t.throwsAsync(giveLog('log.file', link, SOMEBODY));
  await t.notThrowsAsync(giveRecord('log.file', link, SOMEBODY));
  chownSync(folder, 64_001, 0);
  await t.throwsAsync(giveRecord('log.file', path, SOMEBODY), {
    message: `log.file: ${folder} must belong to root, because root opens the log`,
  });
});
