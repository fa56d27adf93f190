import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { carp } from '../../agent/carp/carp.ts';
import { parsePs } from '../../agent/haproxy/process-table.ts';
import { helperActs } from '../../agent/privilege/acts.ts';
import { HelperError } from '../../agent/privilege/helper.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import { meeting, prints } from '../carp/tools.ts';
import { INTERFACE, scriptedHelper, SCRIPT } from './tools.ts';

const has = (tool: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status === 0;

test('each act asks ifconfig first, then is one command with exactly these words', async (t) => {
  const { ask, calls } = await scriptedHelper(t);
  const ran = async (...words: string[]): Promise<string[]> => {
    t.deepEqual(await ask(...words), []);
    return calls();
  };
  const read = 'ifconfig vtnet0';
  t.deepEqual(await ran('advskew', 'vtnet0', '1', '254'), [read, `${read} vhid 1 advskew 254`]);
  t.deepEqual(await ran('vrrpprio', 'vtnet0', '3', '1', 'state', 'vtnet0', '3', 'backup'), [
    read,
    `${read} vhid 3 vrrpprio 1 state backup`,
  ]);
  t.deepEqual(await ran('advertise'), ['sysctl net.inet.carp.demotion=0']);
});

test('several acts in one call: advskew and state of a vhid are one command, and what follows waits', async (t) => {
  const { ask, calls } = await scriptedHelper(t);
  const acts =
    'advskew vtnet0 1 0 state vtnet0 1 master advskew vtnet0 12 254 advertise state vtnet0 1 backup';
  await ask(...acts.split(' '));
  const [look, first, second, ...rest] = calls();
  // Vhids are set side by side: either may be the first.
  t.deepEqual(
    [look, [first, second].sort(), ...rest],
    [
      'ifconfig vtnet0',
      [
        'ifconfig vtnet0 vhid 1 advskew 0 state master',
        'ifconfig vtnet0 vhid 12 peer 10.1.60.202 peer6 fe80::2%vtnet0 advskew 254',
      ],
      'sysctl net.inet.carp.demotion=0',
      'ifconfig vtnet0 vhid 1 state backup',
    ],
  );
});

test('vhids of one request are set side by side, after one look; the first that failed is named', async (t) => {
  const { answer, ask, calls, write, folder } = await scriptedHelper(t);
  const shown = prints(INTERFACE);
  const all = 'advskew vtnet0 1 0 state vtnet0 1 master advskew vtnet0 12 254 vrrpprio vtnet0 3 1';
  const sets = [
    'ifconfig vtnet0 vhid 1 advskew 0 state master',
    'ifconfig vtnet0 vhid 12 peer 10.1.60.202 peer6 fe80::2%vtnet0 advskew 254',
    'ifconfig vtnet0 vhid 3 vrrpprio 1',
  ];
  // Each waits for the other two.
  const set = meeting(folder, 3);
  write('ifconfig', `[ $# -eq 1 ] || { ${set}; exit; }\n${shown}`);
  await ask(...all.split(' '));
  const [look, ...rest] = calls();
  t.deepEqual([look, rest.sort()], ['ifconfig vtnet0', [...sets].sort()]);
  const fails = `case $3 in 12 | 3) echo "ifconfig: SIOCSVH: no $3" >&2; exit 1 ;; esac`;
  write('ifconfig', `[ $# -eq 1 ] || { ${fails}; exit; }\n${shown}`);
  t.regex(await answer(...all.split(' '), 'advertise'), /^failed: \S+ vtnet0 vhid 12 .*: exit 1: /);
  t.deepEqual(calls().slice(1).sort(), [...sets].sort());
});

test('a vhid that is named again waits for what was asked of it before', async (t) => {
  const { ask, calls } = await scriptedHelper(t);
  await ask(...'state vtnet0 1 backup advskew vtnet0 12 5 state vtnet0 1 master'.split(' '));
  const lines = calls();
  t.is(lines.length, 4);
  t.is(lines.at(-1), 'ifconfig vtnet0 vhid 1 state master');
});

test('of vhids set side by side one that hangs is killed after two seconds, the others are set', async (t) => {
  const { answer, calls, write, tools } = await scriptedHelper(t);
  const shown = prints(INTERFACE);
  write('ifconfig', `[ $# -gt 1 ] || { ${shown}\n}\n[ "$3" != 1 ] || exec sleep 600`);
  t.is(
    await answer(...'advskew vtnet0 1 5 advskew vtnet0 12 5'.split(' ')),
    `failed: ${tools.ifconfig} vtnet0 vhid 1 advskew 5: exit 137: no answer within 2 s`,
  );
  t.is(calls().length, 3);
});

test('what it does not know is refused with a reason, and nothing is set', async (t) => {
  const { answer, calls } = await scriptedHelper(t);
  const refused = [
    ['', 'no verb'],
    ['destroy vtnet0', 'no such verb: destroy'],
    ['advskew vtnet0 1', 'advskew needs IF VHID VALUE'],
    ['advskew vtnet0 1 255', 'advskew 255 does not fit the carp vhid 1'],
    ['advskew vtnet0 1 -1', 'advskew -1 does not fit the carp vhid 1'],
    ['advskew vtnet0 1 010', 'advskew 010 does not fit the carp vhid 1'],
    ['advskew vtnet0 3 1', 'advskew 1 does not fit the vrrp vhid 3'],
    ['vrrpprio vtnet0 1 1', 'vrrpprio 1 does not fit the carp vhid 1'],
    ['advskew vtnet0 0 1', 'no vhid: 0'],
    ['advskew vtnet0 256 1', 'no vhid: 256'],
    ['advskew vtnet0 1x 1', 'no vhid: 1x'],
    ['advskew vtnet0 2 1', 'vtnet0 does not carry vhid 2'],
    // Only its description says so.
    ['advskew vtnet0 9 1', 'vtnet0 does not carry vhid 9'],
    ['advskew -a 1 1', 'no interface name: -a'],
    ['advskew ../x 1 1', 'no interface name: ../x'],
    ['state vtnet0 1 init', 'state init does not fit the carp vhid 1'],
    ['allow 2', 'allow needs 0 or 1'],
    ['allow', 'allow needs 0 or 1'],
    ['advskew vtnet0 1 254 pass x', 'no such verb: pass'],
    ['check now', 'check takes nothing'],
    ['reload', 'not configured in agent.toml'],
  ] as const;
  for (const [asked, why] of refused)
    t.is(await answer(...asked.split(' ').filter((word) => word !== '')), `refused: ${why}`, asked);
  t.deepEqual(
    calls().filter((line) => line !== 'ifconfig vtnet0' && line !== 'ifconfig -a'),
    [],
  );
});

test('characters that a shell would act on end the request, whatever the verb', async (t) => {
  const { helper, tools, calls, folder } = await scriptedHelper(t);
  const attacks = [
    'advskew vtnet0;id 1 1',
    'advskew $(id) 1 1',
    'advskew `id` 1 1',
    "advskew 'vtnet0' 1 1",
    'advskew vtnet0 1 1 >x',
    'advskew vtnet* 1 1',
    'advskew vtnet0\t1 1',
    'cert-read /etc/pa\\sswd',
    `cert-read ${folder}/certs/~`,
    'advskew vtnet0 1 1 # äöü',
  ];
  // The agent's own half does not even send them.
  for (const attack of attacks) {
    const error = await t.throwsAsync(helper.ask([attack], 10_000), { instanceOf: HelperError });
    t.is(error.failure, 'refused');
  }
  const input = attacks.map((attack) => `7 ${attack}\n`).join('');
  const own = [SCRIPT, tools.ifconfig, tools.sysctl, '/bin/false', folder, '', ''];
  const { stdout } = spawnSync('/bin/sh', own, {
    input: `${input}8 advertise\n`,
    encoding: 'utf8',
  });
  const refused = '0 refused a character that no verb needs\n'.repeat(attacks.length);
  t.is(stdout, `0 ok\n${refused}8 ok\n`);
  t.deepEqual(calls(), ['sysctl net.inet.carp.demotion=0']);
});

test('a set that ifconfig refuses is its failure, with its words, and what follows is not done', async (t) => {
  const { answer, calls, write, tools } = await scriptedHelper(t);
  write(
    'ifconfig',
    `[ $# -eq 1 ] || { echo "ifconfig: SIOCSVH: Invalid argument" >&2; exit 1; }
${prints('vtnet0: flags=1<UP>\n\tcarp: MASTER vhid 1 advbase 1 advskew 0\n')}`,
  );
  t.is(
    await answer('advskew', 'vtnet0', '1', '5', 'advertise'),
    `failed: ${tools.ifconfig} vtnet0 vhid 1 advskew 5: exit 1: ifconfig: SIOCSVH: Invalid argument`,
  );
  t.deepEqual(calls(), ['ifconfig vtnet0', 'ifconfig vtnet0 vhid 1 advskew 5']);
});

test('a tool that hangs is killed after two seconds and the helper goes on', async (t) => {
  const { answer, write, tools } = await scriptedHelper(t);
  write('sysctl', 'exec sleep 600');
  const killed = 'exit 137: no answer within 2 s';
  t.is(await answer('advertise'), `failed: ${tools.sysctl} net.inet.carp.demotion=0: ${killed}`);
  t.is(await answer('advskew', 'vtnet0', '1', '5'), 'ok');
  // A reading is a tool as well.
  write('ifconfig', 'exec sleep 600');
  t.is(await answer('advskew', 'vtnet0', '1', '5'), `failed: ${tools.ifconfig} vtnet0: ${killed}`);
});

test('an act is answered when its tool has ended, every time', async (t) => {
  const { helper, calls } = await scriptedHelper(t);
  for (let times = 0; times < 24; times++) await helper.ask(['advertise'], 1000);
  t.is(calls().length, 24);
});

test('its tools see the C locale, no IFCONFIG_FORMAT and the fixed PATH', async (t) => {
  const { ask, write, folder } = await scriptedHelper(t);
  write('sysctl', `env | grep -v ^_= | grep -v ^PWD= | sort > ${folder}/env`);
  await ask('advertise');
  const env = spawnSync('cat', [`${folder}/env`], { encoding: 'utf8' }).stdout;
  // The stand-ins of this test come first.
  const own = env.replace(/^OLDPWD=.*\n/m, '').replace(`${folder}/base:`, '');
  t.is(own, 'LC_ALL=C\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\n');
});

test('commands of agent.toml: output and exit code; words are passed as they are', async (t) => {
  const { ask, answer } = await scriptedHelper(t, {
    check: ['/bin/sh', '-c', 'printf "%s|" "$@"; echo; echo two; exit 3', 'x', 'a  b', '$(id) *'],
    reload: ['/bin/sh', '-c', 'sleep 600 & echo reloaded'],
  });
  t.is(await answer('check'), 'failed: exit 3\na  b|$(id) *|\ntwo');
  // What a reload leaves running does not hold the answer back.
  t.deepEqual(await ask('reload'), ['reloaded']);
  t.deepEqual(await ask('pf-rules'), ['pass quick proto carp all keep state']);
});

test("HAProxy's processes, and those of nobody else", async (t) => {
  const { ask, answer, folder } = await scriptedHelper(t);
  const stand = (name: string, script: string): void =>
    writeFileSync(join(folder, 'base', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  stand('uname', 'echo FreeBSD');
  const table = [
    '    1     0 0 /sbin/init --',
    ' 2211     1 0 /usr/local/sbin/haproxy -q -f /usr/local/etc/haproxy.conf -p /var/run/haproxy.pid',
    ' 2304     1 3 haproxy -f /a.cfg',
    ' 2305  2211 0 sh -c secret haproxy -f /a.cfg',
    ' 2306     1 0 vi /usr/local/sbin/haproxy',
    ' 2307     1 0 /usr/local/sbin/haproxy-exporter -f x',
  ];
  stand('ps', `echo "$*" >${folder}/asked\ncat <<'TABLE'\n${table.join('\n')}\nTABLE`);
  t.deepEqual(await ask('processes'), [table[1], table[2]]);
  t.is(readFileSync(join(folder, 'asked'), 'utf8'), '-axww -o pid= -o ppid= -o jid= -o command=\n');
  t.is(await answer('processes', '1'), 'refused: processes takes nothing');
  stand(
    'ps',
    'awk \'BEGIN { for (n = 1; n < 1002; n++) print n, 1, 0, "haproxy -f /a\\033[2J" }\'',
  );
  t.regex(await answer('processes'), /^failed: more than 1000 processes are called haproxy\n/);
  stand('ps', 'printf "9 1 0 haproxy -f /a\\033[2J%5000s\\n" x');
  const [line = '', ...more] = await ask('processes');
  t.deepEqual([line.slice(0, 26), line.length, more], ['9 1 0 haproxy -f /a?[2J   ', 4000, []]);
  stand('ps', 'echo "ps: kvm_getprocs: no" >&2; exit 1');
  t.regex(await answer('processes'), /^failed: ps .*: exit 1: ps: kvm_getprocs: no$/);
});

test('the processes of this host as the helper has them are what the agent reads of them', async (t) => {
  const { ask } = await scriptedHelper(t);
  const child = spawn('sleep', ['60'], { argv0: '/tmp/haproxy' });
  t.teardown(() => child.kill());
  await once(child, 'spawn');
  const found = parsePs((await ask('processes')).join('\n')).find(({ pid }) => pid === child.pid);
  t.like(found, { pid: child.pid, parent: process.pid, words: ['/tmp/haproxy', '60'] });
});

test('what comes too late is no answer to the next request', async (t) => {
  const gate = join(mkdtempSync(join(tmpdir(), 'proxyctl-gate-')), 'gate');
  t.teardown(() => rmSync(dirname(gate), { recursive: true, force: true }));
  spawnSync('mkfifo', [gate]);
  const check = ['/bin/sh', '-c', `echo late; cat ${gate}`];
  const { helper, ask } = await scriptedHelper(t, { check });
  const silent = await t.throwsAsync(helper.ask(['check'], 1), { instanceOf: HelperError });
  const next = ask('pf-rules');
  writeFileSync(gate, 'of the one before\n');
  t.is(silent.failure, 'silent');
  t.deepEqual(await next, ['pass quick proto carp all keep state']);
});

test('rc.conf: the lines about CARP with file and number, and no password among them', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-rc-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const own = join(folder, 'helper.sh');
  const script = readFileSync(SCRIPT, 'utf8');
  writeFileSync(own, script.replaceAll('/etc/rc.conf', join(folder, 'rc.conf')));
  const ask = (): string =>
    spawnSync('/bin/sh', [own, 'ifconfig', 'sysctl', 'pfctl', '', '', ''], {
      input: '1 rc-lines\n',
      encoding: 'utf8',
    }).stdout;
  t.is(ask(), '0 ok\n1 ok\n');
  const alias = (at: number, text: string): string => `ifconfig_vtnet0_alias${at}="inet ${text}"\n`;
  writeFileSync(
    join(folder, 'rc.conf'),
    'hostname="haproxy01"\n# ifconfig_x="vhid 9 pass old"\nwlan_key="secret pass x"\n' +
      alias(0, 'vhid 1 advskew 0 pass s3cr3t alias 10.1.60.200/32') +
      alias(1, "vhid 1 pass 'two words' alias 10.1.60.199/32") +
      alias(2, 'vhid 2 alias 10.1.60.198/32 pass\tlast'),
  );
  writeFileSync(join(folder, 'rc.conf.local'), 'pfsync_enable="YES"\nntpd_enable="YES"\n');
  const at = (name: string): string => join(folder, name);
  t.is(
    ask(),
    `0 ok
 ${at('rc.conf')}:4:${alias(0, 'vhid 1 advskew 0 pass PASSWORD alias 10.1.60.200/32')} ${at('rc.conf')}:5:${alias(1, 'vhid 1 pass PASSWORD alias 10.1.60.199/32')} ${at('rc.conf')}:6:${alias(2, 'vhid 2 alias 10.1.60.198/32 pass\tPASSWORD')} ${at('rc.conf.local')}:1:pfsync_enable="YES"
1 ok
`,
  );
});

test('a helper that is gone is said at once, to calls under way and later ones', async (t) => {
  const { helper, ask, write } = await scriptedHelper(t);
  write('sysctl', `kill -9 ${helper.pid}; sleep 1`);
  const first = await t.throwsAsync(ask('advertise'), { instanceOf: HelperError });
  await helper.ended;
  const second = await t.throwsAsync(ask('advertise'), { instanceOf: HelperError });
  t.deepEqual([first.failure, second.failure], ['ended', 'ended']);
});

test('the loop does not notice the helper: sets by carp() with its checks, one command each', async (t) => {
  const { helper, tools, calls } = await scriptedHelper(t);
  const one = carp({ exec: execWithin(10_000), tools, acts: helperActs(helper) });
  const { addresses } = await one.read();
  t.deepEqual(
    addresses.map(({ vhid, advskew }) => [vhid, advskew]),
    [
      [1, 0],
      [12, 100],
      [3, 155],
    ],
  );
  calls();
  await one.set([{ interface: 'vtnet0', vhid: 1, advskew: 0, state: 'MASTER' }]);
  await one.set([{ interface: 'vtnet0', vhid: 3, advskew: 254 }]);
  await one.advertise();
  t.deepEqual(calls(), [
    'ifconfig vtnet0',
    'ifconfig vtnet0 vhid 1 advskew 0 state master',
    'ifconfig vtnet0',
    'ifconfig vtnet0 vhid 3 vrrpprio 1',
    'sysctl net.inet.carp.demotion=0',
  ]);
});

const shellcheck = has('shellcheck') ? test : test.skip;
shellcheck('shellcheck has nothing to say of the helper', (t) => {
  const { stdout, status } = spawnSync('shellcheck', ['-s', 'sh', SCRIPT], { encoding: 'utf8' });
  t.deepEqual([stdout, status], ['', 0]);
});
