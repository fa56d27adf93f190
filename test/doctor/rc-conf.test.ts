import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { rcRemedy } from '../../agent/core/doctor/rc-conf.ts';
import { rcVariables } from '../../agent/core/doctor/rc-text.ts';
import { rcVhids } from '../../agent/core/doctor/rc-vhids.ts';
import { fixture } from '../fixture.ts';
import { carp, vhid } from './inspections.ts';

const HELPER = fileURLToPath(new URL('../../agent/privilege/helper.sh', import.meta.url));
const ALIASES = fixture('freebsd/rc.conf-aliases');
const vhids = (text: string) => rcVhids([{ path: '/etc/rc.conf', text }]);
const short = (text: string) =>
  vhids(text).map(({ line, end, interface: on, vhid, text }) => [line, end, on, vhid, text]);

const READ = [
  [4, 4, 'em1', 12, 0],
  [4, 4, 'em1', 13, 0],
  [5, 7, 'em2', 14, 1],
  [10, 10, 'em0_20', 20, 2],
  [11, 11, 'em0_20', 21, 3],
  [12, 12, 'em3', 22, 4],
  [13, 13, 'em4', 23, 5],
  [14, 14, 'em4', 23, 6],
  [15, 17, 'em5', 25, 7],
  [15, 17, 'em5', 26, 7],
].map(([line, end, on, vhid, at]) => [
  line,
  end,
  on,
  vhid,
  [
    'ifconfig_em1_aliases="inet vhid 12 advskew 210 pass PASSWORD 192.0.2.11/32 inet vhid 13 advskew 210 pass PASSWORD 192.0.2.12/32"',
    'ifconfig_em2_aliases="inet vhid 14 advskew 0 pass PASSWORD 198.51.100.11/32 inet vhid 14 advskew 0 pass PASSWORD 198.51.100.12/32"',
    'ifconfig_em0_20_alias0="vhid 20 advskew 100 pass PASSWORD alias 203.0.113.1/32"',
    'ifconfig_em0_20_alias1="inet vhid 21 advskew 100 pass PASSWORD alias 203.0.113.9/32"',
    'ifconfig_em3="inet vhid 22 pass PASSWORD alias 1.2.3.4/32"',
    'ifconfig_em4="inet6 vhid 23 pass PASSWORD 2001:db8::4/128"',
    'ifconfig_em4_ipv6="inet6 vhid 23 pass PASSWORD advskew 4 2001:db8::5/128"',
    'ifconfig_em5_aliases="inet vhid 25 pass PASSWORD advskew 4 10.0.0.1/32 inet vhid 26 pass PASSWORD advskew 3 10.0.0.2/32"',
  ][Number(at)],
]);

test('aliases in one variable, over lines, in every kind of quotes: each vhid, no password', (t) => {
  t.deepEqual(short(ALIASES), READ);
});

test('the same from the privileged helper, which lets no password out either', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-rc-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const script = readFileSync(HELPER, 'utf8').replaceAll('/etc/rc.conf', join(folder, 'rc.conf'));
  writeFileSync(join(folder, 'helper.sh'), script);
  writeFileSync(join(folder, 'rc.conf'), ALIASES);
  const { stdout } = spawnSync(
    '/bin/sh',
    [join(folder, 'helper.sh'), 'ifconfig', 'sysctl', 'pfctl', '', '', ''],
    { input: '1 rc-lines\n', encoding: 'utf8' },
  );
  t.notRegex(stdout, /secret/i);
  const lines: string[] = [];
  for (const one of stdout.split('\n')) {
    const [, line, text = ''] = /^ [^:]+:(\d+):(.*)$/.exec(one) ?? [];
    if (line !== undefined) lines[Number(line) - 1] = text;
  }
  t.deepEqual(short(Array.from(lines, (one) => one ?? '').join('\n')), READ);
});

test('what only a shell can tell is not known: +=, ${...}, conditions; the last assignment counts', (t) => {
  t.deepEqual(
    short('ifconfig_em0_aliases="inet vhid 1"\nifconfig_em0_aliases+=" inet vhid 2"\n'),
    [],
  );
  t.deepEqual(short('ifconfig_em0_alias0="inet vhid ${V} advskew 0"\n'), []);
  t.deepEqual(short('ifconfig_em0_alias0="inet vhid 1 advskew ${SKEW} 10.0.0.1/32"\n'), []);
  t.deepEqual(short('if [ -f /x ]; then\nifconfig_em0_alias0="inet vhid 1"\nfi\n'), []);
  t.deepEqual(
    short(
      'ifconfig_em0_alias0="inet vhid 1"\nifconfig_em0_alias0="inet vhid 2 pass $(cat /p q)"\n',
    ),
    [[2, 2, 'em0', 2, 'ifconfig_em0_alias0="inet vhid 2 pass PASSWORD"']],
  );
  // Nobody closes the quote: nothing of it is shown.
  t.deepEqual(short(`ifconfig_em0_alias0="inet vhid 1 pass 'half alias 10.0.0.1/32"\n`), []);
});

test('a range of addresses stays behind a password', (t) => {
  t.deepEqual(
    short('ifconfig_em1_alias0="vhid 12 advskew 210 pass se cret 192.168.1.11-13/32"\n'),
    [
      [
        1,
        1,
        'em1',
        12,
        'ifconfig_em1_alias0="vhid 12 advskew 210 pass PASSWORD 192.168.1.11-13/32"',
      ],
    ],
  );
});

test('sh: quotes, escapes, several assignments on a line, comments behind them', (t) => {
  t.deepEqual(
    rcVariables(`a=1; b='x y' # c=3\n# d=4\nexport e="f\\"g\\\n h" i=a\\ b\necho j=5\nk=`),
    [
      { name: 'a', value: '1', line: 1, end: 1 },
      { name: 'b', value: 'x y', line: 1, end: 1 },
      { name: 'e', value: 'f"g h', line: 3, end: 4 },
      { name: 'i', value: 'a b', line: 4, end: 4 },
      { name: 'k', value: '', line: 6, end: 6 },
    ],
  );
});

test('the remedy changes the vhid it is about, in every line that makes it', (t) => {
  const facts = carp({ rc: vhids(ALIASES) });
  const remedy = (on: string, id: number, word = 'advskew') =>
    rcRemedy('haproxy01', facts, vhid({ interface: on, vhid: id }), word, '100').map(
      ({ line, text }) => `${line}: ${text}`,
    );
  t.deepEqual(remedy('em1', 13), [
    '4: ifconfig_em1_aliases="inet vhid 12 advskew 210 pass PASSWORD 192.0.2.11/32 inet vhid 13 advskew 100 pass PASSWORD 192.0.2.12/32"',
  ]);
  t.deepEqual(remedy('em2', 14), [
    '5-7: ifconfig_em2_aliases="inet vhid 14 advskew 100 pass PASSWORD 198.51.100.11/32 inet vhid 14 advskew 100 pass PASSWORD 198.51.100.12/32"',
  ]);
  t.deepEqual(remedy('em0.20', 20, 'advbase'), [
    '10: ifconfig_em0_20_alias0="vhid 20 advbase 100 advskew 100 pass PASSWORD alias 203.0.113.1/32"',
  ]);
  t.deepEqual(remedy('em4', 23), [
    '13: ifconfig_em4="inet6 vhid 23 advskew 100 pass PASSWORD 2001:db8::4/128"',
    '14: ifconfig_em4_ipv6="inet6 vhid 23 pass PASSWORD advskew 100 2001:db8::5/128"',
  ]);
  t.deepEqual(remedy('em1', 1), ['in each ifconfig_em1_alias with vhid 1: advskew 100']);
  t.deepEqual(remedy('lagg0.20', 7), ['in each ifconfig_lagg0_20_alias with vhid 7: advskew 100']);
});
