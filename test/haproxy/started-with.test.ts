import test from 'ava';
import { configArguments, startedWith } from '../../agent/haproxy/started-with.ts';
import { startHaproxy } from './haproxy.ts';
import { join } from 'node:path';

test('the files of a command line: -f again and again, behind --, from the directory of -C', (t) => {
  const argv = (line: string) => configArguments(line.split(' '));
  t.deepEqual(
    [
      argv('haproxy -q -f /a.cfg -p /run/h.pid -f /b.d'),
      argv('haproxy -Ws -f a.cfg -C /etc/haproxy -x /run/h.sock -sf 12 13'),
      argv('haproxy -D -- /a.cfg /b.cfg'),
      argv('haproxy -L -f -vv'),
    ],
    [
      { files: ['/a.cfg', '/b.d'], folder: '' },
      { files: ['a.cfg'], folder: '/etc/haproxy' },
      { files: ['/a.cfg', '/b.cfg'], folder: '' },
      { files: [], folder: '' },
    ],
  );
});

test('a process that this user does not see is read by root, and else said', async (t) => {
  const { ask, folder, child } = await startHaproxy(t);
  const config = join(folder, 'haproxy.conf');
  const hidden = () => Promise.reject(new Error('ps: exit 1'));
  const nowhere = { ask, config: '/nowhere.conf', proc: join(folder, 'proc'), exec: hidden };
  const byRoot = (pid: number) =>
    Promise.resolve(pid === child().pid ? ['haproxy', '-f', config] : []);
  t.deepEqual(await startedWith({ ...nowhere, byRoot })(), { files: [config], problem: '' });
  const { problem } = await startedWith({ ...nowhere, byRoot: () => Promise.resolve([]) })();
  t.is(problem, `the command line of process ${child().pid} cannot be read: ps: exit 1`);
});
