import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import test from 'ava';
import {
  olderOf,
  parsePs,
  processesWith,
  readProcesses,
  servingProcess,
  type HostProcess,
} from '../../agent/haproxy/process-table.ts';

const CONF = '/usr/local/etc/haproxy.conf';
const line = (pid: number, parent: number, words: string, place = '0'): HostProcess => ({
  pid,
  parent,
  place,
  words: words.split(' '),
});
const CURRENT = line(30, 1, `/usr/local/sbin/haproxy -q -f ${CONF} -p /var/run/haproxy.pid -sf 20`);

test('what a reload has replaced has the same files, whatever else it was started with', (t) => {
  const older = [
    line(10, 1, `/usr/local/sbin/haproxy -q -f ${CONF} -p /var/run/haproxy.pid`),
    line(20, 1, `haproxy -D -x /var/run/haproxy.sock -f ${CONF} -sf 10`),
  ];
  t.deepEqual(olderOf([...older, CURRENT], 30), [10, 20]);
  t.deepEqual(olderOf([CURRENT], 30), []);
});

test('no check, no other HAProxy, no other jail and no other program is an older process', (t) => {
  const others = [
    line(40, 1, `haproxy -c -q -f ${CONF}`),
    line(41, 1, 'haproxy -f /usr/local/etc/other.conf'),
    line(42, 1, `haproxy -f ${CONF} -f /usr/local/etc/more.conf`),
    line(43, 1, `haproxy -q -f ${CONF}`, '3'),
    line(44, 1, `vi ${CONF}`),
    line(45, 1, `tail -f ${CONF}`),
    line(46, 30, `haproxy -q -f ${CONF}`),
  ];
  t.deepEqual(olderOf([...others, CURRENT], 30), []);
});

test('whom a process was told to replace is older, though its files were named in another way', (t) => {
  const table = [
    line(10, 1, `haproxy -f ${CONF}`),
    line(20, 1, 'haproxy -f haproxy.conf -C /usr/local/etc -sf 10 -q'),
    line(21, 1, 'haproxy -f other.conf -C /usr/local/etc'),
    line(22, 1, '/opt/haproxy-3/sbin/haproxy30 -f /a -f /b -st 20 21'),
    line(23, 1, 'vi -f x'),
    line(24, 1, 'haproxy -f /elsewhere.conf', '3'),
    line(
      30,
      1,
      `/usr/local/sbin/haproxy -f ${CONF} -f /more.conf -p /run/h.pid -sf 22 24 25 -x /run/h.sock 23`,
    ),
    line(31, 1, `haproxy -f /elsewhere.conf`),
  ];
  t.deepEqual(olderOf(table, 30), [10, 20, 21, 22]);
});

test('a master and its older workers: the workers count, the master does not', (t) => {
  const table = [
    line(5, 1, `haproxy -W -f ${CONF} -sf 6 -x sockpair@4`),
    line(6, 5, `haproxy -W -f ${CONF}`),
    line(7, 5, `haproxy -W -f ${CONF} -sf 6 -x sockpair@4`),
  ];
  t.deepEqual(olderOf(table, 7), [6]);
});

test('files after -- count as those of -f', (t) => {
  const [a, b] = [line(1001, 1, 'haproxy -- /a /b'), line(1002, 1, 'haproxy -sf 1001 -- /a /b')];
  t.deepEqual(olderOf([a, b], 1002), [1001]);
});

test('a table in which HAProxy itself is not seen tells nothing, and says so', (t) => {
  const { message } = t.throws(() => olderOf([line(10, 1, `haproxy -f ${CONF}`)], 30));
  t.is(message, 'HAProxy, process 30, is not in the process table as this user sees it');
});

test('lines of ps(1) as FreeBSD prints them', (t) => {
  const text = [
    '    0     0 0 [kernel]',
    ` 2211     1 0 /usr/local/sbin/haproxy -q -f ${CONF} -p /var/run/haproxy.pid`,
    ` 2304     1 2 /usr/local/sbin/haproxy -q -f ${CONF} -p /var/run/haproxy.pid`,
    'ps: something else',
    '',
  ].join('\n');
  t.deepEqual(parsePs(text).slice(1), [
    line(2211, 1, `/usr/local/sbin/haproxy -q -f ${CONF} -p /var/run/haproxy.pid`, '0'),
    line(2304, 1, `/usr/local/sbin/haproxy -q -f ${CONF} -p /var/run/haproxy.pid`, '2'),
  ]);
});

test("this host's own table has a process that runs, with its words", async (t) => {
  const words = ['-e', 'setTimeout(() => {}, 60000)', 'x', '-f', '/no/such.conf'];
  const child = spawn(process.execPath, words);
  await once(child, 'spawn');
  const found = (await readProcesses()).find(({ words: all }) => all.includes('/no/such.conf'));
  child.kill();
  t.deepEqual(found?.words.slice(1), words);
});

test('where this user does not see HAProxy root is asked, and only then', async (t) => {
  let asked = 0;
  const root = (text: string) => () => {
    asked += 1;
    return Promise.resolve(text);
  };
  const sees =
    (...all: HostProcess[]) =>
    () =>
      Promise.resolve(all);
  const older = line(20, 1, `/usr/local/sbin/haproxy -q -f ${CONF}`);
  const text = [older, CURRENT]
    .map(({ pid, parent, place, words }) => `${pid} ${parent} ${place} ${words.join(' ')}\n`)
    .join('');
  t.deepEqual(await processesWith(30, root(text), sees(CURRENT)), [CURRENT]);
  t.is(asked, 0);
  const other = line(40, 1, 'sh');
  t.deepEqual(await processesWith(30, root(text), sees(other)), [older, CURRENT]);
  const broken = () => Promise.reject(new Error('ps: not found'));
  t.deepEqual(await processesWith(30, root(text), broken), [older, CURRENT]);
  t.is(asked, 2);
  t.deepEqual(await processesWith(30, root(''), sees(other)), [other], 'root sees no more');
  await t.throwsAsync(processesWith(30, root(''), broken), { message: 'ps: not found' });
});

test('a process that serves the file: no check of it, no master, no other file; root is asked last', async (t) => {
  const own = await readlink('/proc/self/ns/net').catch(() => '0');
  const place = own.replaceAll(/\D/g, '');
  const here = (pid: number, parent: number, words: string) => line(pid, parent, words, place);
  const find = (table: readonly HostProcess[], root = '') =>
    servingProcess(
      CONF,
      () => Promise.resolve(root),
      () => Promise.resolve(table),
    );
  const others = [
    here(40, 1, `haproxy -c -f ${CONF}`),
    here(41, 1, 'haproxy -f /other.conf'),
    here(42, 1, `vi -f ${CONF}`),
    here(43, 1, `haproxy -Ws -f ${CONF}`),
    line(44, 1, `haproxy -f ${CONF}`, 'elsewhere'),
  ];
  t.is(await find(others), null);
  t.is(await find([...others, here(45, 43, `haproxy -Ws -f ${CONF}`)]), 45);
  t.is(await find([...others, here(46, 1, `/usr/local/sbin/haproxy -f /a -f ${CONF}`)]), 46);
  const failing = () => Promise.reject(new Error('no table'));
  t.is(await servingProcess(CONF, failing, failing), null);
});
