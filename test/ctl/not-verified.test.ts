import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ActResult } from '../../agent/core/results.ts';
import type { Certificates } from '../../agent/core/answers.ts';
import { shortFolder } from '../haproxy/haproxy.ts';
import { inspected } from '../reports.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, overTls } from './command.ts';

const SHA1 = 'cb8b9def9ea555b063d3fc0808fcf4c41eec3d7f';
const checks = [
  { listener: 'frontend web (:443)', servername: 'a.test', verified: true, reason: '' },
  {
    listener: 'frontend mtls (:8443)',
    servername: '',
    verified: false,
    reason: 'it wants a client certificate (tlsv13 alert certificate required)',
  },
];
const listenersJson = [
  { listener: 'frontend web (:443)', name: 'a.test', verified: true, reason: null },
  {
    listener: 'frontend mtls (:8443)',
    name: null,
    verified: false,
    reason: 'it wants a client certificate (tlsv13 alert certificate required)',
  },
];

const jsonOf = (stdout: string) =>
  JSON.parse(stdout) as { readonly result: { readonly certificates: readonly unknown[] } };

test('cert list and cert verify say which listener was not verified and why, and that is no finding', async (t) => {
  const answer: Certificates = {
    node: 'haproxy01',
    nodes: [
      {
        node: 'haproxy01',
        problem: '',
        certificates: [inspected(SHA1, { checks: checks.slice(0, 1) })],
      },
      { node: 'haproxy02', problem: '', certificates: [inspected(SHA1, { checks })] },
    ],
    intents: [],
  };
  const { run } = await desk(t, { certificates: () => Promise.resolve(answer) });
  const [list, verify, json] = [
    await run(['cert', 'list']),
    await run(['cert', 'verify']),
    await run(['cert', 'verify', '-o', 'json']),
  ];
  t.deepEqual([list.code, verify.code, json.code], [0, 0, 0]);
  for (const { stdout } of [list, verify]) {
    t.regex(
      stdout.replaceAll(/\n\s+/g, ' '),
      /haproxy02: site: not verified: frontend mtls \(:8443\): it wants a client certificate/,
    );
    t.notRegex(stdout, /haproxy01: site: not verified/);
  }
  t.like(jsonOf(json.stdout).result.certificates, [
    { node: 'haproxy01', verified: true, listeners: listenersJson.slice(0, 1) },
    { node: 'haproxy02', verified: false, listeners: listenersJson },
  ]);
});

test('cert push: verified and listeners of each certificate in JSON, null where an older agent does not say', async (t) => {
  const file = join(shortFolder(t), 'a.pem');
  writeFileSync(file, 'x');
  const row = {
    path: '/c/a.pem',
    fingerprintBefore: '',
    fingerprint: SHA1,
    notAfter: '2099-01-24T00:00:00Z',
    names: ['a.test'],
    outcome: 'swapped' as const,
  };
  const result: ActResult = {
    ...emptyResult,
    certificates: [
      { node: 'haproxy01', ...row },
      { node: 'haproxy02', ...row, checks },
    ],
  };
  const pushCertificate = () => Promise.resolve(result);
  const { run } = await desk(t, { pushCertificate }, overTls('admin'));
  const { code, stdout } = await run(['cert', 'push', file, '-o', 'json']);
  t.is(code, 0);
  t.like(jsonOf(stdout).result.certificates, [
    { node: 'haproxy01', verified: null, listeners: [] },
    { node: 'haproxy02', verified: false, listeners: listenersJson },
  ]);
});
