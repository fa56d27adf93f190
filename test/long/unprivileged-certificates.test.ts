import { spawnSync } from 'node:child_process';
import { chownSync, chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ava from 'ava';
import { issue, bundle } from '../certs/bundles.ts';
import { canGiveRootUp } from '../lab/accounts.ts';
import { newSite, sha1Of, SITE_NAMES } from '../lab/certificates.ts';
import { proxyctl, served } from '../lab/client.ts';
import { missing, startPebble, type Pebble } from '../lab/pebble.ts';
import { asAtFirst, calm, eventually, exitOf, fault, nodeAt, scene } from '../pair/scene.ts';

// The agents of this lab become nobody; the certificate files are root's, 0600.
const needed = missing('pebble', 'pebble-challtestsrv');
const { test: labTest, lab } = canGiveRootUp()
  ? scene({ user: 'nobody' })
  : { test: null, lab: scene().lab };
const test = labTest ?? ava.serial.skip;
const issuingTest = needed.length > 0 ? ava.serial.skip : test;

const first = () => nodeAt(lab(), 0);
const second = () => nodeAt(lab(), 1);
const accountKey = (at: number): string => join(nodeAt(lab(), at).state_dir, 'acme-account.key');
const id = (flag: string): number =>
  Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);

/** The issuer looks every 5 s, and the address has to be there for 30. */
const LONG_MS = 100_000;
let pebble: Pebble | null = null;
ava.serial.after.always('pebble is down', async () => pebble?.end());

/** What a node has: the file's certificate, its owner and mode, and what clients get. */
const has = async (at: number) => {
  const { cert_path: path, address4 } = nodeAt(lab(), at);
  const { uid, gid, mode } = statSync(path);
  const disk = sha1Of(readFileSync(path, 'utf8'));
  return { disk, served: await served(lab(), address4), owner: [uid, gid, mode & 0o777] };
};
const rootsOwn = (pem: string) => ({
  disk: sha1Of(pem),
  served: sha1Of(pem),
  owner: [0, 0, 0o600],
});

function filed(pem: string): string {
  const path = join(lab().runtime, 'pushed.pem');
  writeFileSync(path, pem, { mode: 0o600 });
  return path;
}

const alert = async (text: string): Promise<boolean> =>
  (await proxyctl(lab(), ['status'])).stdout.replaceAll(/\s+/g, ' ').includes(text);

test('a node that was away gets the newer certificate, its file root’s and 0600, through the helper', async (t) => {
  await calm(lab());
  for (const { cert_path: path } of lab().nodes) chmodSync(path, 0o600);
  const pem = await newSite(90);
  await fault(lab(), 'kill-agent', 'on', second());
  try {
    const push = ['cert', 'push', filed(pem), '--as', 'site', '--accept-risk=peer-unknown'];
    t.is(await exitOf(lab(), ...push), 6);
    t.deepEqual(await has(0), rootsOwn(pem));
    t.not((await has(1)).served, sha1Of(pem));
  } finally {
    await fault(lab(), 'kill-agent', 'off', second());
  }
  await eventually('it has caught up', async () => (await has(1)).served === sha1Of(pem));
  await eventually('its journal is closed', async () => (await has(1)).disk === sha1Of(pem));
  t.deepEqual(await has(1), rootsOwn(pem));
  t.is(await exitOf(lab(), 'cert', 'verify'), 0);
});

test('a file that went back while the agent was away comes to the decided version from this disk’s peer', async (t) => {
  await calm(lab());
  const decided = readFileSync(first().cert_path, 'utf8');
  const old = await newSite(60, SITE_NAMES, Date.now() - 5 * 86_400_000);
  await fault(lab(), 'kill-agent', 'on', second());
  writeFileSync(second().cert_path, old);
  await fault(lab(), 'kill-agent', 'off', second());
  await eventually(
    'the file is the decided one',
    async () => (await has(1)).disk === sha1Of(decided),
  );
  t.deepEqual(await has(1), rootsOwn(decided));
});

issuingTest(
  'an account key that is root’s alone is an alert that says whose it has to be',
  async (t) => {
    t.timeout(150_000);
    const ca = (pebble = await startPebble(lab()));
    for (const [at, { agent_config: path, cert_path: site }] of lab().nodes.entries()) {
      const acme = `[acme]\ndirectory = "${ca.directory}"\nca = "${ca.ca}"\n`;
      const certificate = `[[acme.certificate]]\nnames = ${JSON.stringify(SITE_NAMES)}\npath = "${site}"\n`;
      writeFileSync(
        path,
        `${readFileSync(path, 'utf8').replace('[acme]\n', acme)}\n${certificate}`,
      );
      await fault(lab(), 'kill-agent', 'on', nodeAt(lab(), at));
      if (at === 0) {
        writeFileSync(accountKey(0), 'of somebody else\n', { mode: 0o600 });
        chownSync(accountKey(0), 0, 0);
      }
      await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), at));
    }
    await asAtFirst(lab());
    const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
    const times = { notBefore: day(-1), notAfter: day(30) };
    const self = await issue({ subject: 'CN=placeholder', names: SITE_NAMES, ...times });
    const file = filed(bundle(self));
    t.is(await exitOf(lab(), 'cert', 'push', file, '--as', 'site'), 0);
    await eventually('the key is told of', () => alert('may not be read'), LONG_MS);
    t.true(await alert(`chown nobody ${accountKey(0)}`));
  },
);

issuingTest(
  'an order is issued: the account key nobody’s and 0600, the bundle root’s on both',
  async (t) => {
    t.timeout(200_000);
    const before = (await has(0)).disk;
    // What was there is no key: with it out of the way a new one is made.
    spawnSync('rm', [accountKey(0)]);
    await fault(lab(), 'kill-agent', 'on', first());
    await fault(lab(), 'kill-agent', 'off', first());
    await asAtFirst(lab());
    const issued = async (): Promise<boolean> => {
      const both = await Promise.all([has(0), has(1)]);
      return both.every(
        ({ disk, served: wire }) => disk === wire && disk === both[0]?.disk && disk !== before,
      );
    };
    await eventually('both serve what the CA issued', issued, LONG_MS);
    const pem = readFileSync(first().cert_path, 'utf8');
    t.deepEqual(await Promise.all([has(0), has(1)]), [rootsOwn(pem), rootsOwn(pem)]);
    const { uid, gid, mode } = statSync(accountKey(0));
    t.deepEqual([uid, gid, mode & 0o777], [id('-u'), id('-g'), 0o600]);
    t.is((await proxyctl(lab(), ['acme', 'list'])).stdout, '', 'no token is left');
    const key = /PRIVATE KEY-----\n(.{60})/.exec(pem)?.[1] ?? '';
    t.is(key.length, 60);
    for (const { log } of lab().nodes) t.false(readFileSync(log, 'utf8').includes(key));
  },
);
