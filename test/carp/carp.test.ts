import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CarpError, carp, parseSysctl } from '../../agent/carp/carp.ts';
import { CommandError, execWithin } from '../../agent/sys/exec.ts';
import { eventually } from '../record.ts';
import { IFCONFIG, meeting, prints, scriptedTools, SYSCTL } from './tools.ts';

const exec = execWithin(10_000);

test('a reading: vhids, and the three settings of the kernel', async (t) => {
  const { tools, calls } = scriptedTools(t, {});
  t.deepEqual(await carp({ exec, tools }).read(), {
    addresses: [
      {
        interface: 'vtnet0',
        vhid: 1,
        state: 'MASTER',
        advbase: 1,
        advskew: 0,
        vips: ['10.1.60.200', 'fd5e::200'],
        peer: '224.0.0.18',
        peer6: 'ff02::12',
      },
      {
        interface: 'vtnet0',
        vhid: 2,
        state: 'BACKUP',
        advbase: 1,
        advskew: 100,
        vips: [],
        peer: '10.1.60.202',
        peer6: 'fd5e::202',
      },
      {
        interface: 'vtnet0',
        vhid: 3,
        state: 'BACKUP',
        advbase: 1,
        advskew: 100,
        vips: [],
        peer: '224.0.0.18',
        peer6: 'fd5e::202',
      },
    ],
    vrrp: [],
    preempt: false,
    demotion: 0,
    downFactor: 240,
    allow: true,
    interfaces: [{ interface: 'vtnet0', addresses: [] }],
  });
  t.deepEqual(calls().sort(), ['ifconfig ', 'kldstat -q -m carp', 'sysctl net.inet.carp']);
});

test('the module is looked for until it is there, then no more', async (t) => {
  const { tools, calls, write } = scriptedTools(t, { kldstat: 'exit 1' });
  const one = carp({ exec, tools });
  const error = await t.throwsAsync(one.read(), { instanceOf: CarpError });
  t.deepEqual(error.failure, { kind: 'module' });
  t.is(
    error.message,
    'carp(4) is not loaded: kldload carp, and carp_load="YES" in /boot/loader.conf',
  );
  t.deepEqual(calls(), ['kldstat -q -m carp']);
  write('kldstat', 'exit 0');
  await one.read();
  calls();
  await one.read();
  t.deepEqual(calls().sort(), ['ifconfig ', 'sysctl net.inet.carp']);
});

test('settings of other hosts: preempt on, demoted, allow unknown', async (t) => {
  const text = SYSCTL.replace('preempt: 0', 'preempt: 1')
    .replace('demotion: 0', 'demotion: -240')
    .replace(/.*allow.*\n/, '');
  const { tools } = scriptedTools(t, { sysctl: prints(text) });
  const { preempt, demotion, allow } = await carp({ exec, tools }).read();
  t.deepEqual([preempt, demotion, allow], [true, -240, null]);
});

test('a sysctl that names no demotion is not understood, rather than 0', async (t) => {
  const { tools } = scriptedTools(t, { sysctl: prints('hello\n') });
  const error = await t.throwsAsync(carp({ exec, tools }).read(), { instanceOf: CarpError });
  t.deepEqual(error.failure, { kind: 'text', line: 'hello' });
});

test('an ifconfig that prints what is not understood is an error with that line', async (t) => {
  const { tools } = scriptedTools(t, {
    ifconfig: prints(IFCONFIG.replace('BACKUP vhid 2', 'SLAVE vhid 2')),
  });
  const error = await t.throwsAsync(carp({ exec, tools }).read(), { instanceOf: CarpError });
  t.deepEqual(error.failure, {
    kind: 'text',
    line: 'carp: SLAVE vhid 2 advbase 1 advskew 100',
  });
});

test('a tool that is missing, fails, is killed or hangs: which one and how', async (t) => {
  const rows: [string, (path: string) => void, object][] = [
    ['', (path) => rmSync(path), { kind: 'spawn', code: 'ENOENT' }],
    ['echo "interface em9 does not exist" >&2; exit 1', () => {}, { kind: 'exit', code: 1 }],
    ['kill -TERM $$', () => {}, { kind: 'signal', signal: 'SIGTERM' }],
    ['exec sleep 600', () => {}, { kind: 'timeout', afterMs: 1000 }],
  ];
  for (const name of ['ifconfig', 'sysctl', 'kldstat'] as const) {
    for (const [body, change, failure] of rows) {
      // kldstat's exit 1 is its answer: the module is not there.
      if (name === 'kldstat' && body.endsWith('exit 1')) continue;
      const { tools } = scriptedTools(t, { [name]: body });
      change(body === '' ? tools[name] : '');
      const limited = execWithin(1000);
      const error = await t.throwsAsync(carp({ exec: limited, tools }).read(), {
        instanceOf: CommandError,
      });
      t.deepEqual(error.failure, failure);
      t.true(error.message.startsWith(tools[name]));
    }
  }
});

test('a tool that hangs is killed, not left behind', async (t) => {
  const { tools, folder } = scriptedTools(t, { ifconfig: 'echo $$ > $0.pid; exec sleep 600' });
  await t.throwsAsync(carp({ exec: execWithin(1000), tools }).read());
  const pid = Number(readFileSync(join(folder, 'ifconfig.pid'), 'utf8'));
  await eventually(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
  t.pass();
});

test('each set is one command with exactly these words; unicast peers are said again', async (t) => {
  const { tools, calls } = scriptedTools(t, {});
  const one = carp({ exec, tools });
  await one.read();
  calls();
  await one.set([{ interface: 'vtnet0', vhid: 1, advskew: 254 }]);
  await one.set([{ interface: 'vtnet0', vhid: 1, advskew: 0, state: 'MASTER' }]);
  await one.set([{ interface: 'vtnet0', vhid: 1, state: 'BACKUP' }]);
  await one.set([{ interface: 'vtnet0', vhid: 2, advskew: 254 }]);
  await one.set([{ interface: 'vtnet0', vhid: 3, advskew: 100, state: 'MASTER' }]);
  await one.advertise();
  t.deepEqual(calls(), [
    'ifconfig vtnet0 vhid 1 advskew 254',
    'ifconfig vtnet0 vhid 1 advskew 0 state master',
    'ifconfig vtnet0 vhid 1 state backup',
    'ifconfig vtnet0 vhid 2 advskew 254 peer 10.1.60.202 peer6 fd5e::202',
    'ifconfig vtnet0 vhid 3 advskew 100 state master peer6 fd5e::202',
    'sysctl net.inet.carp.demotion=0',
  ]);
});

test('13.x prints no peers, so none are said', async (t) => {
  const { tools, calls } = scriptedTools(t, {
    ifconfig: prints(IFCONFIG.replaceAll(/^\t {6}peer.*\n/gm, '')),
  });
  const one = carp({ exec, tools });
  await one.read();
  calls();
  await one.set([{ interface: 'vtnet0', vhid: 2, advskew: 254 }]);
  t.deepEqual(calls(), ['ifconfig vtnet0 vhid 2 advskew 254']);
});

test('a vhid that the last reading did not show is refused before anything runs: ifconfig would create it', async (t) => {
  const { tools, calls, write } = scriptedTools(t, {});
  const one = carp({ exec, tools });
  const refused = async (name: string, vhid: number): Promise<void> => {
    const error = await t.throwsAsync(one.set([{ interface: name, vhid, advskew: 254 }]), {
      instanceOf: CarpError,
    });
    t.deepEqual(error.failure, { kind: 'no-vhid', interface: name, vhid });
  };
  await refused('vtnet0', 1);
  await one.read();
  calls();
  await refused('vtnet0', 9);
  await refused('vtnet1', 1);
  t.deepEqual(calls(), []);
  // Gone since: the newest reading counts.
  write('ifconfig', prints(IFCONFIG.replace(/^\tcarp: MASTER.*\n.*\n/m, '')));
  await one.read();
  calls();
  await refused('vtnet0', 1);
  t.deepEqual(calls(), []);
});

test('sets are one at a time and in order, also after one that failed', async (t) => {
  const { tools, calls, folder, write } = scriptedTools(t, {});
  const one = carp({ exec, tools });
  await one.read();
  calls();
  const log = join(folder, 'calls');
  write(
    'ifconfig',
    `sleep 0.05; echo "end $5" >> ${log}; case "$*" in *"advskew 2") exit 1;; esac`,
  );
  const results = await Promise.allSettled(
    [1, 2, 3].map((advskew) => one.set([{ interface: 'vtnet0', vhid: 1, advskew }])),
  );
  t.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.deepEqual(calls(), [
    'ifconfig vtnet0 vhid 1 advskew 1',
    'end 1',
    'ifconfig vtnet0 vhid 1 advskew 2',
    'end 2',
    'ifconfig vtnet0 vhid 1 advskew 3',
    'end 3',
  ]);
});

test('many vhids in one call are set side by side; one that fails keeps no other from being set', async (t) => {
  const { tools, calls, folder, write } = scriptedTools(t, {});
  const one = carp({ exec, tools });
  await one.read();
  calls();
  // Each waits for the other two.
  write('ifconfig', `${meeting(folder, 3)}; case "$3" in 2) echo no >&2; exit 1;; esac`);
  const changes = [1, 2, 3].map((vhid) => ({ interface: 'vtnet0', vhid, advskew: 254 }));
  const error = await t.throwsAsync(one.set(changes), { instanceOf: CommandError });
  t.is(
    error.message,
    `${tools.ifconfig} vtnet0 vhid 2 advskew 254 peer 10.1.60.202 peer6 fd5e::202: exit 1: no`,
  );
  t.deepEqual(calls().sort(), [
    'ifconfig vtnet0 vhid 1 advskew 254',
    'ifconfig vtnet0 vhid 2 advskew 254 peer 10.1.60.202 peer6 fd5e::202',
    'ifconfig vtnet0 vhid 3 advskew 254 peer6 fd5e::202',
  ]);
  await t.throwsAsync(one.set([...changes, { interface: 'vtnet0', vhid: 9, advskew: 254 }]), {
    instanceOf: CarpError,
  });
  t.deepEqual(calls(), []);
});

test('a set that ifconfig refuses rejects with its own words', async (t) => {
  const { tools, write } = scriptedTools(t, {});
  const one = carp({ exec, tools });
  await one.read();
  write('ifconfig', 'echo "ifconfig: SIOCSVH: Operation not permitted" >&2; exit 1');
  const error = await t.throwsAsync(one.set([{ interface: 'vtnet0', vhid: 1, advskew: 254 }]), {
    instanceOf: CommandError,
  });
  t.is(
    error.message,
    `${tools.ifconfig} vtnet0 vhid 1 advskew 254: exit 1: ifconfig: SIOCSVH: Operation not permitted`,
  );
});

test('counters of adverts; unknown where netstat does not print one of them', async (t) => {
  const { tools, calls, write } = scriptedTools(t, {});
  const one = carp({ exec, tools });
  t.deepEqual(await one.received(), { v4: 61, v6: 1, badAuth: 7 });
  t.deepEqual(calls(), ['netstat -s -p carp']);
  write('netstat', prints('carp:\n\t61 packets received (IPv4)\n'));
  t.is(await one.received(), null);
});

test('sysctl lines: numbers by name, everything else left out', (t) => {
  const text = `${SYSCTL}net.inet.carp.stats: <opaque>\nsysctl: unknown oid\nx: 1 -> 2\n`;
  t.deepEqual(
    [...parseSysctl(text)],
    [
      ['net.inet.carp.ifdown_demotion_factor', 240],
      ['net.inet.carp.senderr_demotion_factor', 240],
      ['net.inet.carp.demotion', 0],
      ['net.inet.carp.log', 1],
      ['net.inet.carp.preempt', 0],
      ['net.inet.carp.dscp', 56],
      ['net.inet.carp.allow', 1],
    ],
  );
});
