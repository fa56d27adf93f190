import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { readTls } from '../../agent/rpc/tls-files.ts';
import { readAnswers } from '../../ctl/setup/answers.ts';
import { hostFiles, operatorFiles } from '../../ctl/setup/tree.ts';
import { fixture } from '../fixture.ts';
import { newSite } from '../lab/certificates.ts';
import { installedHaproxy } from '../lab/lab.ts';
import { pfProblems } from './pf-grammar.ts';
import { shellReads, written } from './world.ts';

const PASSWORD = 'very-secure-passwor';
const TLS = { ca: 'CA\n', certificate: 'CERTIFICATE\n', key: 'KEY\n' };
const GOLDEN = fileURLToPath(new URL('../../../test/fixtures/setup/golden', import.meta.url));
const AGENT = fileURLToPath(new URL('../../agent/main.js', import.meta.url));

const planOf = (text: string) => {
  const { plan, problems } = readAnswers(text, PASSWORD);
  if (plan === null) throw new Error(JSON.stringify(problems));
  return plan;
};

/** Every generated text but the certificates, by where it is put. */
function generated(text: string): Record<string, string> {
  const plan = planOf(text);
  const files = [
    ...plan.hosts.flatMap((host) =>
      hostFiles(plan, host, TLS).map((one) => [`${host.node}/${one.path}`, one.text] as const),
    ),
    ...plan.operators.flatMap((one) =>
      operatorFiles(plan, one, TLS).map((file) => [`${one.name}/${file.path}`, file.text] as const),
    ),
  ];
  return Object.fromEntries(files.filter(([path]) => !/\.(pem|key)$/.test(path)));
}

test('two hosts of a home network: every file as it is kept', (t) => {
  const files = generated(fixture('setup/seed.toml'));
  if (process.env['UPDATE_GOLDEN'] !== undefined)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(GOLDEN, path)), { recursive: true });
      writeFileSync(join(GOLDEN, path), text);
    }
  const kept = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(GOLDEN, path)).isFile())
    .map((path) => [path, fixture(`setup/golden/${path}`)]);
  t.deepEqual(files, Object.fromEntries(kept));
});

test('the two haproxy.conf differ in localpeer alone', (t) => {
  const files = generated(fixture('setup/seed.toml'));
  const path = 'usr/local/etc/haproxy.conf';
  const second = files[`haproxy02/${path}`] ?? '';
  t.is(files[`haproxy01/${path}`], second.replace('localpeer haproxy02', 'localpeer haproxy01'));
});

const NAMES = [
  'hostname',
  'ifconfig_vnet0',
  'ifconfig_vnet0_ipv6',
  'ifconfig_vnet0_alias0',
  'ifconfig_vnet0_alias1',
  'ifconfig_vnet0_alias2',
  'defaultrouter',
  'ipv6_defaultrouter',
  'haproxy_enable',
];

test('sh reads back from rc.conf what was answered', async (t) => {
  const world = await written(t);
  const values = shellReads('dash', world.at('web/haproxy02/etc/rc.conf'), NAMES);
  const password = /pass (\S+)/.exec(values[4] ?? '')?.[1] ?? '';
  t.regex(password, /^[A-Za-z0-9]{19}$/);
  t.deepEqual(values, [
    'haproxy02.example.net',
    'inet 10.1.60.202/24',
    'inet6 2003:abcd:ef12:3460:420:99ff:feeb:2969/64',
    'inet6 fd5e:d1c2:c9de:60:420:99ff:feeb:2969/64',
    `inet vhid 1 advskew 100 pass ${password} alias 10.1.60.200/32`,
    `inet6 vhid 1 advskew 100 pass ${password} alias fd5e:d1c2:c9de:60::200/128`,
    '10.1.60.1',
    '2003:abcd:ef12:3460::1',
    'YES',
  ]);
});

test('with preempt rc.conf starts behind, and agent.toml has the base', (t) => {
  const files = generated(`preempt = true\n${fixture('setup/seed.toml')}`);
  const aliases = ['haproxy01', 'haproxy02'].map((node) => [
    /inet vhid 1 advskew (\d+)/.exec(files[`${node}/etc/rc.conf`] ?? '')?.[1],
    /^base_advskew = (\d+)$/m.exec(files[`${node}/usr/local/etc/proxyctl/agent.toml`] ?? '')?.[1],
    files[`${node}/etc/sysctl.conf`],
  ]);
  t.deepEqual(aliases, [
    ['200', '0', 'net.inet.carp.preempt=1\n'],
    ['201', '100', 'net.inet.carp.preempt=1\n'],
  ]);
});

/** The one installed, and with HAPROXY_3=/path a newer one. */
const HAPROXYS = [installedHaproxy(), process.env['HAPROXY_3'] ?? ''].filter((one) => one !== '');
const haproxy = HAPROXYS.length === 0 ? test.skip : test;
haproxy('haproxy -c accepts what was written, certificate and all', async (t) => {
  const world = await written(t);
  const site = world.at('site.pem');
  writeFileSync(site, await newSite(30), { mode: 0o600 });
  for (const node of ['haproxy01', 'haproxy02']) {
    // The group and the path are FreeBSD's; nothing else is changed.
    const conf = world
      .read(`web/${node}/usr/local/etc/haproxy.conf`)
      .replaceAll('/usr/local/etc/ssl/example.net.pem', site)
      .replace('group proxyctl', 'group root');
    writeFileSync(world.at('haproxy.conf'), conf);
    for (const program of HAPROXYS) {
      const { status, stdout, stderr } = spawnSync(
        program,
        ['-c', '-f', world.at('haproxy.conf')],
        {
          encoding: 'utf8',
        },
      );
      t.is(status, 0, stderr);
      t.deepEqual((stdout + stderr).match(/\[(?:WARNING|ALERT)\].*/g), null);
    }
  }
});

test("the agent's own check accepts the agent.toml, and its TLS files are good for that node", async (t) => {
  const world = await written(t);
  for (const node of ['haproxy01', 'haproxy02']) {
    const folder = world.at(`web/${node}/usr/local/etc/proxyctl`);
    const check = spawnSync(
      process.execPath,
      [AGENT, '--check', '--config', join(folder, 'agent.toml')],
      { encoding: 'utf8' },
    );
    t.deepEqual([check.status, check.stderr], [0, '']);
    const tls = (name: string): string => join(folder, 'tls', name);
    const paths = { ca: tls('ca.pem'), cert: tls('node.pem'), key: tls('node.key') };
    t.true(readTls(paths, 'web', node, Date.now()).notAfterWallMs > Date.now() + 390 * 86_400_000);
  }
});

test("pf.conf keeps to pf's grammar, for every kind of answer", (t) => {
  const seed = fixture('setup/seed.toml');
  for (const text of [seed, seed.replace(/^(?:ssh|operators) = .*\n/gm, '')]) {
    const files = generated(text);
    t.deepEqual(pfProblems(files['haproxy01/etc/pf.conf'] ?? 'missing'), []);
    t.deepEqual(pfProblems(files['haproxy02/etc/pf.conf'] ?? 'missing'), []);
  }
  t.deepEqual(pfProblems('pass in on em0 proto tpc to any port http\nset skip on lo'), [
    '1: pass in on em0 proto tpc to any port http',
  ]);
});

const confOf = (text: string): string =>
  generated(text)['haproxy01/usr/local/etc/haproxy.conf'] ?? 'missing';

test('a client cannot say for itself who it is: its X-Forwarded-For goes before ours is made', (t) => {
  const lines = confOf(fixture('setup/seed.toml')).split('\n');
  const at = (text: string): number => lines.indexOf(`    ${text}`);
  t.true(at('http-request del-header X-Forwarded-For') > 0);
  t.true(at('option forwardfor') > at('http-request del-header X-Forwarded-For'));
});

test('TLS to servers is verified by name, of the system or a CA of its own; not only where that is said', (t) => {
  const seed = fixture('setup/seed.toml');
  const server = (more: string): string | undefined =>
    confOf(
      seed.replace(
        'servers = ["10.1.12.2:8443"]\ntls = true',
        `servers = ["10.1.12.2:8443"]\n${more}`,
      ),
    ).match(/server unifi .*/)?.[0];
  const name = 'sni str(unifi.example.net) check-sni unifi.example.net';
  t.deepEqual(
    [
      'tls = true',
      'tls = true\nca = "/usr/local/etc/ssl/own.pem"',
      'tls = true\nverify = false',
      '',
    ].map(server),
    [
      `server unifi 10.1.12.2:8443 ssl verify required ca-file @system-ca ${name} verifyhost unifi.example.net check`,
      `server unifi 10.1.12.2:8443 ssl verify required ca-file /usr/local/etc/ssl/own.pem ${name} verifyhost unifi.example.net check`,
      `server unifi 10.1.12.2:8443 ssl verify none ${name} check`,
      'server unifi 10.1.12.2:8443 check',
    ],
  );
});

test("an operator's context has an address of each family of each agent, first what pf lets through", (t) => {
  t.regex(
    generated(fixture('setup/seed.toml'))['anna/config.toml'] ?? '',
    /^agents = \{ haproxy01 = \["\[fd5e:[^"]*\]:7660", "10\.1\.60\.201:7660"\], haproxy02 = \["\[fd5e:[^"]*\]:7660", "10\.1\.60\.202:7660"\] \}$/m,
  );
});
