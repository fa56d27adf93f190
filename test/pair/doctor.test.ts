import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { inside } from '../lab/lab.ts';
import { proxyctl, ran } from '../lab/client.ts';
import { doctorScreen } from '../../ctl/render/doctor.ts';
import { newSite } from '../lab/certificates.ts';
import { asAtFirst, asked, calm, eventually, fault, nodeAt, runtime, scene } from './scene.ts';
import type { Finding } from '../../agent/core/doctor/finding.ts';

const { test, lab } = scene();

const folderOf = (at: number): string => join(nodeAt(lab(), at).tools, '..');
const fileOf = (at: number, name: string): string => join(folderOf(at), name);
const sysctl = (at: number, what: string) =>
  ran([join(nodeAt(lab(), at).tools, 'sysctl'), `net.inet.carp.${what}`]);

interface Doctored {
  readonly code: number;
  readonly findings: readonly Finding[];
}

async function doctor(...args: readonly string[]): Promise<Doctored> {
  const { code, json } = await asked(lab(), 'doctor', ...args);
  return { code, findings: json.result?.['findings'] ?? [] };
}

/** Found in one run over everything that `planted` put there. */
let found: Doctored = { code: 0, findings: [] };
const the = (id: string): Finding | undefined => found.findings.find((one) => one.id === id);

/** A listener in a place of the lab that takes connections on these addresses. */
async function listener(place: string, port: number, host: string): Promise<() => Promise<void>> {
  const script = `require('net').createServer((s) => s.end()).listen(${port}, '${host}', () => console.log('up'))`;
  const [program = '', ...args] = inside(lab(), place, [process.execPath, '-e', script]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

/** Connections that match are refused in a place of the lab. */
async function silenced(place: string, match: string): Promise<() => Promise<void>> {
  const nft = (...words: readonly string[]) => ran(inside(lab(), place, ['nft', ...words]));
  const chain = '{ type filter hook input priority 0; }';
  await nft('add', 'table', 'inet', 'doctor');
  await nft('add', 'chain', 'inet', 'doctor', 'x', chain);
  await nft('add', 'rule', 'inet', 'doctor', 'x', `${match} reject with tcp reset`);
  return async () => void (await nft('delete', 'table', 'inet', 'doctor'));
}

test('a healthy pair: nothing is found, exit 0', async (t) => {
  await calm(lab());
  const { code, stdout, stderr } = await proxyctl(lab(), ['doctor']);
  const nothing = 'nothing found on haproxy01, haproxy02\n';
  t.deepEqual({ code, stdout, stderr }, { code: 0, stdout: nothing, stderr: '' });
});

test('faults of every kind on one host are looked for in one run, and taken away again', async (t) => {
  const second = nodeAt(lab(), 1);
  const [conf, pem] = [fileOf(1, 'haproxy.conf'), fileOf(1, 'site.pem')];
  for (const file of [conf, pem]) copyFileSync(file, `${file}.kept`);
  const stops = [
    await listener('haproxy02', 18_082, '127.0.0.1'),
    await silenced('haproxy02', 'ip6 daddr ::1 tcp dport 7661'),
  ];
  try {
    // The responder has no route any more.
    const text = readFileSync(conf, 'utf8').replace(/^ *use_backend ACME .*\n/m, '');
    writeFileSync(
      conf,
      `${text}backend HALF\n    server pfsense_0 127.0.0.1:18082\n    server pfsense_1 ::1:18082\n` +
        '    stick-table type ip size 1k\n    stick on src\n    sever oops\n',
    );
    writeFileSync(pem, await newSite(3, ['www.example.net']));
    chmodSync(pem, 0o644);
    await runtime(second, 'set server WEB/web1 state drain');
    const other = await newSite(60);
    await runtime(second, `set ssl cert ${pem} <<\n${other.trim()}\n`);
    writeFileSync(fileOf(1, 'pf.rules'), 'block drop in log all\npass out all keep state\n');
    // A clock is seen with the next report, which the sysctls make.
    writeFileSync(fileOf(1, 'clock'), '90');
    await sysctl(1, 'demotion=10');
    await sysctl(1, 'preempt=1');
    await eventually('the clock is seen to be off', async () => {
      const { stdout } = await proxyctl(lab(), ['status']);
      return /clock is .* off/.test(stdout);
    });
    found = await doctor();
    const screen = doctorScreen({
      node: 'haproxy01',
      findings: found.findings,
      nodes: [],
      notes: [],
    });
    t.deepEqual(
      screen.split('\n').filter((line) => line.length > 80),
      [],
    );
  } finally {
    rmSync(fileOf(1, 'clock'), { force: true });
    rmSync(fileOf(1, 'pf.rules'), { force: true });
    await sysctl(1, 'demotion=-10');
    await sysctl(1, 'preempt=0');
    await runtime(second, `abort ssl cert ${pem}`);
    await runtime(second, 'set server WEB/web1 state ready');
    for (const file of [conf, pem]) copyFileSync(`${file}.kept`, file);
    chmodSync(pem, 0o600);
    for (const stop of stops) await stop();
  }
  t.is(found.code, 3);
  await calm(lab());
});

const PLANTED: readonly (readonly [string, Partial<Finding>])[] = [
  ['haproxy-config', { severity: 'fail', nodes: ['haproxy02'] }],
  [
    'haproxy-config-differs',
    {
      severity: 'warn',
      saw: [
        'only on haproxy02: backend HALF',
        'frontend HTTP_frontend differs between haproxy01 and haproxy02',
      ],
    },
  ],
  ['haproxy-no-check', { saw: ['haproxy02: HALF/pfsense_0 has no check'] }],
  [
    'haproxy-stick-table',
    { saw: ['haproxy02: 1 stick-table without peers: backend HALF'], nodes: ['haproxy02'] },
  ],
  [
    'backend-half-listening',
    {
      severity: 'fail',
      saw: [
        'haproxy02: HALF/pfsense_0: 127.0.0.1:18082 answers',
        'haproxy02: HALF/pfsense_1: [::1]:18082 does not answer (ECONNREFUSED)',
      ],
    },
  ],
  [
    'acme-half-listening',
    {
      severity: 'fail',
      saw: [
        'haproxy02: 127.0.0.1:7661 answers',
        'haproxy02: [::1]:7661 does not answer (ECONNREFUSED)',
      ],
    },
  ],
  ['acme-route', { severity: 'warn', nodes: ['haproxy02'] }],
  ['cert-expires', { severity: 'fail', nodes: ['haproxy02'] }],
  ['cert-name', { severity: 'warn', nodes: ['haproxy02'] }],
  ['key-mode', { severity: 'fail', nodes: ['haproxy02'] }],
  [
    'haproxy-drain',
    { saw: ['haproxy02: WEB/web1 is in drain, and nobody asked the agents for it'] },
  ],
  ['haproxy-transaction', { severity: 'warn', nodes: ['haproxy02'] }],
  [
    'carp-demotion',
    { saw: ['haproxy02: net.inet.carp.demotion is 10, 0 is explained (0 vhids in INIT)'] },
  ],
  [
    'carp-preempt',
    {
      saw: ['haproxy01: net.inet.carp.preempt is 0', 'haproxy02: net.inet.carp.preempt is 1'],
    },
  ],
  ['clock', { severity: 'warn', nodes: ['haproxy01', 'haproxy02'] }],
];
for (const [id, like] of PLANTED)
  test(`planted and found: ${id}`, (t) => {
    t.like(the(id), like);
  });

test('rules of pf that drop adverts, while adverts arrive: no finding', (t) => {
  t.false(found.findings.some(({ id }) => id === 'pf-drops-carp'));
});

test('CARP switched off by hand is found, and --address and --node narrow what is shown', async (t) => {
  await sysctl(1, 'allow=0');
  try {
    const [all, first, node, address] = await Promise.all([
      doctor(),
      doctor('--node', 'haproxy01'),
      asked(lab(), 'doctor', '--node', 'haproxy09'),
      asked(lab(), 'doctor', '--address', '9'),
    ]);
    t.deepEqual([all.code, first.code, node.code, address.code], [3, 3, 8, 8]);
    // And nothing is left of what was planted before.
    t.deepEqual(
      all.findings.map(({ id }) => id),
      ['carp-allow', 'alert-degraded', 'alert-redundancy-lost'],
    );
    t.deepEqual(
      first.findings.map(({ id }) => id),
      ['alert-redundancy-lost'],
    );
  } finally {
    await sysctl(1, 'allow=1');
  }
  await asAtFirst(lab());
});

test('a peer whose agent is away is a finding of its own, exit 3', async (t) => {
  const second = nodeAt(lab(), 1);
  await fault(lab(), 'kill-agent', 'on', second);
  try {
    const { code, json } = await asked(lab(), 'doctor');
    t.is(code, 3);
    const findings = json.result?.['findings'] as unknown as readonly Finding[];
    t.deepEqual(
      findings.map(({ id, severity, nodes }) => ({ id, severity, nodes })),
      [
        { id: 'alert-redundancy-lost', severity: 'warn', nodes: ['haproxy01'] },
        { id: 'peer-away', severity: 'unknown', nodes: ['haproxy02'] },
      ],
    );
    t.deepEqual(
      json.nodes.map(({ node, ok }) => [node, ok]),
      [
        ['haproxy01', true],
        ['haproxy02', false],
      ],
    );
  } finally {
    await fault(lab(), 'kill-agent', 'off', second);
  }
});
