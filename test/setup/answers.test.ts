import test from 'ava';
import { readAnswers } from '../../ctl/setup/answers.ts';
import { EXAMPLE } from '../../ctl/setup/example.ts';
import { fixture } from '../fixture.ts';

const PASSWORD = 'made-by-the-caller';

/** The example with one piece replaced; throws when the piece is not in it. */
function edited(from: string, to: string): string {
  if (!EXAMPLE.includes(from)) throw new Error(`the example has no ${from}`);
  return EXAMPLE.replace(from, to);
}

/** What is said of a text: each problem or remark as KEY: MESSAGE, and the line it names. */
const said = (text: string) => {
  const { plan, problems, warnings } = readAnswers(text, PASSWORD);
  const lines = text.split('\n');
  return {
    planned: plan !== null,
    problems: problems.map(({ key, message }) => `${key}: ${message}`),
    warnings: warnings.map(({ key, message }) => `${key}: ${message}`),
    lines: problems.map(({ line }) => lines[line - 1]?.split('#')[0]?.trim()),
  };
};

test('the example is good, and gives what it says', (t) => {
  const { plan, problems, warnings } = readAnswers(EXAMPLE, PASSWORD);
  t.deepEqual([problems, warnings], [[], []]);
  t.like(plan, {
    pair: 'web',
    network: 'wan',
    preempt: false,
    password: PASSWORD,
    vhids: [{ id: 1, advskew: { haproxy01: 0, haproxy02: 100 } }],
    defaultBackend: null,
    peersPort: 10_000,
  });
  t.deepEqual(plan?.vhids[0]?.vips, [
    { address: '10.1.60.200', length: 32, family: 4 },
    { address: 'fd5e:d1c2:c9de:60::200', length: 128, family: 6 },
  ]);
  t.deepEqual(
    plan?.hosts.map(({ node, name }) => [node, name]),
    [
      ['haproxy01', 'haproxy01.example.net'],
      ['haproxy02', 'haproxy02.example.net'],
    ],
  );
});

test("two hosts of a home network with eleven services are good, and none is without its check's address", (t) => {
  const { plan, problems, warnings } = readAnswers(fixture('setup/seed.toml'), PASSWORD);
  t.deepEqual([problems, warnings, plan?.backends.length], [[], [], 11]);
});

const V6 = '"fd5e:d1c2:c9de:60::200"';
const REFUSED: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['vhid 0', 'id = 1', 'id = 0', ['vhid.1.id: must be a whole number from 1 to 255, not 0']],
  ['vhid 256', 'id = 1', 'id = 256', ['vhid.1.id: must be a whole number from 1 to 255, not 256']],
  [
    'a vhid twice',
    '[[operator]]',
    '[[vhid]]\nid = 1\nvips = ["10.1.60.210"]\n\n[[operator]]',
    ['vhid.2.id: vhid 1 is used twice, for different addresses: give each its own number'],
  ],
  [
    'a VIP under two vhids',
    '[[operator]]',
    '[[vhid]]\nid = 2\nvips = ["10.1.60.200"]\n\n[[operator]]',
    ['vhid.2.vips.1: 10.1.60.200 is given to vhid 1 already'],
  ],
  [
    'different address lists',
    `vips = ["10.1.60.200", ${V6}]`,
    `vips = { haproxy01 = ["10.1.60.200", ${V6}], haproxy02 = ["10.1.60.200"] }`,
    [
      "vhid.1.vips.haproxy02: differs from haproxy01's: the adverts carry a hash over all addresses, and both hosts would be MASTER; give both the same list",
    ],
  ],
  [
    'the letter of a German keyboard in a number',
    'haproxy02 = 100',
    'haproxy02 = 1ß0',
    ['advskew: 1ß0 is no number: take out the "ß", write it with the digits 0 to 9'],
  ],
  [
    'the same as text',
    'haproxy02 = 100',
    'haproxy02 = "1ß0"',
    ['vhid.1.advskew.haproxy02: must be a whole number from 0 to 240, not "1ß0"'],
  ],
  [
    'a letter O in a vhid',
    'id = 1',
    'id = 1O',
    ['id: 1O is no number: take out the "O", write it with the digits 0 to 9'],
  ],
  [
    'equal advskew',
    'haproxy02 = 100',
    'haproxy02 = 0',
    ['vhid.1.advskew: both hosts have 0: who is preferred must differ, for example 0 and 100'],
  ],
  [
    'an advskew for somebody else',
    'haproxy02 = 100 }',
    'haproxy03 = 100 }',
    [
      'vhid.1.advskew: haproxy02 has none: name both hosts',
      'vhid.1.advskew.haproxy03: no host is called haproxy03; there are haproxy01, haproxy02',
    ],
  ],
  [
    'a password of twenty characters',
    '# password = "..."',
    'password = "abcdefghijklmnopqrst"',
    ['password: must be at most 19 characters: the kernel reads no more'],
  ],
  [
    'a password sh would change',
    '# password = "..."',
    'password = "a$b c"',
    [
      'password: must be of letters, digits and _.,:+=@%/- only: rc.conf is read by sh, and ifconfig takes no spaces',
    ],
  ],
  [
    'a VIP outside the networks',
    '"10.1.60.200"',
    '"10.1.61.200"',
    [
      'vhid.1.vips.1: 10.1.61.200 is in no network of haproxy01 (10.1.60.201/24, 2003:abcd:ef12:3460:d:22ff:fe50:3d0b/64, fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64)',
      'vhid.1.vips.1: 10.1.61.200 is in no network of haproxy02 (10.1.60.202/24, 2003:abcd:ef12:3460:420:99ff:feeb:2969/64, fd5e:d1c2:c9de:60:420:99ff:feeb:2969/64)',
    ],
  ],
  [
    "a host's own address as VIP",
    '"10.1.60.200"',
    '"10.1.60.202"',
    ["vhid.1.vips.1: 10.1.60.202 is haproxy02's own address: a VIP must be a free one"],
  ],
  [
    'one address for both hosts',
    '"10.1.60.202/24"',
    '"10.1.60.201/24"',
    ['host.2.address.1: 10.1.60.201 is the address of haproxy01 already: each host has its own'],
  ],
  [
    'a host name with an underscore',
    'haproxy02.example.net',
    'haproxy_02.example.net',
    [
      'host.2.name: must be a host name like "haproxy01.example.net": letters, digits, dashes and dots, not "haproxy_02.example.net"',
      'vhid.1.advskew: haproxy_02 has none: name both hosts',
      'vhid.1.advskew.haproxy02: no host is called haproxy02; there are haproxy01, haproxy_02',
    ],
  ],
  [
    'the same name up to the first dot',
    'haproxy02.example.net',
    'haproxy01.example.org',
    [
      'host.2.name: both hosts are called haproxy01 up to the first dot: agents need two names',
      'vhid.1.advskew: both hosts have 0: who is preferred must differ, for example 0 and 100',
      'vhid.1.advskew.haproxy02: no host is called haproxy02; there are haproxy01, haproxy01',
    ],
  ],
  [
    'an interface that ifconfig would not take',
    'interface = "vnet0"',
    'interface = "vnet0; reboot"',
    [
      'host.1.interface: must be an interface as ifconfig calls it, like "vtnet0" or "em0.10", not "vnet0; reboot"',
    ],
  ],
  [
    'a gateway nobody reaches',
    '"10.1.60.1"',
    '"10.1.66.1"',
    ['host.1.gateway.1: 10.1.66.1 is in none of the networks of haproxy01: no route could use it'],
  ],
  [
    'a server by name',
    '"10.1.12.2:8443"',
    '"localhost:8443"',
    [
      'backend.3.servers.1: must be IP:PORT or [IP]:PORT; a name such as localhost may be several addresses of which some refuse, not "localhost:8443"',
    ],
  ],
  [
    'one name for two backends',
    '"unifi.example.net"',
    '"GITEA.example.net"',
    ['backend.3.hosts.1: GITEA.example.net goes to GITEA already'],
  ],
  [
    'a default that is not there',
    '# default = "GITEA"',
    'default = "WEB"',
    ['haproxy.default: no backend is called WEB'],
  ],
  [
    'an unknown key',
    'pair = "web"',
    'pair = "web"\npreemt = false',
    ['preemt: no such key; did you mean preempt?'],
  ],
  [
    'an unknown key inside',
    'role = "admin"',
    'role = "admin"\nrule = 1',
    ['operator.1.rule: no such key; did you mean role?'],
  ],
  ['no pair', 'pair = "web"', '', ['pair: missing: see proxyctl setup --example']],
  ['no TOML', 'pair = "web"', 'pair = web', ['pair: no TOML']],
];

for (const [what, from, to, problems] of REFUSED) {
  test(`refused: ${what}`, (t) => {
    const told = said(edited(from, to));
    const short = told.problems.map((one) => (one.startsWith(': no TOML') ? 'pair: no TOML' : one));
    t.deepEqual([told.planned, short], [false, problems]);
  });
}

test('everything at once, each with its own line, in their order', (t) => {
  const text = edited('pair = "web"', 'pair = "we b"')
    .replace('id = 1', 'id = 300')
    .replace('haproxy02 = 100', 'haproxy02 = 1ß0')
    .replace('role = "admin"', 'role = "root"')
    .replace('"10.1.12.2:8443"', '"10.1.12.2"');
  t.deepEqual(said(text).lines, [
    'pair = "we b"',
    'id = 300',
    'advskew = { haproxy01 = 0, haproxy02 = 1ß0 }',
    'role = "root"',
    'servers = ["10.1.12.2"]',
  ]);
});

test('the other family missing is a remark and no refusal', (t) => {
  t.deepEqual(said(edited(`"10.1.60.200", ${V6}`, '"10.1.60.200"')), {
    planned: true,
    problems: [],
    warnings: ['vhid.1.vips: vhid 1 has no IPv6 address: clients of that family do not reach it'],
    lines: [],
  });
});

test('preempt wants one advskew for all vhids of the network', (t) => {
  const text = edited('# preempt = false', 'preempt = true').replace(
    '[[operator]]',
    '[[vhid]]\nid = 2\nvips = ["10.1.60.210"]\nadvskew = { haproxy01 = 100, haproxy02 = 0 }\n\n[[operator]]',
  );
  t.deepEqual(said(text).problems, [
    'vhid.2.advskew: with preempt = true every vhid needs the same advskew: agent.toml has one base a network',
  ]);
});

test('a password is never repeated in what is said', (t) => {
  const text = edited('# password = "..."', 'password = "hunter2 hunter2 hunter2"');
  t.false(JSON.stringify(readAnswers(text, PASSWORD)).includes('hunter2'));
});
