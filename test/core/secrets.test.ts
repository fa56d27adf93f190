import test from 'ava';
import { clearOfSecrets, withoutSecrets } from '../../agent/core/secrets.ts';

const shown = (...texts: string[]): string[] => texts.map((text) => withoutSecrets(text));

test('CARP passwords: quoted, behind a TAB, with =, the second of a line, over lines, with quotes inside', (t) => {
  t.deepEqual(
    shown(
      'ifconfig_em0_alias0="inet vhid 1 advskew 0 pass hunter2 alias 10.0.0.1/32"',
      `ifconfig_em0_alias0="vhid 1 pass 'two words' alias 10.0.0.1/32"`,
      `ifconfig_em0_alias0='vhid 1 pass "two words" alias 10.0.0.1/32'`,
      String.raw`ifconfig_em0_alias0="vhid 1 pass \"it's two\" alias 10.0.0.1/32"`,
      'ifconfig_em0_alias0="vhid 1 pass\thunter2"',
      'ifconfig em0 vhid 1 pass=hunter2 alias 10.0.0.1/32',
      'inet vhid 1 pass hunter2 10.0.0.1/32 inet vhid 2 pass hunter3 10.0.0.2/32',
      'vhid 1 pass \\\n\thunter2 \\\n\talias 10.0.0.1/32',
      '-\tinet vhid 1 pass \\\n-\thunter2 alias 10.0.0.1/32',
      `ifconfig em0 vhid 1 pass hun'ter 2'x alias 10.0.0.1/32`,
      '\tcarp: MASTER vhid 1 advbase 1 advskew 0 key "a"b c"',
    ),
    [
      'ifconfig_em0_alias0="inet vhid 1 advskew 0 pass PASSWORD alias 10.0.0.1/32"',
      'ifconfig_em0_alias0="vhid 1 pass PASSWORD alias 10.0.0.1/32"',
      `ifconfig_em0_alias0='vhid 1 pass PASSWORD alias 10.0.0.1/32'`,
      'ifconfig_em0_alias0="vhid 1 pass PASSWORD alias 10.0.0.1/32"',
      'ifconfig_em0_alias0="vhid 1 pass\tPASSWORD"',
      'ifconfig em0 vhid 1 pass=PASSWORD alias 10.0.0.1/32',
      'inet vhid 1 pass PASSWORD 10.0.0.1/32 inet vhid 2 pass PASSWORD 10.0.0.2/32',
      'vhid 1 pass \\\n\tPASSWORD \\\n\talias 10.0.0.1/32',
      '-\tinet vhid 1 pass \\\n-\tPASSWORD alias 10.0.0.1/32',
      'ifconfig em0 vhid 1 pass PASSWORD alias 10.0.0.1/32',
      '\tcarp: MASTER vhid 1 advbase 1 advskew 0 key PASSWORD',
    ],
  );
});

test("variables, HAProxy's passwords, hexadecimal keys, headers, URLs and private keys", (t) => {
  t.deepEqual(
    shown(
      `carp_pass="hunter2" # the pair's`,
      'password = "two words"',
      'stats auth admin:hunter2',
      'user tiger insecure-password hunter2 groups G1',
      'user tiger password $6$k6y3o.eP$JlKBx9za groups G1',
      'ifconfig_wlan0="nwkey 0xdeadbeef01 authkey 0123456789abcdef"',
      'http-request set-header Authorization "Basic aHVudGVyMg=="',
      'http-check send hdr Authorization Bearer\\ abc.def',
      'server = "https://user:hunter2@example.net/x"',
      'x -----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----',
    ),
    [
      `carp_pass=PASSWORD # the pair's`,
      'password = PASSWORD',
      'stats auth admin:PASSWORD',
      'user tiger insecure-password PASSWORD groups G1',
      'user tiger password PASSWORD groups G1',
      'ifconfig_wlan0="nwkey PASSWORD authkey PASSWORD"',
      'http-request set-header Authorization "Basic PASSWORD"',
      'http-check send hdr Authorization Bearer\\ PASSWORD',
      'server = "https://user:PASSWORD@example.net/x"',
      'x -----BEGIN EC PRIVATE KEY-----PASSWORD-----END EC PRIVATE KEY-----',
    ],
  );
});

test('what is no password stays: rules of pf, prose, paths of keys, names of settings', (t) => {
  const texts = [
    'pass in quick on em0 proto carp keep state (no-sync)',
    '+pass out quick on em0 inet6 proto carp all',
    'The password or the list of addresses differs.',
    'bind :443 ssl crt /usr/local/etc/ssl/site.pem',
    'load crt a.pem key a.key alias a',
    'unknown key "haproxy.prob"',
    'stick-table type ip size 1m expire 30m peers pair',
  ];
  t.deepEqual(shown(...texts), texts);
});

test('within a value every text is cleared, and nothing else changes', (t) => {
  t.deepEqual(
    clearOfSecrets({ n: 1, ok: true, none: null, list: [{ text: 'vhid 1 pass hunter2' }] }),
    { n: 1, ok: true, none: null, list: [{ text: 'vhid 1 pass PASSWORD' }] },
  );
});
