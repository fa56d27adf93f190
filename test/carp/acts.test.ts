import test from 'ava';
import { directActs, type CarpSet } from '../../agent/carp/acts.ts';

const TOOLS = { ifconfig: '/sbin/ifconfig', sysctl: '/sbin/sysctl', ngctl: '/usr/sbin/ngctl' };
const sets = (count: number): CarpSet[] =>
  Array.from({ length: count }, (_, at) => ({
    vhid: { interface: 'vtnet0', vhid: at + 1, isVrrp: false, peer: null, peer6: null },
    change: { state: 'MASTER', advskew: 0 },
  }));

test('many vhids are set side by side, with turns for others between their starts', async (t) => {
  const started: string[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const acts = directActs(async (_file, args) => {
    started.push(args.join(' '));
    await released;
    return '';
  }, TOOLS);
  const whole = sets(10);
  const done = acts.set(whole);
  const atOnce = started.length;
  while (started.length < whole.length) await new Promise((resolve) => void setImmediate(resolve));
  release();
  await done;
  t.deepEqual(
    [atOnce, started],
    [4, whole.map(({ vhid }) => `vtnet0 vhid ${vhid.vhid} advskew 0 state master`)],
  );
});

test('one that fails keeps no other from being set, and the first failure is told', async (t) => {
  const started: string[] = [];
  const acts = directActs((_file, args) => {
    const vhid = args[2] ?? '';
    started.push(vhid);
    return vhid === '2' || vhid === '6'
      ? Promise.reject(new Error(`ifconfig: vhid ${vhid}`))
      : Promise.resolve('');
  }, TOOLS);
  await t.throwsAsync(acts.set(sets(7)), { message: 'ifconfig: vhid 2' });
  t.deepEqual(started, ['1', '2', '3', '4', '5', '6', '7']);
});
