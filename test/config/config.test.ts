import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ConfigError, parseConfig, type Config } from '../../agent/config/config.ts';
import { durationMs } from '../../agent/config/duration.ts';

const PEER = '[[peer]]\nnode = "haproxy02"\naddress = ["10.1.60.202:7660"]\n';
const source = { file: 'agent.toml', hostname: 'haproxy01.example.net' };
const read = (text: string): Promise<Config> => parseConfig(text, source);

/** Everything that is wrong with a text, as lines. */
async function wrong(t: ExecutionContext, text: string): Promise<string[]> {
  const error = await t.throwsAsync(read(text), { instanceOf: ConfigError });
  return error.message.split('\n');
}

test('only a peer is needed: every default', async (t) => {
  t.deepEqual(await read(PEER), {
    node: 'haproxy01',
    pair: 'pair',
    listen: ['[::]:7660', '0.0.0.0:7660'],
    user: 'proxyctl',
    state: '/var/db/proxyctl',
    socket: { path: '/var/run/proxyctl/agent.sock', group: 'proxyctl', role: 'operator' },
    log: {
      file: '/var/log/proxyagent.log',
      level: 'info',
      format: 'json',
      audit: '/var/log/proxyctl-audit.log',
      events: '/var/log/proxyctl-events.log',
      auditSyslog: true,
    },
    tls: {
      ca: '/usr/local/etc/proxyctl/tls/ca.pem',
      cert: '/usr/local/etc/proxyctl/tls/node.pem',
      key: '/usr/local/etc/proxyctl/tls/node.key',
    },
    peers: [{ node: 'haproxy02', address: ['10.1.60.202:7660'] }],
    networks: null,
    carp: {
      devd: '/var/run/devd.pipe',
      tools: {
        ifconfig: '/sbin/ifconfig',
        sysctl: '/sbin/sysctl',
        kldstat: '/sbin/kldstat',
        netstat: '/usr/bin/netstat',
        pfctl: '/sbin/pfctl',
        ngctl: '/usr/sbin/ngctl',
        ndp: '/usr/sbin/ndp',
      },
    },
    haproxy: {
      config: '/usr/local/etc/haproxy.conf',
      socket: '',
      frontends: [],
      probe: '',
      hungAfterMs: 2000,
      drift: 'report',
      deploy: false,
      check: ['/usr/local/sbin/haproxy', '-c', '-f', '/usr/local/etc/haproxy.conf'],
      reload: ['/usr/sbin/service', 'haproxy', 'reload'],
    },
    policy: {
      failback: 'auto',
      holdMs: 10_000,
      maxMoves: 3,
      windowMs: 600_000,
      detect: 'fast',
      earlyTakeoverMs: 250,
      fence: true,
      witness: [],
      icmp: 'auto',
    },
    certificates: { directories: [], alarmDays: [30, 14, 7, 1], map: {} },
    acme: {
      responder: ['127.0.0.1:7661', '[::1]:7661'],
      webroot: '',
      tokenTtlMs: 3_600_000,
      directory: '',
      accountKey: '/var/db/proxyctl/acme-account.key',
      contact: '',
      ca: '',
      certificates: [],
    },
    notify: [],
    metrics: { listen: [] },
    web: { listen: [], names: [] },
  });
});

test('what is written takes the place of its default, and of nothing else', async (t) => {
  const text = `node = "a"
policy.hold = "90s"
[socket]
role = "viewer"
[haproxy]
hung_after = "500ms"
frontends = ["web"]
[[network]]
name = "wan"
interface = "vtnet0"
[[network]]
name = "lan"
interface = "em0.10"
vhids = [2, 3]
base_advskew = 100
${PEER}[[peer]]
node = "haproxy03"
address = ["[fe80::3%vtnet0]:7660", "10.1.60.203:7660"]
`;
  const [config, base] = [await read(text), await read(PEER)];
  t.deepEqual(config, {
    ...base,
    node: 'a',
    socket: { ...base.socket, role: 'viewer' },
    policy: { ...base.policy, holdMs: 90_000 },
    haproxy: { ...base.haproxy, hungAfterMs: 500, frontends: ['web'] },
    networks: [
      { name: 'wan', interface: 'vtnet0', vhids: null, baseAdvskew: null },
      { name: 'lan', interface: 'em0.10', vhids: [2, 3], baseAdvskew: 100 },
    ],
    peers: [
      ...base.peers,
      { node: 'haproxy03', address: ['[fe80::3%vtnet0]:7660', '10.1.60.203:7660'] },
    ],
  });
});

test('a certificate of the map is a path, or a name of a crt-store', async (t) => {
  const map = (text: string) => `${PEER}[certificates.map]\n${text}\n`;
  const { certificates } = await read(map('site = "/c/a.pem"\nshop = "@web/shop"\nx = "@/x"'));
  t.deepEqual(certificates.map, { site: '/c/a.pem', shop: '@web/shop', x: '@/x' });
  const lines = await wrong(t, map('site = "a.pem"\nshop = "@web"'));
  t.deepEqual(
    lines.map((line) => line.replace(/^agent.toml:[\d:]+ /, '')),
    ['site', 'shop'].map(
      (name, at) =>
        `certificates.map.${name}: must be an absolute path, or "@store/name" of a crt-store, ` +
        `not "${['a.pem', '@web'][at]}"`,
    ),
  );
});

test('everything that is wrong, at once, in order of the file, each with its place', async (t) => {
  const text = `nod = "a"
pair = 7
[policy]
failback = "never"
hold = "10"
[log]
  levle = "info"
[haproxy.extra]
x = 1
`;
  t.deepEqual(await wrong(t, text), [
    'agent.toml:1:1: nod: no such key; did you mean node?',
    'agent.toml:2:1: pair: must be text in quotes, not 7',
    'agent.toml:4:1: policy.failback: must be one of "auto", "manual", not "never"',
    'agent.toml:5:1: policy.hold: must be a time from "1s" to "1d", such as "500ms", "10s" or "5m", not "10"',
    'agent.toml:7:3: log.levle: no such key; did you mean level?',
    'agent.toml:8:2: haproxy.extra: no such key',
    'agent.toml:10:1: peer: missing: name the other node with [[peer]], node = "...", address = ["IP:7660"]',
  ]);
});

test('the place of a key: in a dotted key, an inline table, a list, a table of tables', async (t) => {
  t.deepEqual(await wrong(t, `policy.hold.x = 1\n${PEER}`), [
    'agent.toml:1:1: policy.hold: must be a time from "1s" to "1d", such as "500ms", "10s" or "5m", not {"x":1}',
  ]);
  t.deepEqual(await wrong(t, `log = { level = "info", lvel = "x" }\n${PEER}`), [
    'agent.toml:1:25: log.lvel: no such key; did you mean level?',
  ]);
  t.deepEqual(await wrong(t, `listen = [\n  "[::]:7660",\n  "example.net:7660",\n]\n${PEER}`), [
    'agent.toml:3:3: listen.1: must be an IP address with port, for example "10.1.60.202:7660" or "[fd5e::202]:7660", not "example.net:7660"',
  ]);
  t.deepEqual(await wrong(t, `${PEER}[[peer]]\nnode = "c"\n[carp.tools]\nifconfg = "/x"\n`), [
    'agent.toml:4:3: peer.1.address: missing: must be given',
    'agent.toml:7:1: carp.tools.ifconfg: no such key; did you mean ifconfig?',
  ]);
});

test('values of the wrong kind: what would be right, and what stands there', async (t) => {
  const rows: [string, string][] = [
    ['policy.max_moves = 0', 'must be a whole number from 1 to 1000, not 0'],
    ['policy.max_moves = 1.5', 'must be a whole number from 1 to 1000, not 1.5'],
    ['policy.max_moves = nan', 'must be a whole number from 1 to 1000, not NaN'],
    ['policy.max_moves = inf', 'must be a whole number from 1 to 1000, not Infinity'],
    ['policy.early_takeover_ms = -1', 'must be a whole number from 0 to 60000, not -1'],
    ['policy.fence = "yes"', 'must be true or false, not "yes"'],
    ['policy.witness = ["router"]', 'must be an IP address, not "router"'],
    ['state = "db"', 'must be an absolute path, for example "/usr/local/etc/x", not "db"'],
    ['carp.devd = "pipe"', 'must be empty or an absolute path, not "pipe"'],
    [
      'haproxy.check = ["haproxy", "-c"]',
      'must start with the absolute path of a program, not ["haproxy","-c"]',
    ],
    ['socket = "/x"', 'must be a table'],
    ['network = 3', 'must be written as [[network]], not 3'],
    ['user = "a b"', 'must be letters, digits, dot, dash or underscore, not "a b"'],
    ['user = 1979-05-27', 'must be text in quotes, not "1979-05-27"'],
  ];
  const seen: [string, string | undefined][] = [];
  for (const [text] of rows)
    seen.push([text, (await wrong(t, `${text}\n${PEER}`))[0]?.replace(/^\S+ \S+: /, '')]);
  t.deepEqual(seen, rows);
});

test('metrics and the page listen nowhere unless endpoints are named, each an address with a port', async (t) => {
  for (const part of ['metrics', 'web'] as const) {
    const text = `${PEER}[${part}]\nlisten = ["[::1]:7662"]\n`;
    const more = part === 'web' ? { names: [] } : {};
    t.deepEqual((await read(text))[part], { listen: ['[::1]:7662'], ...more });
    t.deepEqual((await read(PEER))[part], { listen: [], ...more });
    const written = `${PEER}[haproxy]\nprobe = ""\n[${part}]\nlisten = []\n`;
    t.deepEqual(await read(written), await read(PEER));
  }
});

test('web.names are names as a browser is told them', async (t) => {
  const web = (names: readonly string[]): string =>
    `${PEER}[web]\nnames = ${JSON.stringify(names)}\n`;
  const good = ['haproxy01', 'Pair.example.net'];
  t.deepEqual((await read(web(good))).web, { listen: [], names: good });
  for (const name of ['', '*.example.net', 'a:7663', 'http://a/', '-a', 'a b', 'a'.repeat(254)])
    t.regex(
      (await wrong(t, web([name])))[0] ?? '',
      /web\.names\.0: must be a name as in http:\/\/NAME\/, without port and wildcard/,
      name,
    );
  t.regex(
    (await wrong(t, web(Array.from({ length: 101 }, (_, at) => `n${at}`))))[0] ?? '',
    /web\.names: at most 100 names/,
  );
});

test('haproxy.probe is a URL of http or https, without a password and without a fragment', async (t) => {
  const probe = (url: string): string => `${PEER}[haproxy]\nprobe = "${url}"\n`;
  const { haproxy } = await read(probe('https://www.example.net:8443/health?full=1'));
  t.is(haproxy.probe, 'https://www.example.net:8443/health?full=1');
  for (const url of [
    '/health',
    'ftp://a/',
    'https://',
    'http://u:p@a/',
    'http://a/#b',
    'http://a:x/',
  ])
    t.regex(
      (await wrong(t, probe(url)))[0] ?? '',
      /haproxy\.probe: must be empty or a URL such as "https:\/\/www\.example\.net\/health"/,
    );
});

test('times: none that would mean always, never or nothing', async (t) => {
  const bad = [
    'hold = "0s"',
    'hold = "-1s"',
    'hold = "2d"',
    'window = "0m"',
    'hold = "0.1ms"',
    'hold = ""',
  ];
  for (const text of bad)
    t.regex(
      (await wrong(t, `[policy]\n${text}\n${PEER}`)).join('\n'),
      /^agent\.toml:2:1: policy\.\w+: must be a time from "1s" to "1d"/,
    );
  for (const text of ['hung_after = "0s"', 'hung_after = "99ms"', 'hung_after = "30d"'])
    t.deepEqual(await wrong(t, `[haproxy]\n${text}\n${PEER}`), [
      `agent.toml:2:1: haproxy.hung_after: must be a time from "100ms" to "1m", such as "500ms", "10s" or "5m", not ${text.split(' = ')[1]}`,
    ]);
  t.regex((await wrong(t, `acme.token_ttl = "1s"\n${PEER}`)).join('\n'), /from "1m" to "7d"/);
  t.is((await read(`policy.hold = "1s"\n${PEER}`)).policy.holdMs, 1000);
});

test('where configurations may be deployed the check has to name the file that they replace', async (t) => {
  const good = [
    'deploy = true',
    'config = "/e/h.conf"',
    'deploy = true\nconfig = "/e/h.conf"\ncheck = ["/h", "-c", "-f", "/e/h.conf"]',
  ];
  for (const text of good) await t.notThrowsAsync(read(`${PEER}[haproxy]\n${text}\n`), text);
  const bad = [
    ['deploy = true\nconfig = "/e/h.conf"', '/e/h.conf'],
    ['deploy = true\ncheck = ["/h", "configtest"]', '/usr/local/etc/haproxy.conf'],
    ['deploy = true\ncheck = []', '/usr/local/etc/haproxy.conf'],
  ] as const;
  for (const [text, path] of bad)
    t.deepEqual(await wrong(t, `${PEER}[haproxy]\n${text}\n`), [
      `agent.toml:5:1: haproxy.deploy: needs haproxy.check with ${path} as a word of its own: there it names a new one`,
    ]);
});

test('what only shows together: this node as its own peer, a peer or a network twice', async (t) => {
  t.deepEqual(await wrong(t, PEER.replace('haproxy02', 'haproxy01')), [
    'agent.toml:2:1: peer.0.node: is this node itself (haproxy01)',
  ]);
  t.deepEqual(await wrong(t, `node = "haproxy02"\n${PEER}`), [
    'agent.toml:3:1: peer.0.node: is this node itself (haproxy02)',
  ]);
  const network = '[[network]]\nname = "wan"\ninterface = "em0"\n';
  t.deepEqual(await wrong(t, PEER + PEER + network + network), [
    'agent.toml:5:1: peer.1.node: haproxy02 is named twice',
    'agent.toml:11:1: network.1.name: wan is named twice',
  ]);
  // Without a name it cannot be named twice.
  t.deepEqual(
    await wrong(t, '[[peer]]\naddress = ["10.0.0.1:1"]\n[[peer]]\naddress = ["10.0.0.2:1"]\n'),
    [
      'agent.toml:1:3: peer.0.node: missing: must be given',
      'agent.toml:3:3: peer.1.node: missing: must be given',
    ],
  );
});

test('one to seven peers', async (t) => {
  const peers = (count: number): string =>
    Array.from({ length: count }, (_, at) => PEER.replace('haproxy02', `n${at}`)).join('');
  t.is((await read(peers(7))).peers.length, 7);
  t.deepEqual(await wrong(t, `peer = []\n`), [
    'agent.toml:1:1: peer: at least one [[peer]] is needed, not []',
  ]);
  t.regex((await wrong(t, peers(8)))[0] ?? '', /^agent\.toml:1:3: peer: at most seven peers/);
});

test('no TOML: the first mistake with its place, once', async (t) => {
  const rows: [string, string][] = [
    ['node = ', 'agent.toml:1:8'],
    ['node = "a"\nnode = "b"\n', 'agent.toml:2:1'],
    ['[policy\n', 'agent.toml:1:8'],
    ['\0', 'agent.toml:1:1'],
    ['policy.max_moves = 99999999999999999999', 'agent.toml:1:20'],
  ];
  const seen: [string, string][] = [];
  for (const [text] of rows) {
    const lines = await wrong(t, text);
    t.is(lines.length, 1);
    seen.push([text, lines.join('').replace(/: no TOML: .*/, '')]);
  }
  t.deepEqual(seen, rows);
});

test('names that JavaScript knows are unknown keys like others', async (t) => {
  for (const name of ['__proto__', 'constructor', 'toString'])
    t.deepEqual(await wrong(t, `${name} = 1\n${PEER}`), [`agent.toml:1:1: ${name}: no such key`]);
});

test('files of other editors: byte order mark, carriage returns', async (t) => {
  t.deepEqual(await read(`\uFEFF${PEER}`.replaceAll('\n', '\r\n')), await read(PEER));
});

test('times in their forms', (t) => {
  t.deepEqual(
    ['500ms', '2s', '1.5s', '10m', '1h', '1d', '', '5', 's', '1 s', '-1s', '1S', '1e3s'].map(
      durationMs,
    ),
    [500, 2000, 1500, 600_000, 3_600_000, 86_400_000, null, null, null, null, null, null, null],
  );
});

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command. */
const proxyagent = (...args: string[]): Promise<Run> =>
  new Promise((resolve) => {
    const main = fileURLToPath(new URL('../../agent/main.js', import.meta.url));
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });

function fileOf(t: ExecutionContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-config-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'agent.toml');
  writeFileSync(path, text);
  return path;
}

test('proxyagent --check on a good file: exit 0, one line', async (t) => {
  const path = fileOf(t, PEER);
  t.deepEqual(await proxyagent('--check', '--config', path), {
    code: 0,
    stdout: `${path}: good\n`,
    stderr: '',
  });
});

test('proxyagent --check on a bad one: exit 2, every problem, no stack; and it does not start with it either', async (t) => {
  const path = fileOf(t, 'nod = "a"\npair = 7\n');
  const stderr =
    `${path}:1:1: nod: no such key; did you mean node?\n` +
    `${path}:2:1: pair: must be text in quotes, not 7\n` +
    `${path}:3:1: peer: missing: name the other node with [[peer]], node = "...", address = ["IP:7660"]\n`;
  t.deepEqual(await proxyagent('--check', '--config', path), { code: 2, stdout: '', stderr });
  t.deepEqual(await proxyagent('--config', path), { code: 2, stdout: '', stderr });
});

test('a file that cannot be read: exit 2, why, and what else to do', async (t) => {
  const path = fileOf(t, PEER);
  const [missing, folder] = [`${path}.none`, join(path, '..')];
  t.deepEqual(await proxyagent('--check', '--config', missing), {
    code: 2,
    stdout: '',
    stderr: `${missing}:1:1: cannot be read (no such file); name another with --config\n`,
  });
  t.deepEqual(await proxyagent('--check', '--config', folder), {
    code: 2,
    stdout: '',
    stderr: `${folder}:1:1: cannot be read (EISDIR: illegal operation on a directory, read); name another with --config\n`,
  });
  if (process.getuid?.() === 0) return;
  chmodSync(path, 0o000);
  const denied = await proxyagent('--check', '--config', path);
  t.is(denied.code, 2);
  t.regex(denied.stderr, /cannot be read \(EACCES/);
});

test('whatever stands in the file: exit 0 or 2, and never a stack', async (t) => {
  const texts = [
    '',
    '\0\0\0',
    '{}',
    '[[peer]]\n'.repeat(9),
    'peer = [[[]]]',
    'peer = [1, "x", {}]',
    'haproxy = []',
    `a.b.c.d.e = { f = [ { g = 1 } ] }\n${PEER}`,
    `"" = 1\n${PEER}`,
    `network = [{}]\n${PEER}`,
    `listen = [[1]]\n${PEER}`,
    '\uD800',
    `policy.hold = """\n\n"""\n${PEER}`,
  ];
  for (const text of texts) {
    const { code, stdout, stderr } = await proxyagent('--check', '--config', fileOf(t, text));
    t.deepEqual([text, code, stdout], [text, 2, '']);
    t.notRegex(stderr, /^\s+at |node:internal|TypeError/m);
    t.regex(stderr, /^(\S+agent\.toml:\d+:\d+: .+\n)+$/);
  }
});

test('options that do not exist: exit 2 and the usage', async (t) => {
  for (const args of [['--chek'], ['file'], ['--config']]) {
    const { code, stdout, stderr } = await proxyagent(...args);
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, /^proxyagent: .+\nusage: proxyagent /s);
    t.notRegex(stderr, /^\s+at /m);
  }
});
