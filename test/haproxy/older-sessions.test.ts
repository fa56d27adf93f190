import test from 'ava';
import { olderSessions } from '../../agent/haproxy/older-sessions.ts';
import type { OlderProcess } from '../../agent/haproxy/older.ts';
import type { HostProcess } from '../../agent/haproxy/process-table.ts';
import type { Runtime } from '../../agent/haproxy/runtime.ts';
import { serverReading } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { fixture } from '../fixture.ts';

const haproxy = (pid: number): HostProcess => ({
  pid,
  parent: 1,
  place: '',
  words: ['haproxy', '-f', '/h.conf'],
});
const STATE = fixture('haproxy-2.6.12/show-servers-state.txt');
const silent: Runtime = () => Promise.reject(new Error('it does not answer'));

function world(held: readonly OlderProcess[], table: readonly HostProcess[] | Error) {
  const clock = new FakeClock();
  let reads = 0;
  const older = olderSessions({
    clock,
    pid: () => 30,
    held: () => held,
    processes() {
      reads++;
      return table instanceof Error ? Promise.reject(table) : Promise.resolve(table);
    },
  });
  return { clock, older, reads: () => reads };
}
const SERVER = serverReading({ backend: 'WEB', name: 'web1', sessions: 1, total: 5 });

test('nobody but the newest process: its own sessions are all there are', async (t) => {
  const { older } = world([], [haproxy(30)]);
  t.deepEqual(await older.added([SERVER], 'WEB'), [SERVER]);
  t.deepEqual(await older.report(), { processes: 0, sessions: 0, uncounted: 0, problem: '' });
});

test('one that nobody can ask is counted as such and never as idle', async (t) => {
  const { older } = world([], [haproxy(20), haproxy(30)]);
  t.deepEqual(await older.added([SERVER], 'WEB'), [{ ...SERVER, uncounted: 1 }]);
  t.deepEqual(await older.report(), { processes: 1, sessions: 0, uncounted: 1, problem: '' });
});

test('one that is known twice is one, and one that does not answer is not counted', async (t) => {
  const held = [
    { pid: 20, ask: silent },
    { pid: 21, ask: null },
  ];
  const { older } = world(held, [haproxy(20), haproxy(30)]);
  t.deepEqual(await older.added([SERVER], 'WEB'), [{ ...SERVER, uncounted: 2 }]);
  t.deepEqual(await older.report(), { processes: 2, sessions: 0, uncounted: 2, problem: '' });
});

test('the sessions of one that answers are added to those of the newest', async (t) => {
  const asked: string[] = [];
  const ask: Runtime = (command) => {
    asked.push(command);
    if (command.startsWith('show servers state')) return Promise.resolve(STATE);
    if (command.startsWith('show stat')) return Promise.resolve(STAT);
    if (command === 'show info')
      return Promise.resolve(
        'Name: HAProxy\nVersion: 2.6.12\nPid: 20\nUptime_sec: 9\nCurrConns: 4\n',
      );
    return Promise.resolve('\n');
  };
  const { older } = world([{ pid: 20, ask }], [haproxy(20), haproxy(30)]);
  t.deepEqual(await older.added([SERVER], 'WEB'), [
    { ...SERVER, sessions: 1 + 3, total: 5 + 9, older: 3, uncounted: 0 },
  ]);
  t.deepEqual(await older.report(), { processes: 1, sessions: 4, uncounted: 0, problem: '' });
  await older.shut('WEB', 'web1');
  t.true(asked.includes('shutdown sessions server WEB/web1'));
});

test('a process table that cannot be read is a sentence, and the rest goes on', async (t) => {
  const { older } = world([], new Error('ps: not found'));
  t.deepEqual(await older.added([SERVER], 'WEB'), [SERVER]);
  t.is((await older.report()).problem, 'the process table cannot be used: ps: not found');
});

test('the table is read at most once a second for questions, and every 10 s for the report', async (t) => {
  const { older, clock, reads } = world([], [haproxy(30)]);
  for (let second = 0; second < 20; second++) {
    await older.report();
    await clock.advance(1000);
  }
  t.is(reads(), 2);
  await older.added([SERVER], 'WEB');
  await older.added([SERVER], 'WEB');
  t.is(reads(), 3);
});

const STAT = `# pxname,svname,qcur,scur,stot,status,check_status,bck
WEB,web1,1,2,9,UP,L4OK,0

`;

test('a table that cannot be read once leaves what was read of the same process', async (t) => {
  const clock = new FakeClock();
  let pid = 30;
  let table: readonly HostProcess[] | null = [haproxy(20), haproxy(30)];
  const older = olderSessions({
    clock,
    pid: () => pid,
    held: () => [],
    processes: () => (table === null ? Promise.reject(new Error('busy')) : Promise.resolve(table)),
  });
  const one = { processes: 1, sessions: 0, uncounted: 1, problem: '' };
  t.deepEqual(await older.report(), one);
  table = null;
  await clock.advance(20_000);
  t.deepEqual(await older.report(), one);
  pid = 31;
  t.deepEqual(await older.report(), {
    processes: 0,
    sessions: 0,
    uncounted: 0,
    problem: 'the process table cannot be used: busy',
  });
  table = [haproxy(31)];
  await clock.advance(20_000);
  t.deepEqual(await older.report(), { ...one, processes: 0, uncounted: 0 });
});
