import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_AUTH, TOKEN } from '../acme/tokens.ts';
import { proxyctl, ran } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { held } from './port-holder.ts';
import { asked, calm, eventually, exitOf, fault, nodeAt, scene } from './scene.ts';

const { test, lab } = scene();

const PATH = `/.well-known/acme-challenge/${TOKEN}`;
const present = ['acme', 'present', TOKEN, KEY_AUTH, '--domain', 'www.example.net'];

/** Asks each URL in turn, and prints what came: the body, or the status where it is not 200. */
const ASK = `const { get } = require('node:http');
const one = (url) => new Promise((resolve, reject) => get(url, { agent: false }, (answer) => {
  let text = '';
  answer.on('data', (chunk) => (text += chunk));
  answer.on('end', () => resolve(answer.statusCode === 200 ? text : String(answer.statusCode)));
}).on('error', reject));
(async () => {
  const answers = [];
  for (const url of process.argv.slice(1)) answers.push(await one(url));
  process.stdout.write(JSON.stringify(answers));
})();`;

/** What the CA's place gets from addresses of the lab, one after the other. */
async function fetchedFrom(hosts: readonly string[]): Promise<string[]> {
  const urls = hosts.map((host) => `http://${host.includes(':') ? `[${host}]` : host}${PATH}`);
  const argv = inside(lab(), 'client', [process.execPath, '-e', ASK, ...urls]);
  const { code, stdout, stderr } = await ran(argv);
  return code === 0 ? (JSON.parse(stdout) as string[]) : [stderr.trim()];
}

const fetched = async (host: string): Promise<string> => (await fetchedFrom([host])).join();

/** Every address a CA may arrive at: both hosts' own, and the shared ones, in both families. */
const everyAddress = (): string[] => [
  ...lab().nodes.flatMap(({ address4, address6 }) => [address4, address6]),
  lab().vip4,
  lab().vip6,
];

/** Six questions at each address, alternately: HAProxy takes its two servers in turn. */
const everywhere = async (): Promise<string[]> => [
  ...new Set(await fetchedFrom(Array.from({ length: 6 }, everyAddress).flat())),
];

test('a presented token is answered by either host over IPv4 and IPv6, every time', async (t) => {
  await eventually("HAProxy's checks found the responders", async () =>
    (await everywhere()).every((one) => one === '404'),
  );
  const first = await asked(lab(), ...present);
  t.like(first, {
    code: 0,
    json: { ok: true, changed: true, result: { token: TOKEN, domain: 'www.example.net' } },
  });
  t.deepEqual(await everywhere(), [KEY_AUTH]);
  t.like(await asked(lab(), ...present), { code: 0, json: { ok: true, changed: false } });
});

test('acme list shows the token on either node, its answer nowhere, and cleanup ends it', async (t) => {
  for (const node of lab().nodes) {
    const { stdout } = await proxyctl(lab(), ['acme', 'list', '--context', node.name]);
    const [head, row, ...rest] = stdout.trimEnd().split('\n');
    t.deepEqual(head?.split(/ +/), ['TOKEN', 'FOR', 'BY', 'UNTIL']);
    t.regex(row ?? '', /^eva\S+ +www\.example\.net +\S+ +(?:\d{4}-\d\d-\d\d )?\d\d:\d\d$/);
    t.deepEqual(rest, []);
    const status = await proxyctl(lab(), ['status', '-o', 'json', '--context', node.name]);
    t.false(`${stdout}${status.stdout}`.includes(KEY_AUTH.slice(-20)));
  }
  t.is(await exitOf(lab(), 'acme', 'cleanup', TOKEN), 0);
  t.like(await asked(lab(), 'acme', 'cleanup', TOKEN), { code: 0, json: { changed: false } });
  t.deepEqual(await everywhere(), ['404']);
  for (const node of lab().nodes)
    t.false(readFileSync(node.log, 'utf8').includes(KEY_AUTH.slice(-20)), node.name);
});

test('certbot gives token and answer in its environment', async (t) => {
  const variables = { CERTBOT_TOKEN: TOKEN, CERTBOT_VALIDATION: KEY_AUTH };
  const shell = (verb: string) =>
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}`)
      .concat(`${lab().runtime}/bin/proxyctl`, 'acme', verb);
  const env = { ...process.env, PROXYCTL_CONFIG: lab().proxyctl_config };
  t.like(await ran(['env', ...shell('present')], env), { code: 0 });
  t.is(await fetched(lab().vip6), KEY_AUTH);
  t.like(await ran(['env', ...shell('cleanup')], env), { code: 0 });
  t.is(await fetched(lab().vip6), '404');
});

test('a token in the webroot of one host is answered by both, until the file is gone', async (t) => {
  const folder = join(nodeAt(lab(), 1).agent_config, '../webroot/.well-known/acme-challenge');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, TOKEN), KEY_AUTH);
  t.deepEqual(await everywhere(), [KEY_AUTH]);
  rmSync(join(folder, TOKEN));
  t.deepEqual(await everywhere(), ['404']);
});

test('a dry run, and what is no token: 3 and 2, and nothing is stored', async (t) => {
  t.is(await exitOf(lab(), ...present, '--dry-run'), 3);
  t.is(await exitOf(lab(), 'acme', 'cleanup', TOKEN, '--dry-run'), 0);
  t.is(await exitOf(lab(), 'acme', 'present', 'short', KEY_AUTH), 2);
  t.is(await exitOf(lab(), 'acme', 'present', TOKEN, `${KEY_AUTH}x`), 2);
  t.is(await exitOf(lab(), 'acme', 'present'), 2);
  t.deepEqual(await everywhere(), ['404']);
});

test("the peer's agent is away: exit 6, this node answers, and the other catches up", async (t) => {
  const second = nodeAt(lab(), 1);
  await fault(lab(), 'kill-agent', 'on', second);
  try {
    await eventually('it is missed', async () => (await exitOf(lab(), 'status', '--check')) === 3);
    const { code, json } = await asked(lab(), ...present);
    t.like(json, { ok: false, changed: true });
    t.deepEqual(
      [code, json.nodes.map(({ node, ok, error }) => [node, ok, error?.code])],
      [
        6,
        [
          ['haproxy01', true, undefined],
          ['haproxy02', false, 'agent_unreachable'],
        ],
      ],
    );
    t.is(await fetched(nodeAt(lab(), 0).address6), KEY_AUTH);
  } finally {
    await fault(lab(), 'kill-agent', 'off', second);
  }
  await calm(lab());
  await eventually('the other answers too', async () =>
    (await everywhere()).every((one) => one === KEY_AUTH),
  );
  t.like(await asked(lab(), ...present), { code: 0, json: { ok: true, changed: false } });
  t.is(await exitOf(lab(), 'acme', 'cleanup', TOKEN), 0);
});

test("something else holds the agent's ::1 port: present says which node, why and what to do", async (t) => {
  const second = nodeAt(lab(), 1);
  await fault(lab(), 'kill-agent', 'on', second);
  const holder = await held(inside(lab(), second.name, []), '::1', 7661);
  try {
    await fault(lab(), 'kill-agent', 'off', second);
    await eventually('an alert', async () => {
      const { stdout } = await proxyctl(lab(), ['status', '-o', 'json']);
      return stdout.includes('the ACME responder does not run: cannot listen on [::1]:7661');
    });
    const { code, stdout, stderr } = await proxyctl(lab(), present);
    t.deepEqual(
      { code, stdout, stderr },
      {
        code: 1,
        stdout: '',
        stderr: `proxyctl: not presented: the ACME responder on haproxy02 does not answer
  cause   it cannot listen on [::1]:7661: the port is taken (EADDRINUSE)
  do      on haproxy02: sockstat -l -p 7661 shows the holder; retried every 5 s
`,
      },
    );
    t.deepEqual((await proxyctl(lab(), ['acme', 'list'])).stdout, '');
  } finally {
    await holder.end();
  }
  await calm(lab());
  t.is(await exitOf(lab(), ...present), 0);
  await eventually("HAProxy's checks found the responder again", async () =>
    (await everywhere()).every((one) => one === KEY_AUTH),
  );
  t.is(await exitOf(lab(), 'acme', 'cleanup', TOKEN), 0);
});
