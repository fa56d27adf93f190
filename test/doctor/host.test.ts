import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { countersOf, inspectCarp, inspectPf } from '../../agent/inspect/carp.ts';
import { inspectCertificates, type CertificateLook } from '../../agent/inspect/certificates.ts';
import { factWithin } from '../../agent/inspect/fact.ts';
import { alertsIn } from '../../agent/inspect/haproxy.ts';
import { otherAutomations, vhidLines } from '../../agent/inspect/host-files.ts';
import { knock, probeServers } from '../../agent/inspect/knock.ts';
import { certificateFiles } from '../../agent/certs/files.ts';
import { directCommands } from '../../agent/privilege/commands.ts';
import { readByHelper } from '../../agent/privilege/acts.ts';
import { HelperError, type Helper } from '../../agent/privilege/helper.ts';
import { CommandError, type Exec } from '../../agent/sys/exec.ts';
import { bundle, issue } from '../certs/bundles.ts';
import { testClock } from '../rpc/world.ts';
import { config, vhid } from './inspections.ts';

function folderWith(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-doctor-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** This process reads everything itself. */
const notAsked = (): Promise<never> => Promise.reject(new Error('nobody is asked'));

const scan = (paths: readonly string[], crtLists: readonly string[] = [], crtBase = '') => ({
  listeners: paths.map((crt) => ({ host: '', port: 443, crt })),
  crtLists,
  crtBase,
  extra: { key: true, ocsp: true, issuer: true, sctl: true, insteadOfCrt: false },
  stores: [],
  directory: null,
  unknown: [],
});

const look = (changes: Partial<CertificateLook> = {}): CertificateLook => ({
  read: (path) => certificateFiles.read(path),
  loaded: () => Promise.resolve([]),
  version: '2.6.12',
  wallMs: Date.now(),
  ...changes,
});

async function listening(t: ExecutionContext, host: string): Promise<number> {
  const server = createServer((socket) => socket.end()).listen(0, host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('a port somebody listens on answers; the other loopback address refuses', async (t) => {
  const port = await listening(t, '127.0.0.1');
  t.deepEqual(await knock('127.0.0.1', port), { address: '127.0.0.1', answers: true, why: '' });
  t.deepEqual(await knock('::1', port), { address: '::1', answers: false, why: 'ECONNREFUSED' });
});

test('knocked at are names, pairs on loopback and the backends of ACME, and no other server', async (t) => {
  const port = await listening(t, '127.0.0.1');
  const server = (backend: string, name: string, host: string) => ({
    backend,
    name,
    host,
    port,
    check: true,
    line: 1,
    text: '',
  });
  const probes = await probeServers(
    config({
      acme: [{ section: 'frontend web', line: 1, backend: 'ACME' }],
      servers: [
        server('A', 'pfsense_0', '127.0.0.1'),
        server('A', 'pfsense_1', '::1'),
        server('B', 'alone', '127.0.0.1'),
        server('FARM', 'web_1', '127.0.0.1'),
        server('FARM', 'web_2', '192.0.2.2'),
        server('ACME', 'acme', '127.0.0.1'),
        server('C', 'unix', ''),
      ],
    }),
  );
  t.deepEqual(
    probes.map(({ server, addresses }) => [server, addresses.map(({ answers }) => answers)]),
    [
      ['pfsense_0', [true]],
      ['pfsense_1', [false]],
      ['acme', [true]],
    ],
  );
});

test('rc.conf: the lines of each vhid without their password', async (t) => {
  const root = folderWith(t, {
    'etc/rc.conf':
      '# ifconfig_em0_alias9="inet vhid 9 pass x alias 10.0.0.9/32"\n' +
      'ifconfig_vtnet0="inet 10.1.60.201/24"\n' +
      'ifconfig_vtnet0_alias0="inet vhid 1 advskew 0 pass very-secret alias 10.1.60.200/32"\n',
  });
  t.deepEqual(await vhidLines(root, notAsked), [
    {
      file: '/etc/rc.conf',
      line: 3,
      end: 3,
      interface: 'vtnet0',
      vhid: 1,
      text: 'ifconfig_vtnet0_alias0="inet vhid 1 advskew 0 pass PASSWORD alias 10.1.60.200/32"',
    },
  ]);
});

test('rc.conf.d: what is read for the network after rc.conf counts in its place', async (t) => {
  const line = (skew: number): string =>
    `ifconfig_vtnet0_alias0="inet vhid 1 advskew ${skew} pass very-secret alias 10.1.60.200/32"\n`;
  const root = folderWith(t, {
    'etc/rc.conf': line(0),
    'etc/rc.conf.d/netif': `\n${line(100)}`,
    'etc/rc.conf.d/network/10-more': line(200),
  });
  t.deepEqual(await vhidLines(root, notAsked), [
    {
      file: '/etc/rc.conf.d/netif',
      line: 2,
      end: 2,
      interface: 'vtnet0',
      vhid: 1,
      text: 'ifconfig_vtnet0_alias0="inet vhid 1 advskew 100 pass PASSWORD alias 10.1.60.200/32"',
    },
  ]);
});

test('hooks of devd that stand on one line, or match by a pattern', async (t) => {
  const root = folderWith(t, {
    'etc/devd/a.conf':
      'notify 30 { match "system" "CARP"; match "type" "MASTER"; action "/root/x.sh"; };\n' +
      '# notify 30 { match "system" "CARP"; action "/root/y.sh"; };\n' +
      'match "system" "(IFNET|CARP)";\nmatch "system" "CARPET";\n',
  });
  t.deepEqual(
    (await otherAutomations(root, notAsked)).map(({ line }) => line),
    [1, 3],
  );
});

test('others that act on CARP: devd hooks but our own, ifstated, pfsync; nothing on a bare host', async (t) => {
  const hook = 'notify 0 {\n\tmatch "system"\t"CARP";\n\taction "/root/x.sh";\n};\n';
  const root = folderWith(t, {
    'etc/rc.conf': 'ifstated_enable="YES"\npfsync_enable="NO"\n',
    'etc/rc.conf.local': 'pfsync_enable=YES\n',
    'usr/local/etc/devd/carp.conf': hook,
    'usr/local/etc/devd/proxyctl.conf': hook,
    'etc/devd/usb.conf': 'notify 0 { match "system" "USB"; };\n',
  });
  t.deepEqual(await otherAutomations(root, notAsked), [
    { what: 'ifstated', file: '/etc/rc.conf', line: 1, text: 'ifstated_enable="YES"' },
    { what: 'pfsync', file: '/etc/rc.conf.local', line: 1, text: 'pfsync_enable=YES' },
    {
      what: 'devd',
      file: '/usr/local/etc/devd/carp.conf',
      line: 2,
      text: 'match "system"\t"CARP";',
    },
  ]);
  t.deepEqual(await otherAutomations(folderWith(t, {}), notAsked), []);
});

test('certificate files: a whole bundle, a key that belongs elsewhere, a key beside, none at all', async (t) => {
  const one = await issue({ subject: 'CN=a', names: ['a.test'] });
  const two = await issue({ subject: 'CN=b', names: ['b.test'] });
  const folder = folderWith(t, {
    'good.pem': bundle(one),
    'bad.pem': `${one.certificate}\n${two.key}`,
    'beside.pem': two.certificate,
    'beside.pem.key': two.key,
    '.hidden.pem': 'not looked at',
  });
  const at = (name: string): string => join(folder, name);
  chmodSync(at('good.pem'), 0o600);
  chmodSync(at('bad.pem'), 0o644);
  chmodSync(at('beside.pem.key'), 0o640);
  const found = await inspectCertificates(scan([folder, at('none.pem')]), look());
  t.deepEqual(
    found.map(({ path, keyFile, mode, names, problem }) => [
      path,
      keyFile,
      mode,
      names,
      problem?.code ?? null,
    ]),
    [
      [at('bad.pem'), at('bad.pem'), 0o644, ['a.test'], 'key_mismatch'],
      [at('beside.pem'), at('beside.pem.key'), 0o640, ['b.test'], null],
      [at('good.pem'), at('good.pem'), 0o600, ['a.test'], null],
      [at('none.pem'), at('none.pem'), 0, [], 'missing'],
    ],
  );
});

test('crt-list: its entries are files too, a file named twice is looked at once, comments are none', async (t) => {
  const one = await issue({ subject: 'CN=a', names: ['a.test'] });
  const folder = folderWith(t, { 'a.pem': bundle(one), 'b.pem': bundle(one) });
  const at = (name: string): string => join(folder, name);
  const list = at('list.txt');
  writeFileSync(
    list,
    `# first\n\na.pem [alpn h2] a.test !b.test\n${at('b.pem')}[verify none]\n@shop/c\n`,
  );
  const found = await inspectCertificates(
    scan([at('a.pem')], [list, at('none.txt')], folder),
    look(),
  );
  t.deepEqual(
    found.map(({ path, problem }) => [path, problem?.code ?? null]),
    [
      [at('a.pem'), null],
      [at('b.pem'), null],
      [at('none.txt'), 'missing'],
    ],
  );
});

test('a key in place of .crt, a certificate of a crt-store, a pair by kind of key', async (t) => {
  const one = await issue({ subject: 'CN=a', names: ['a.test'] });
  const folder = folderWith(t, {
    'site.crt': one.certificate,
    'site.key': one.key,
    'c/shop.crt': one.certificate,
    'k/shop.key': one.key,
    'pair.pem.rsa': bundle(one),
    'pair.pem.ecdsa': bundle(one),
  });
  const at = (name: string): string => join(folder, name);
  const plain = scan([at('site.crt'), '@web/shop', at('pair.pem')]);
  const found = await inspectCertificates(
    {
      ...plain,
      extra: { ...plain.extra, insteadOfCrt: true },
      stores: [
        {
          name: '@web/shop',
          crt: 'shop.crt',
          key: 'shop.key',
          certificateFile: at('c/shop.crt'),
          keyFile: at('k/shop.key'),
        },
      ],
    },
    look(),
  );
  t.deepEqual(
    found.map(({ path, keyFile, problem }) => [path, keyFile, problem?.code ?? null]),
    [
      [at('site.crt'), at('site.key'), null],
      [at('pair.pem.ecdsa'), at('pair.pem.ecdsa'), null],
      [at('pair.pem.rsa'), at('pair.pem.rsa'), null],
      [at('c/shop.crt'), at('k/shop.key'), null],
    ],
  );
});

test('what the helper reads is looked at as the rest; what it refuses says so', async (t) => {
  const one = await issue({ subject: 'CN=a', names: ['a.test'] });
  const helper: Helper = {
    pid: 0,
    ask: ([verb = '', path = '']) =>
      Promise.reject(
        new HelperError(
          [verb, path],
          path.startsWith('/kept/') ? 'failed' : 'refused',
          path.startsWith('/kept/')
            ? `failed: no such file: ${path}`
            : `refused: outside the directories named in agent.toml: ${path}`,
        ),
      ),
    ended: new Promise(() => {}),
    hung: new Promise(() => {}),
    close: () => {},
  };
  const read = (path: string): Promise<string> =>
    path === '/kept/a.pem' ? Promise.resolve(bundle(one)) : readByHelper(helper, path);
  const found = await inspectCertificates(
    scan(['/kept/a.pem', '/kept/b.pem', '/else/c.pem']),
    look({ read }),
  );
  t.deepEqual(
    found.map(({ path, problem }) => [path, problem?.code ?? null, problem?.why ?? '']),
    [
      ['/kept/a.pem', 'missing', 'no such file'],
      ['/kept/b.pem', 'missing', 'no such file'],
      [
        '/else/c.pem',
        'not_read',
        'privileged helper, cert-read /else/c.pem: refused: outside the directories named in agent.toml: /else/c.pem',
      ],
    ],
  );
});

test('what does not answer within its time, or fails, is a fact with its cause', async (t) => {
  t.deepEqual(await factWithin(testClock, 20, () => new Promise(() => undefined)), {
    cause: 'no answer within 0.02 s',
  });
  t.deepEqual(await factWithin(testClock, 1000, () => Promise.reject(new Error('no such file'))), {
    cause: 'no such file',
  });
  t.deepEqual(await factWithin(testClock, 1000, () => Promise.resolve(1)), { value: 1 });
});

test('haproxy -c: alerts without pid, at most three, and none that may repeat a password', (t) => {
  const alert = (text: string): string => `[ALERT]    (4711) : config : ${text}\n`;
  t.deepEqual(
    alertsIn(
      `[NOTICE]   (4711) : haproxy version is 2.6.12\n${alert("parsing [/h.conf:31] : unknown keyword 'sever'")}` +
        `${alert("parsing [/h.conf:9] : 'stats auth' : a:secret")}${alert('c')}${alert('d')}`,
    ),
    [
      "parsing [/h.conf:31] : unknown keyword 'sever'",
      'an error in a line about passwords (not shown)',
      'c',
    ],
  );
  t.deepEqual(alertsIn(''), ['it ends with an error and names no line']);
});

test('netstat without counters of carp(4) is an error, not zeros', (t) => {
  t.throws(() => countersOf(''), { message: 'netstat -s -p carp prints no counters of carp(4)' });
});

const fails = (code: number, stderr: string) => () =>
  Promise.reject(new CommandError(['pfctl'], { kind: 'exit', code }, stderr));

const pf = (exec: Exec) => directCommands(exec, 'pfctl', { check: [], reload: [] });

test('pf: a kernel without it, one that is off, and no permission to look', async (t) => {
  const off = { enabled: false, adverts: [] };
  const vhids = [vhid()];
  const none = fails(1, 'pfctl: /dev/pf: No such file or directory\n');
  t.deepEqual(await inspectPf(pf(none), vhids), off);
  const disabled = () => Promise.resolve('Status: Disabled for 0 days\n');
  t.deepEqual(await inspectPf(pf(disabled), vhids), off);
  await t.throwsAsync(inspectPf(pf(fails(1, 'pfctl: /dev/pf: Permission denied\n')), vhids), {
    message: 'pfctl: exit 1: pfctl: /dev/pf: Permission denied',
  });
});

test('pf that is on: a verdict for each interface, family and direction', async (t) => {
  const exec = (_: string, [first]: readonly string[]) =>
    Promise.resolve(first === '-sr' ? 'block drop in all\n' : 'Status: Enabled for 0 days\n');
  t.deepEqual(await inspectPf(pf(exec), [vhid({ vips: ['10.1.60.200'] })]), {
    enabled: true,
    adverts: [
      {
        interface: 'vtnet0',
        family: 'inet',
        direction: 'in',
        passes: false,
        rule: 'block drop in all',
      },
      { interface: 'vtnet0', family: 'inet', direction: 'out', passes: true, rule: null },
    ],
  });
});

test('a host without the module says so', async (t) => {
  const tools = { ifconfig: 'i', sysctl: 's', kldstat: 'k', netstat: 'n', pfctl: 'p', ngctl: 'g' };
  t.like(await inspectCarp(fails(1, ''), tools, null, []), { module: false, vhids: [] });
});
