import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { PushAct, RollbackAct } from '../../agent/core/acts.ts';
import type { Certificates } from '../../agent/core/certificate-acts.ts';
import { shortFolder } from '../haproxy/haproxy.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, overTls } from './command.ts';

const SHA1 = 'cb8b9def9ea555b063d3fc0808fcf4c41eec3d7f';
const one = {
  name: 'site',
  path: '/c/site.pem',
  memory: SHA1,
  disk: SHA1,
  served: SHA1,
  sha256: 'x',
  notAfter: '2099-01-24T00:00:00Z',
  names: ['www.example.net'],
  problem: '',
  previous: null,
  renewal: '',
};
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
  ];
  const codes: number[] = [];
  for (const line of lines) codes.push((await run(['cert', ...line], { stdin: '' })).code ?? -1);
  t.deepEqual(codes, [0, 0, 0, 2, 2, 2]);
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
  ]);
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
