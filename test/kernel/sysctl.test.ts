import test from 'ava';
import { parseSysctl } from '../../agent/carp/carp.ts';
import { SYSCTL_NAMES } from './acts.ts';
import type { Host } from './host.ts';
import type { ToolRun } from './ifconfig.ts';
import { newKernel } from './kernel.ts';
import { IF, master } from './scene.ts';
import { sysctl, sysctlText } from './sysctl.ts';

const host = (module = true): Host => ({
  kernel: newKernel(14, false, [IF]),
  interfaces: [],
  module,
  keys: {},
});
const run = (on: Host, ...args: readonly string[]): ToolRun => sysctl(on, args, 0);
const outcome = ({ code, stdout, stderr }: ToolRun) => ({ code, stdout, stderr });

test('the tree prints every value by name, and the agent reads the defaults from it', (t) => {
  const printed = run(host(), 'net.inet.carp').stdout;
  t.is(printed, sysctlText(host()));
  t.deepEqual(Object.fromEntries(parseSysctl(printed)), {
    'net.inet.carp.allow': 1,
    'net.inet.carp.preempt': 0,
    'net.inet.carp.dscp': 56,
    'net.inet.carp.log': 1,
    'net.inet.carp.demotion': 0,
    'net.inet.carp.ifdown_demotion_factor': 240,
    'net.inet.carp.senderr_demotion_factor': 240,
  });
});

test('a value is read with its name, or alone with -n', (t) => {
  t.is(run(host(), 'net.inet.carp.allow').stdout, 'net.inet.carp.allow: 1\n');
  t.is(run(host(), '-n', 'net.inet.carp.dscp', 'net.inet.carp.log').stdout, '56\n1\n');
});

test('a write says what it was and what it is; a demotion is added', (t) => {
  const first = run(host(), 'net.inet.carp.demotion=240');
  t.deepEqual(outcome(first), {
    code: 0,
    stdout: 'net.inet.carp.demotion: 0 -> 240\n',
    stderr: '',
  });
  const second = run(first.host, 'net.inet.carp.demotion=240');
  t.is(second.stdout, 'net.inet.carp.demotion: 240 -> 480\n');
  t.is(run(second.host, '-n', 'net.inet.carp.demotion=-480').stdout, '480 -> 0\n');
});

test('every value can be written and is read back', (t) => {
  for (const name of SYSCTL_NAMES) {
    const value = name === 'allow' ? 0 : 1;
    const path = `net.inet.carp.${name}`;
    const written = run(host(), `${path}=${value}`);
    t.is(written.code, 0);
    t.is(run(written.host, '-n', path).stdout, `${value}\n`);
  }
});

test('a write reaches the kernel: a demotion of 0 makes the MASTER advertise', (t) => {
  const on = { ...host(), kernel: master().kernel };
  const { effects } = run(on, 'net.inet.carp.demotion=0');
  t.deepEqual(effects.filter(({ kind }) => kind === 'advert').length, 1);
});

test('unknown names, words for numbers and a dscp above 63 fail, and the rest is still done', (t) => {
  t.deepEqual(outcome(run(host(), 'net.inet.carp.nothing', '-n', 'net.inet.carp.allow')), {
    code: 1,
    stdout: '1\n',
    stderr: "sysctl: unknown oid 'net.inet.carp.nothing'\n",
  });
  for (const value of ['yes', '', '1.5'])
    t.deepEqual(outcome(run(host(), `net.inet.carp.allow=${value}`)), {
      code: 1,
      stdout: '',
      stderr: `sysctl: invalid integer '${value}'\n`,
    });
  t.deepEqual(outcome(run(host(), 'net.inet.carp.dscp=64')), {
    code: 1,
    stdout: 'net.inet.carp.dscp: 56\n',
    stderr: 'sysctl: net.inet.carp.dscp=64: Invalid argument\n',
  });
  t.is(run(host(), 'net.inet.carp.dscp=63').code, 0);
});

test('without carp.ko there is no net.inet.carp', (t) => {
  for (const path of ['net.inet.carp', 'net.inet.carp.allow'])
    t.deepEqual(outcome(run(host(false), path)), {
      code: 1,
      stdout: '',
      stderr: `sysctl: unknown oid '${path}'\n`,
    });
});
