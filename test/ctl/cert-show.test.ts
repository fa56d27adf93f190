import test from 'ava';
import type { InspectedCertificate } from '../../agent/core/answers.ts';
import { desk, envelope } from './command.ts';

const certificate = (name: string, names: readonly string[]): InspectedCertificate => ({
  name,
  path: name,
  memory: 'aa11',
  disk: 'aa11',
  served: null,
  sha256: null,
  notAfter: '2020-01-01T00:00:00Z',
  names,
  problem: '',
  previous: null,
  renewal: '',
  issuer: 'R11',
});
const found = {
  node: 'haproxy01',
  intents: [],
  nodes: ['haproxy01', 'haproxy02'].map((node) => ({
    node,
    problem: '',
    certificates: [
      certificate('/ssl/www.pem', ['www.example.net', 'example.net']),
      certificate('/ssl/git.pem', ['git.example.net']),
    ],
  })),
};

test('cert show: one certificate by path or by a name it covers, with names and issuer', async (t) => {
  const { run } = await desk(t, { certificates: () => Promise.resolve(found) });
  const byPath = await run(['cert', 'show', '/ssl/www.pem']);
  t.is(byPath.code, 0);
  t.regex(
    byPath.stdout,
    /^\/ssl\/www\.pem on haproxy01\n {2}file {5}\/ssl\/www\.pem\n {2}names {4}www\.example\.net, example\.net\n {2}issuer {3}R11\n/,
  );
  t.notRegex(byPath.stdout, /git/);
  t.deepEqual((await run(['cert', 'show', 'EXAMPLE.net'])).stdout, byPath.stdout);
  t.like(envelope((await run(['cert', 'show', 'git.example.net', '--json'])).stdout), {
    verb: 'cert show',
    result: { certificates: [{ name: '/ssl/git.pem', issuer: 'R11' }, { node: 'haproxy02' }] },
  });
  const none = await run(['cert', 'show', 'nowhere']);
  t.is(none.code, 8);
  t.regex(none.stderr, /there are \/ssl\/www\.pem, \/ssl\/git\.pem/);
});

test('cert list tells what each covers and who issued it, once for both nodes', async (t) => {
  const { run } = await desk(t, { certificates: () => Promise.resolve(found) });
  const lines = (await run(['cert', 'list'])).stdout.split('\n');
  t.deepEqual(
    lines.filter((line) => line.includes('issued by')),
    [
      '/ssl/git.pem: git.example.net, issued by R11',
      '/ssl/www.pem: www.example.net, example.net, issued by R11',
    ],
  );
});
