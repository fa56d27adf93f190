import test from 'ava';
import { configArguments } from '../../agent/haproxy/started-with.ts';

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
