import test from 'ava';
import type { ChallengeAct } from '../../agent/core/acts.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { KEY_AUTH, TOKEN } from '../acme/tokens.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, envelope, overTls } from './command.ts';
import { intentOf, statusOf } from './statuses.ts';

const DASHED = `-${TOKEN.slice(1)}`;
const dashedAnswer = DASHED + KEY_AUTH.slice(TOKEN.length);

test('present and cleanup carry token, answer and domain; a token may begin with a dash', async (t) => {
  const { run, server } = await desk(t, {}, overTls('operator'));
  const codes = [
    await run(['acme', 'present', TOKEN, KEY_AUTH, '--domain', 'www.example.net']),
    await run(['acme', 'present', '--', DASHED, dashedAnswer]),
    await run(['acme', 'cleanup', '--reason', 'done', TOKEN]),
    await run(['acme', 'present'], {
      env: { CERTBOT_TOKEN: TOKEN, CERTBOT_VALIDATION: KEY_AUTH, CERTBOT_DOMAIN: 'certbot.net' },
    }),
    await run(['acme', 'cleanup'], { env: { CERTBOT_TOKEN: DASHED } }),
  ];
  t.deepEqual(
    codes,
    codes.map(() => ({ code: 0, stdout: '', stderr: '' })),
  );
  const acts = server.heard.items.flatMap((one) => (one.kind === 'act' ? [one.act] : []));
  t.deepEqual(
    (acts as ChallengeAct[]).map(({ token, keyAuthorization, domain }) => [
      token,
      keyAuthorization,
      domain,
    ]),
    [
      [TOKEN, KEY_AUTH, 'www.example.net'],
      [DASHED, dashedAnswer, ''],
      [TOKEN, null, ''],
      [TOKEN, KEY_AUTH, 'certbot.net'],
      [DASHED, null, ''],
    ],
  );
});

test('what is no token, or no answer to it, is 2 before anybody is asked', async (t) => {
  const { run, server } = await desk(t);
  t.deepEqual(await run(['acme', 'present', TOKEN, `${TOKEN}.short`]), {
    code: 2,
    stdout: '',
    stderr: `proxyctl: the key authorization does not belong to the token
  cause   it is TOKEN, a dot and the 43 characters of the account key
  do      give what the client hands its hook, such as CERTBOT_VALIDATION
`,
  });
  t.deepEqual(await run(['acme', 'cleanup']), {
    code: 2,
    stdout: '',
    stderr: `proxyctl: TOKEN is missing
  do      give it, or run it as a hook of certbot, which sets CERTBOT_TOKEN
`,
  });
  t.is((await run(['acme', 'present', TOKEN])).code, 2);
  t.deepEqual(server.heard.items, []);
});

test('a viewer lists tokens and does not present: 4; already presented is said', async (t) => {
  const viewer = await desk(t, {}, overTls('viewer'));
  t.is((await viewer.run(['acme', 'list'])).code, 0);
  t.is((await viewer.run(['acme', 'present', TOKEN, KEY_AUTH])).code, 4);
  const same = () => Promise.resolve({ ...emptyResult, changed: false });
  const { run } = await desk(t, { setChallenge: same });
  t.is((await run(['acme', 'present', TOKEN, KEY_AUTH])).stderr, 'already presented\n');
  t.is((await run(['acme', 'cleanup', TOKEN])).stderr, 'already gone\n');
});

test('the list: a table within 80 columns, JSON with times, and a sentence for none', async (t) => {
  const stamp = { wallMs: Date.parse('2026-03-01T10:00:00Z'), count: 0, node: 'haproxy01' };
  const token = intentOf({
    key: `acme/${TOKEN}`,
    value: 'presented',
    stamp,
    reason: 'www.a-rather-long-name-of-a-site.example.net',
    untilWallMs: Date.now() + 1_800_000,
  });
  const status = statusOf({ intents: [token, intentOf()] });
  const { run } = await desk(t, { status: () => Promise.resolve(status) });
  const { stdout } = await run(['acme', 'list']);
  const lines = stdout.trimEnd().split('\n');
  t.deepEqual(
    [lines.length, lines.every((line) => line.length <= 80), lines[0]?.split(/ +/)],
    [2, true, ['TOKEN', 'FOR', 'BY', 'UNTIL']],
  );
  const json = envelope((await run(['acme', 'list', '-o', 'json'])).stdout) as {
    readonly result: { readonly tokens: readonly Record<string, unknown>[] };
  };
  t.like(json, { verb: 'acme list', ok: true, changed: false, answered_by: 'haproxy01' });
  const [first, ...rest] = json.result.tokens;
  t.like(first, { token: TOKEN, actor: 'anna', since: '2026-03-01T10:00:00.000Z' });
  t.deepEqual(Object.keys(first ?? {}), ['token', 'actor', 'reason', 'since', 'until']);
  t.deepEqual(rest, []);
  const none = await desk(t, { status: () => Promise.resolve(statusOf()) });
  const said = { code: 0, stdout: '', stderr: 'no token is presented\n' };
  t.deepEqual(await none.run(['acme', 'list']), said);
});

test('a refusal in JSON names token and domain nowhere, only what is wrong', async (t) => {
  const detail = {
    code: 'responder_wrong',
    message: 'not presented: the ACME responder on haproxy02 does not answer',
    cause: '[::1]:7661: no answer within 2 s',
    remediation: 'on haproxy02: sockstat -l -p 7661 shows who has the port',
    retryable: true,
  };
  const { run } = await desk(t, {
    setChallenge: () => Promise.reject(new ActFailure('failed', detail)),
  });
  const { code, stdout } = await run(['acme', 'present', TOKEN, KEY_AUTH, '--json']);
  t.is(code, 1);
  t.like(envelope(stdout), {
    verb: 'acme present',
    ok: false,
    changed: false,
    result: null,
    error: { ...detail, request_id: 'ID' },
  });
});
