import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { PushAct, RollbackAct } from '../../agent/core/acts.ts';
import type { ActResult } from '../../agent/core/results.ts';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import type { Certificates } from '../../agent/core/answers.ts';
import { shortFolder } from '../haproxy/haproxy.ts';
import { inspected } from '../reports.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, overTls } from './command.ts';

const SHA1 = 'cb8b9def9ea555b063d3fc0808fcf4c41eec3d7f';
const one = inspected(SHA1);
const listed = (disk: string, problem = ''): Certificates => ({
  node: 'haproxy01',
  nodes: [
    { node: 'haproxy01', problem: '', certificates: [{ ...one, disk }] },
    { node: 'haproxy02', problem, certificates: problem === '' ? [one] : [] },
  ],
  intents: [],
});

test('several files, each with its own place; key and chain of their own; the rest is usage', async (t) => {
  const folder = shortFolder(t);
  const file = (name: string): string => {
    writeFileSync(join(folder, name), name);
    return join(folder, name);
  };
  const [a, b, key, chain] = [file('a'), file('b'), file('key'), file('chain')];
  const pushes: PushAct['bundles'][] = [];
  const pushCertificate = ({ bundles }: PushAct) => {
    pushes.push(bundles);
    return Promise.resolve(emptyResult);
  };
  const { run } = await desk(t, { pushCertificate }, overTls('admin'));
  const lines = [
    ['push', a, b, '--as', '/x', '--as', '/y'],
    ['push', a, b],
    ['push', a, '--key', key, '--chain', chain],
    ['push', a, b, '--as', '/x'],
    ['push', a, b, '--key', key],
    ['push', '-', '--key', '-'],
    ['push', a, '--as', ''],
    ['push', '-'],
    ['push', a, '--into', '/list', '--sni', 'x.test', '--sni', '!y.x.test'],
    ['push', a, '--as', '/x', '--into', '/list'],
    ['push', a, b, '--into', '/list'],
    ['push', a, '--sni', 'x.test'],
  ];
  const codes: number[] = [];
  for (const line of lines) codes.push((await run(['cert', ...line], { stdin: '' })).code ?? -1);
  t.deepEqual(codes, [0, 0, 0, 2, 2, 2, 2, 2, 0, 0, 2, 2]);
  t.deepEqual(pushes, [
    [
      { path: '/x', pem: 'a' },
      { path: '/y', pem: 'b' },
    ],
    [
      { path: null, pem: 'a' },
      { path: null, pem: 'b' },
    ],
    [{ path: null, pem: 'a\nchain\nkey' }],
    [{ path: null, pem: 'a', into: { list: '/list', filters: ['x.test', '!y.x.test'] } }],
    [{ path: '/x', pem: 'a', into: { list: '/list', filters: [] } }],
  ]);
});

test('a file that is not there, a directory and an empty one: exit 2, with the file and what to do; no agent is asked', async (t) => {
  const folder = shortFolder(t);
  writeFileSync(join(folder, 'empty'), ' \n\n');
  const { run, server } = await desk(t, {}, overTls('admin'));
  const said: unknown[] = [];
  for (const file of ['none', 'empty', '.', '-']) {
    const path = file === '-' ? file : join(folder, file);
    const { code, stderr } = await run(['cert', 'push', path], { stdin: '' });
    said.push([code, stderr.replaceAll(folder, 'DIR').replaceAll(/(E[A-Z]+): .*/g, '$1')]);
  }
  const remedy = '  do      name a PEM file, or - for standard input\n';
  const nothing = '  cause   it has no certificate and no key\n';
  t.deepEqual(said, [
    [2, `proxyctl: DIR/none cannot be read\n  cause   ENOENT\n${remedy}`],
    [2, `proxyctl: DIR/empty is empty\n${nothing}${remedy}`],
    [2, `proxyctl: DIR cannot be read\n  cause   EISDIR\n${remedy}`],
    [2, `proxyctl: standard input is empty\n${nothing}${remedy}`],
  ]);
  t.deepEqual(server.heard.items, []);
});

const refusal = (node: string, message: string, cause = 'it holds a key only') => ({
  node,
  ok: false,
  changed: false,
  error: { code: 'no_certificate', message, cause, remediation: REMEDY, retryable: false },
});
const REMEDY =
  'take a certificate with these names, or accept it, which is a risk: --accept-risk=names-lost';

test('a refusal that every node gives is said once; where they differ each line names its node; 80 columns', async (t) => {
  const file = join(shortFolder(t), 'a.pem');
  writeFileSync(file, 'x');
  const long =
    'www.example.net, mail.example.net, shop.example.net, git.example.net, a.example.net';
  const two = [
    [refusal('haproxy02', 'no certificate'), refusal('haproxy01', 'no certificate')],
    [refusal('haproxy02', 'names are lost', long), refusal('haproxy01', 'no certificate')],
  ];
  const said: string[] = [];
  for (const nodes of two) {
    const error = nodes[0]?.error ?? null;
    const result: ActResult = { ...emptyResult, outcome: 'failed', error, nodes };
    const pushCertificate = () => Promise.resolve(result);
    const { run } = await desk(t, { pushCertificate }, overTls('admin'));
    const { code, stderr } = await run(['cert', 'push', file]);
    t.is(code, 1);
    said.push(stderr);
  }
  t.deepEqual(said, [
    `proxyctl: no certificate
  cause   it holds a key only
  do      take a certificate with these names, or accept it, which is a risk:
          --accept-risk=names-lost
`,
    `proxyctl: haproxy02: names are lost
  cause   www.example.net, mail.example.net, shop.example.net, git.example.net,
          a.example.net
  do      take a certificate with these names, or accept it, which is a risk:
          --accept-risk=names-lost
  haproxy01: no certificate (it holds a key only)
`,
  ]);
});

test('a warning is broken at 80 columns and has no time', async (t) => {
  const file = join(shortFolder(t), 'a.pem');
  writeFileSync(file, 'x');
  const lost = Array.from({ length: 8 }, (_, at) => `name${at}.example.net`).join(', ');
  const pushCertificate: ControlVerbs['pushCertificate'] = (_act, report) => {
    report({ step: 'warning', text: `no longer covered: ${lost}`, tookMs: 0 });
    return Promise.resolve(emptyResult);
  };
  const { run } = await desk(t, { pushCertificate }, overTls('admin'));
  t.is(
    (await run(['cert', 'push', file])).stderr,
    `warning    no longer covered: name0.example.net, name1.example.net,
           name2.example.net, name3.example.net, name4.example.net,
           name5.example.net, name6.example.net, name7.example.net
`,
  );
});

test('verify is 0 where all is the same, 3 where it is not or a node is away; list is 0; 80 columns', async (t) => {
  const answers = [listed(SHA1), listed('ff'.repeat(20)), listed(SHA1, 'it does not answer')];
  const seen: unknown[] = [];
  for (const answer of answers) {
    const { run } = await desk(t, { certificates: () => Promise.resolve(answer) });
    const verify = await run(['cert', 'verify']);
    t.true(
      verify.stdout.split('\n').every((line) => line.length <= 80),
      verify.stdout,
    );
    seen.push([verify.code, (await run(['cert', 'list'])).code]);
  }
  t.deepEqual(seen, [
    [0, 0],
    [3, 0],
    [3, 0],
  ]);
});

test('a rollback names its certificates', async (t) => {
  const acts: unknown[] = [];
  const rollbackCertificates = ({ paths }: RollbackAct) => {
    acts.push(paths);
    return Promise.resolve(emptyResult);
  };
  const { run } = await desk(t, { rollbackCertificates }, overTls('admin'));
  t.is((await run(['cert', 'rollback', 'site', '/c/b.pem'])).code, 0);
  t.deepEqual(acts, [['site', '/c/b.pem']]);
});
