import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ControlService } from '../../proto/gen/services.ts';
import { proxyctl } from '../lab/client.ts';
import { newSite } from '../lab/certificates.ts';
import { clientOf, collect } from '../rpc/world.ts';
import { asked, asAtFirst, eventually, exitOf, fault, nodeAt, scene } from './scene.ts';
import { filed } from './swaps.ts';

const { test, lab } = scene();

interface Entry {
  readonly node: string;
  readonly event: string;
  readonly what: string;
  readonly who: {
    readonly how: string;
    readonly name: string | null;
    readonly role: string | null;
    readonly serial: string | null;
    readonly socket: string | null;
    readonly uid: number | null;
  } | null;
  readonly from: string | null;
  readonly claimed: string | null;
  readonly reason: string | null;
  readonly request_id: string | null;
  readonly objects: readonly string[];
  readonly asked: readonly { readonly actor: string; readonly request_id: string | null }[];
  readonly outcome: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly nodes: readonly { readonly node: string; readonly ok: boolean }[];
}

/** What `proxyctl audit` has of both nodes, asked at one. */
async function recorded(...args: readonly string[]): Promise<readonly Entry[]> {
  const { code, json } = await asked(lab(), 'audit', '--limit', '0', ...args);
  if (code !== 0) throw new Error(`audit: ${code} ${JSON.stringify(json.nodes)}`);
  return (json.result?.['entries'] as readonly Entry[] | undefined) ?? [];
}

/** Runs proxyctl from the client over TLS with the certificate NAME.pem of the lab. */
async function as(name: string, ...args: readonly string[]): Promise<number> {
  const { runtime, nodes } = lab();
  const agents = nodes.map((node) => `${node.name} = "${node.address4}:7660"`).join(', ');
  const config = join(runtime, `${name}.toml`);
  writeFileSync(
    config,
    `[contexts.tls]\nagents = { ${agents} }\nca = "ca.pem"\ncert = "${name}.pem"\nkey = "${name}.key"\n`,
  );
  return (await proxyctl(lab(), [...args, '--config', config], 'client')).code;
}

const logs = (): string[] => lab().nodes.map(({ log }) => join(dirname(log), 'proxyctl-audit.log'));

test('a drain over TLS is anna on the node that acted, and that node with her name on the other', async (t) => {
  const drain = ['drain', 'WEB/web1', '--reason', 'new disk', '--request-id', 'drain-1'];
  t.is(await as('operator', ...drain), 0);
  const entries = (await recorded()).filter(
    ({ event, request_id: id, asked: acts }) =>
      // By gossip it may come a moment before it is asked for.
      event !== 'learnt' && (id === 'drain-1' || acts.some((one) => one.request_id === 'drain-1')),
  );
  const [first, second] = lab().nodes.map(({ name }) => name);
  t.deepEqual(
    entries
      .map(({ node, event, what, who, objects, outcome }) => [
        node,
        event,
        what,
        `${who?.how} ${who?.name} ${who?.role}`,
        objects,
        outcome,
      ])
      .sort(),
    [
      [first, 'begun', 'servers', 'certificate anna admin', ['WEB/web1'], null],
      [first, 'ended', 'servers', 'certificate anna admin', ['WEB/web1'], 'reached'],
      ...['begun', 'ended'].map((event) => [
        second,
        event,
        'store intents',
        `certificate ${first} node`,
        ['server//WEB/web1'],
        event === 'begun' ? null : 'reached',
      ]),
    ],
  );
  const [begun] = entries;
  t.like(begun, { reason: 'new disk', event: 'begun' });
  t.regex(begun?.from ?? '', /:\d+$/);
  t.regex(begun?.who?.serial ?? '', /^[0-9A-F]+$/);
  t.deepEqual(
    entries.filter(({ node }) => node === second).map(({ asked: acts }) => acts),
    [1, 2].map(() => [{ actor: 'anna', request_id: 'drain-1' }]),
  );
  t.is(await as('operator', 'ready', 'WEB/web1'), 0);
});

test('over the socket nobody is anna, whatever is claimed', async (t) => {
  const { agent_socket: path } = nodeAt(lab(), 1);
  const { setServers } = ControlService;
  const client = clientOf(t, `unix:${path}`, null, null);
  const header = { requestId: 'claim-1', actor: 'anna', reason: 'as anna' };
  const { error } = await collect(
    client.makeServerStreamRequest(
      setServers.path,
      setServers.requestSerialize,
      setServers.responseDeserialize,
      { header, targets: ['WEB/web2'], state: 1 },
    ),
  );
  t.is(error, null);
  const claims = (await recorded('--who', 'anna')).filter(({ request_id: id }) => id === 'claim-1');
  t.deepEqual(
    claims.map(({ event, node, claimed, who }) => [event, node, claimed, who]),
    ['begun', 'ended'].map((event) => [
      event,
      nodeAt(lab(), 1).name,
      'anna',
      {
        how: 'socket',
        name: null,
        role: 'admin',
        serial: null,
        socket: path,
        uid: null,
        pid: null,
      },
    ]),
  );
});

test('a viewer who is refused, one whose certificate was revoked, and the revocation', async (t) => {
  t.is(await as('viewer', 'drain', 'WEB/web1'), 4);
  t.is(await as('gone', 'status'), 0);
  t.is(await exitOf(lab(), 'pki', 'publish', join(lab().runtime, 'gone.crl')), 0);
  t.is(await as('gone', 'status'), 10);
  const entries = await recorded('--since', '1h');
  const refused = entries.find(({ event, who }) => event === 'refused' && who?.name === 'vera');
  t.like(refused, { what: 'servers', who: { role: 'viewer' }, code: 'role_too_low' });
  const revoked = entries.filter(({ event }) => event === 'revoked');
  t.deepEqual(
    revoked.map(({ node }) => node).sort(),
    lab().nodes.map(({ name }) => name),
  );
  const cut = entries.find(
    ({ event, message }) => event === 'handshake' && message === 'its certificate was revoked',
  );
  t.is(cut?.who, null);
  t.regex(cut?.from ?? '', /^10\./);
});

test('no key is on record after a push', async (t) => {
  const pem = await newSite(70);
  t.is(await exitOf(lab(), 'cert', 'push', filed(lab(), pem)), 0);
  const pushes = (await recorded()).filter(({ what }) => what === 'certificates');
  t.deepEqual(
    pushes.map(({ event, outcome }) => [event, outcome]),
    [
      ['begun', null],
      ['ended', 'reached'],
    ],
  );
  const secrets = [pem, readFileSync(join(lab().runtime, 'operator.key'), 'utf8')]
    .flatMap((text) => /PRIVATE KEY-----\n([^-]+)-/.exec(text)?.[1]?.split('\n') ?? [])
    .filter((line) => line.length > 20);
  t.true(secrets.length >= 2);
  for (const path of logs()) {
    const text = readFileSync(path, 'utf8');
    t.deepEqual(
      secrets.filter((line) => text.includes(line)),
      [],
    );
    t.false(text.includes('BEGIN'));
  }
});

test('an agent that is away is said, exit 6; back again, its start and what it learns are on record', async (t) => {
  await fault(lab(), 'kill-agent', 'on', nodeAt(lab(), 1));
  try {
    t.is(await exitOf(lab(), 'drain', 'WEB/web3', '--context', nodeAt(lab(), 0).name), 6);
    await eventually('it is missed', async () => {
      const { code, json } = await asked(lab(), 'audit', '--context', nodeAt(lab(), 0).name);
      return code === 6 && json.nodes.some(({ ok }) => !ok);
    });
  } finally {
    await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), 1));
  }
  await eventually('it is back', async () => (await asked(lab(), 'audit')).code === 0);
  const started = (await recorded()).filter(
    ({ event, node }) => event === 'started' && node === nodeAt(lab(), 1).name,
  );
  t.is(started.length, 2);
  await eventually('what it learns of the drain is on record', async () =>
    (await recorded()).some(
      ({ event, node, objects }) =>
        event === 'learnt' &&
        node === nodeAt(lab(), 1).name &&
        objects.includes('server//WEB/web3'),
    ),
  );
  t.is(await exitOf(lab(), 'ready', 'WEB/web3'), 0);
  await asAtFirst(lab());
});
