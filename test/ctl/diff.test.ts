import test from 'ava';
import type { Certificates, InspectedCertificate } from '../../agent/core/answers.ts';
import { certificateDifferences } from '../../agent/core/certs/certificate-diff.ts';
import { inspected } from '../reports.ts';
import { desk, envelope } from './command.ts';

const [A, B] = ['aa'.repeat(20), 'bb'.repeat(20)];
const site = inspected(A);
type Row = Certificates['nodes'][number];
const node = (name: string, certificates: readonly InspectedCertificate[], problem = ''): Row => ({
  node: name,
  problem,
  certificates,
});
const where = (...nodes: readonly Row[]) =>
  certificateDifferences(nodes).map((one) => [one.name, one.where]);

test('disk, memory and served are compared between the nodes, whatever the path of each', (t) => {
  const first = node('haproxy01', [site]);
  const second = (change: Partial<InspectedCertificate>) =>
    node('haproxy02', [{ ...site, path: '/d/site.pem', ...change }]);
  t.deepEqual(where(first, second({})), []);
  t.deepEqual(where(first, second({ disk: B })), [['site', ['disk']]]);
  t.deepEqual(where(first, second({ sha256: 'y' })), [['site', ['bundle']]]);
  t.deepEqual(where(first, second({ memory: B, served: B })), [['site', ['memory', 'served']]]);
  t.deepEqual(where(first, second({ served: null, problem: 'refused' })), [
    ['site', ['served', 'unread']],
  ]);
});

test('of three nodes one without the certificate is named; one that is away is not compared', (t) => {
  const nodes = [node('a', [site]), node('b', []), node('c', [], 'it does not answer')];
  t.deepEqual(certificateDifferences(nodes), [
    {
      name: 'site',
      where: ['missing'],
      nodes: [
        { node: 'a', has: site },
        { node: 'b', has: null },
      ],
    },
  ]);
});

test('of one node alone nothing differs', (t) => {
  t.deepEqual(where(node('a', [site]), node('b', [], 'it does not answer')), []);
});

const answer = (second: Row): Certificates => ({
  node: 'haproxy01',
  nodes: [node('haproxy01', [site]), second],
  intents: [],
});
const SAME = answer(node('haproxy02', [site]));
const OTHER = answer(node('haproxy02', [{ ...site, disk: B }]));
const AWAY = answer(node('haproxy02', [], 'the agent on haproxy02 does not answer'));

test('the screen and the exit code: the same 0, something differs or a node is away 3', async (t) => {
  const seen: unknown[] = [];
  for (const certificates of [SAME, OTHER, AWAY]) {
    const { run } = await desk(t, { certificates: () => Promise.resolve(certificates) });
    const { code, stdout, stderr } = await run(['diff', 'certificates']);
    seen.push([code, stdout, stderr]);
  }
  t.deepEqual(seen, [
    [0, 'certificates: 1 the same on haproxy01, haproxy02\n', ''],
    [
      3,
      `certificates: 1 of 1 differ between haproxy01, haproxy02

site: disk
  NODE       DISK          MEMORY        CLIENT        ENDS
  haproxy01  aaaaaaaaaaaa  aaaaaaaaaaaa  aaaaaaaaaaaa  2099-01-24
  haproxy02  bbbbbbbbbbbb  aaaaaaaaaaaa  aaaaaaaaaaaa  2099-01-24
`,
      '',
    ],
    [
      3,
      `not compared   haproxy02: the agent on haproxy02 does not answer
certificates: nothing to compare, only haproxy01 answered
`,
      '',
    ],
  ]);
});

test('json: what differs, a value a node; another subject is usage', async (t) => {
  const { run } = await desk(t, { certificates: () => Promise.resolve(OTHER) });
  const { code, stdout } = await run(['diff', '-o', 'json']);
  const row = { path: '/c/site.pem', memory: A, served: A, not_after: site.notAfter };
  t.is(code, 3);
  t.deepEqual(envelope(stdout), {
    schema: 'proxyctl/v1',
    verb: 'diff',
    ok: true,
    changed: false,
    request_id: 'ID',
    answered_by: 'haproxy01',
    took_ms: 'N',
    result: {
      certificates: [
        {
          name: 'site',
          where: ['disk'],
          nodes: [
            { node: 'haproxy01', ...row, disk: A, problem: null },
            { node: 'haproxy02', ...row, disk: B, problem: null },
          ],
        },
      ],
    },
    nodes: ['haproxy01', 'haproxy02'].map((name) => ({ node: name, ok: true, changed: false })),
  });
  t.is((await run(['diff', 'keys'])).code, 2);
});
