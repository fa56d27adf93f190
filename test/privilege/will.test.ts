import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { helperWill } from '../../agent/privilege/will.ts';
import { prints } from '../carp/tools.ts';
import { eventually } from '../record.ts';
import { scriptedHelper } from './tools.ts';

const STEPPED_OUT = [
  'ifconfig vtnet0 vhid 1 advskew 254 state backup',
  'ifconfig vtnet0 vhid 3 vrrpprio 1 state backup',
];
const TWO_MASTERS = `vtnet0: flags=1<UP>
	carp: MASTER vhid 1 advbase 1 advskew 0
	      peer 224.0.0.18 peer6 ff02::12
	carp: BACKUP vhid 2 advbase 1 advskew 100
	      peer 224.0.0.18 peer6 ff02::12
	vrrp: MASTER vrid 3 prio 100 interval 100
`;

/** How many processes have WORD in their command line. */
const processesOf = (word: string): number =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      // It ended while we looked.
      return false;
    }
  }).length;

/** A process in HAProxy's place. */
async function standIn(t: ExecutionContext) {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  t.teardown(end);
  return { pid: child.pid ?? 0, end };
}

async function withWill(t: ExecutionContext) {
  const scripted = await scriptedHelper(t);
  scripted.write('ifconfig', `[ $# -gt 1 ] || ${prints(TWO_MASTERS)}`);
  const haproxy = await standIn(t);
  const ids = [1, 2, 3].map((vhid) => ({ interface: 'vtnet0', vhid }));
  await helperWill(scripted.helper)(haproxy.pid, ids);
  const sets = (): string[] =>
    scripted
      .log()
      .split('\n')
      .filter((line) => line.includes(' vhid '));
  return { ...scripted, haproxy, sets };
}

test('told to end with HAProxy dead, it takes MASTER from every address of the will', async (t) => {
  const { helper, haproxy, sets } = await withWill(t);
  await haproxy.end();
  process.kill(helper.pid, 'SIGTERM');
  await eventually(() => sets().length === STEPPED_OUT.length);
  t.deepEqual(sets().toSorted(), STEPPED_OUT);
});

test('HAProxy may die after the signal, and the helper goes on for its agent until then', async (t) => {
  const { helper, haproxy, ask, sets } = await withWill(t);
  process.kill(helper.pid, 'SIGTERM');
  t.deepEqual(await ask('advertise'), []);
  t.deepEqual(sets(), []);
  await haproxy.end();
  await eventually(() => sets().length === STEPPED_OUT.length);
  t.deepEqual(await ask('advertise'), []);
  helper.close();
  await helper.ended;
  t.deepEqual(sets().toSorted(), STEPPED_OUT);
});

test('its agent gone after the signal: the will is done all the same', async (t) => {
  const { helper, haproxy, sets } = await withWill(t);
  process.kill(helper.pid, 'SIGTERM');
  helper.close();
  await helper.ended;
  await haproxy.end();
  await eventually(() => sets().length === STEPPED_OUT.length);
  t.deepEqual(sets().toSorted(), STEPPED_OUT);
});

test('told to end while HAProxy lives: nothing is set, and it looks no more', async (t) => {
  const { helper, calls, folder } = await withWill(t);
  const shells = (): number => processesOf(`${folder}/helper.sh`);
  t.is(shells(), 1);
  calls();
  process.kill(helper.pid, 'SIGTERM');
  await eventually(() => shells() === 2);
  await eventually(() => shells() === 1);
  t.deepEqual(calls(), []);
});

test('its input ends without a signal, HAProxy dead: a stop by hand sets nothing', async (t) => {
  const { helper, haproxy, calls } = await withWill(t);
  await haproxy.end();
  calls();
  helper.close();
  await helper.ended;
  t.deepEqual(calls(), []);
});

test('a will that cannot be one is refused', async (t) => {
  const { answer } = await scriptedHelper(t);
  const refused = await Promise.all(
    ['will', 'will x vtnet0 1', 'will 0', 'will 7 vtnet0'].map((words) =>
      answer(...words.split(' ')),
    ),
  );
  t.deepEqual(refused, Array<string>(4).fill('refused: will needs PID, then IF VHID each'));
});
