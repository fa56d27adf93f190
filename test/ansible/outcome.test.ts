import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ava from 'ava';
import { RISKS } from '../../agent/core/acts.ts';
import { VERSION } from '../../agent/version.ts';
import { envelopeText, type Envelope } from '../../ctl/json/envelope.ts';
import { certificatesResult } from '../../ctl/json/certificates.ts';
import { moveResult } from '../../ctl/json/moves.ts';
import { serversResult } from '../../ctl/json/servers.ts';
import { rowsOf, section } from '../ctl/json/page.ts';
import { calls, COLLECTION, pythonMissing } from './python.ts';

const test = pythonMissing() ? ava.skip : ava;
const SHARED = readFileSync(join(COLLECTION, 'plugins/module_utils/proxyctl.py'), 'utf8');

const told = (more: Partial<Envelope> = {}): string =>
  envelopeText({
    verb: 'drain',
    ok: true,
    changed: false,
    requestId: 'r1',
    answeredBy: 'haproxy01',
    tookMs: 1,
    result: null,
    nodes: [],
    error: null,
    ...more,
  });
const AWAY = {
  code: 'agent_unreachable',
  message: 'the agent on haproxy02 does not answer',
  cause: 'connection refused',
  remediation: 'on haproxy02: service proxyagent status',
  retryable: true,
};
const SAID = `${AWAY.message}; cause: ${AWAY.cause}; remedy: ${AWAY.remediation}`;

test('words go to proxyctl as options of their own, and a name never becomes one', async (t) => {
  const params = {
    context: 'web',
    reason: 'kernel update',
    accept_risk: ['last-server', 'peer-unknown'],
    wait: true,
    vhid: null,
    until: '2h',
  };
  t.deepEqual(
    await calls(
      ['command', 'drain', params, ['until', 'wait', 'vhid'], ['--dry-run', 'WEB'], false],
      ['command', 'cert push', { as: ['/a', '@s/b'], wait: false }, ['as', 'wait'], ['-'], true],
      ['command', 'failback', {}, ['vhid'], [], false],
    ),
    [
      [
        'drain',
        '--output=json',
        '--context=web',
        '--reason=kernel update',
        '--accept-risk=last-server',
        '--accept-risk=peer-unknown',
        '--until=2h',
        '--wait',
        '--',
        '--dry-run',
        'WEB',
      ],
      ['cert', 'push', '--output=json', '--as=/a', '--as=@s/b', '--dry-run', '--', '-'],
      ['failback', '--output=json'],
    ],
  );
});

test('changed is what proxyctl says, and in check mode exit 3', async (t) => {
  const of = (code: number, changed: boolean, check: boolean) =>
    ['outcome', 'drain', code, told({ changed }), '', check] as const;
  const all = await calls(
    of(0, true, false),
    of(0, false, false),
    of(3, false, true),
    of(0, false, true),
    of(3, false, false),
  );
  t.deepEqual(
    (all as { changed: boolean; failed?: boolean }[]).map((one) => [one.changed, one.failed]),
    [
      [true, undefined],
      [false, undefined],
      [true, undefined],
      [false, undefined],
      [false, true],
    ],
  );
});

test('a failure is one text with exit code, cause, remedy, and the nodes it is about', async (t) => {
  const row = (node: string, error?: typeof AWAY) => ({
    node,
    ok: error === undefined,
    changed: true,
    ...(error === undefined ? {} : { error }),
  });
  const stdout = told({
    ok: false,
    changed: true,
    nodes: [row('haproxy01'), row('haproxy02', AWAY)],
    incomplete: ['nodes'],
  });
  const text = `proxyctl drain, exit 6: it is done on some nodes only, or in force and not finished; haproxy02: ${SAID}; incomplete: nodes; in a task: accept_incomplete, where the play may go on all the same`;
  const [refused, accepted, other] = (await calls(
    ['outcome', 'drain', 6, stdout, '', false, []],
    ['outcome', 'drain', 6, stdout, '', false, ['nodes']],
    ['outcome', 'drain', 6, stdout, '', false, ['sessions']],
  )) as Record<string, unknown>[];
  t.like(refused, { failed: true, changed: true, exit_code: 6, msg: text, incomplete: ['nodes'] });
  t.is(accepted?.['failed'], undefined);
  t.like(accepted, { changed: true, exit_code: 6, warnings: [text] });
  t.like(other, { failed: true });
  const [once] = (await calls([
    'outcome',
    'failover',
    10,
    told({ ok: false, error: AWAY, nodes: [row('haproxy02', AWAY)] }),
    '',
  ])) as { msg: string }[];
  t.is(once?.msg, `proxyctl failover, exit 10: ${SAID}`);
});

test('what is no answer of proxyctl is a failure that shows it, not all of it', async (t) => {
  const seen = (await calls(
    ['outcome', 'drain', 127, '', 'env: node: not found\n'],
    ['outcome', 'drain', 0, '{"schema":"proxyctl/v9"}', ''],
    ['outcome', 'drain', 1, 'x'.repeat(5000), ''],
  )) as { failed: boolean; changed: boolean; msg: string }[];
  t.deepEqual(
    seen.map(({ failed, changed, msg }) => [failed, changed, msg.length < 800]),
    seen.map(() => [true, false, true]),
  );
  t.is(
    seen[0]?.msg,
    'proxyctl drain, exit 127, printed no proxyctl/v1 answer but: env: node: not found; remedy: look whether `proxyctl status -o json` works on this machine as this user',
  );
});

test('the diff has before and after of every server, address and certificate', async (t) => {
  const address = {
    address: '1@wan',
    vhid: 1,
    vips: [],
    from: 'haproxy01',
    to: 'haproxy02',
    darkMsMax: null,
    sessions: null,
    pin: null,
  };
  const server = { instance: '', backend: 'WEB', server: 'web1', sessions: 3 };
  const certificate = {
    path: '/c/site.pem',
    fingerprintBefore: 'aa',
    fingerprint: 'bb',
    notAfter: '',
    names: [],
    checks: [],
  };
  const results = [
    serversResult({
      servers: [
        { ...server, node: 'haproxy01', before: 'ready', after: 'drain' },
        { ...server, node: 'haproxy02', before: 'drain', after: 'drain' },
      ],
    }),
    moveResult({
      addresses: [
        { ...address, outcome: 'moved' },
        { ...address, address: '2@wan', from: '', outcome: 'would-move' },
        { ...address, address: '3@wan', from: 'haproxy02', outcome: 'unpinned' },
        { ...address, address: '4@wan', from: 'haproxy02', outcome: 'already' },
      ],
    }),
    certificatesResult({
      certificates: [
        { ...certificate, node: 'haproxy01', outcome: 'swapped' },
        { ...certificate, node: 'haproxy02', fingerprintBefore: '', outcome: 'would-swap' },
        { ...certificate, node: 'haproxy03', outcome: 'rolled-back' },
      ],
    }),
    { conditions: ['serving'], waited_ms: 1 },
    null,
  ];
  t.deepEqual(await calls(...results.map((one) => ['difference', one] as const)), [
    {
      before: 'haproxy01 WEB/web1: ready\nhaproxy02 WEB/web1: drain\n',
      after: 'haproxy01 WEB/web1: drain\nhaproxy02 WEB/web1: drain\n',
    },
    {
      before: '1@wan: haproxy01\n2@wan: no node\n3@wan: haproxy02, pinned\n4@wan: haproxy02\n',
      after: '1@wan: haproxy02\n2@wan: haproxy02\n3@wan: haproxy02\n4@wan: haproxy02\n',
    },
    {
      before:
        'haproxy01 /c/site.pem: aa\nhaproxy02 /c/site.pem: absent\nhaproxy03 /c/site.pem: aa\n',
      after: 'haproxy01 /c/site.pem: bb\nhaproxy02 /c/site.pem: bb\nhaproxy03 /c/site.pem: aa\n',
    },
    { before: '', after: '' },
    { before: '', after: '' },
  ]);
});

ava('the collection has the words of docs/json.md, the risks, and the version of proxyctl', (t) => {
  const table = SHARED.slice(SHARED.indexOf('EXITS'), SHARED.indexOf('HINTS'));
  const codes = [...table.matchAll(/^ {4}(\d+): /gm)].map(([, code]) => code);
  const [first = ''] = section('Exit codes').split('`incomplete`', 1);
  const documented = [...first.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code);
  t.deepEqual(['0', ...codes], documented);
  const words = (text: string): string[] =>
    [...text.matchAll(/"([a-z-]+)"/g)].map(([, one = '']) => one);
  const choices = [...SHARED.matchAll(/"choices": \[([^\]]*)\]/g)].map(([, one = '']) =>
    words(one),
  );
  const incomplete = rowsOf('Exit codes').map(([word]) => word);
  t.deepEqual(choices, [[...RISKS], ['nodes', 'sessions', 'checks', 'addresses']]);
  for (const word of choices[1] ?? []) t.true(incomplete.includes(word), word);
  t.regex(
    readFileSync(join(COLLECTION, 'galaxy.yml'), 'utf8'),
    new RegExp(`^version: ${VERSION}$`, 'm'),
  );
});
