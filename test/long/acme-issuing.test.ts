import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest from 'ava';
import { sentence } from '../../agent/core/words.ts';
import { issue, bundle } from '../certs/bundles.ts';
import { newSite, sha1Of, SITE_NAMES } from '../lab/certificates.ts';
import { proxyctl, served } from '../lab/client.ts';
import { missing, startPebble, type Pebble } from '../lab/pebble.ts';
import { asAtFirst, calm, eventually, fault, logOf, nodeAt, scene } from '../pair/scene.ts';

const needed = missing('pebble', 'pebble-challtestsrv').length > 0;
const { test: labTest, lab } = scene();
const test = needed ? anyTest.serial.skip : labTest;

let pebble: Pebble | null = null;
const ca = (): Pebble => {
  if (pebble === null) throw new Error('pebble is not up');
  return pebble;
};
const first = () => nodeAt(lab(), 0);
const second = () => nodeAt(lab(), 1);

/** The issuer looks every 5 s, and the address has to be there for 30. */
const LONG_MS = 100_000;
async function within(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  try {
    await eventually(what, holds, LONG_MS);
  } catch (cause) {
    const { stdout } = await proxyctl(lab(), ['status']);
    throw new Error(`${sentence(cause)}\n${stdout}\n${ca().log()}`, { cause });
  }
}

const accountKey = (at: number): string => join(nodeAt(lab(), at).state_dir, 'acme-account.key');

/** What an agent's log says of orders. */
const orders = (at: number): string[] =>
  logOf(nodeAt(lab(), at))
    .filter(({ event }) => event === 'acme-order')
    .map(({ step, msg }) => `${String(step)}: ${String(msg)}`);
const counted = (at: number, word: string): number =>
  orders(at).filter((line) => line.includes(word)).length;

anyTest.serial.before('pebble is up, and the agents order from it', async () => {
  if (needed || labTest === anyTest.serial.skip) return;
  pebble = await startPebble(lab());
  for (const [at, { agent_config: path, cert_path: site }] of lab().nodes.entries()) {
    const acme = `[acme]\ndirectory = "${ca().directory}"\nca = "${ca().ca}"\n`;
    const certificate = `[[acme.certificate]]\nnames = ${JSON.stringify(SITE_NAMES)}\npath = "${site}"\n`;
    writeFileSync(path, `${readFileSync(path, 'utf8').replace('[acme]\n', acme)}\n${certificate}`);
    await fault(lab(), 'kill-agent', 'on', nodeAt(lab(), at));
    await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), at));
  }
  await asAtFirst(lab());
});
anyTest.serial.after.always('pebble is down', async () => pebble?.end());

async function pushed(pem: string, ...more: readonly string[]): Promise<void> {
  const file = join(lab().runtime, 'pushed.pem');
  writeFileSync(file, pem, { mode: 0o600 });
  const { code, stderr } = await proxyctl(lab(), ['cert', 'push', file, '--as', 'site', ...more]);
  if (code !== 0) throw new Error(`cert push: exit ${code}\n${stderr}`);
}
const placeholder = async (): Promise<string> => {
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const times = { notBefore: day(-1), notAfter: day(30) };
  return bundle(await issue({ subject: 'CN=placeholder', names: SITE_NAMES, ...times }));
};
const onWire = async (at: number): Promise<string> => served(lab(), nodeAt(lab(), at).address4);
const listed = async (): Promise<{ issued: boolean; renewals: number }> => {
  const { stdout } = await proxyctl(lab(), ['cert', 'list', '-o', 'json']);
  const { result } = JSON.parse(stdout) as {
    result: {
      certificates: { renewal: string | null }[];
      decided: { name: string; actor: string }[];
    };
  };
  return {
    issued: result.decided.some(({ name, actor }) => name === 'site' && actor === 'acme'),
    renewals: result.certificates.filter(({ renewal }) => renewal !== null).length,
  };
};

test('a certificate near its end is renewed by the holder alone, served by both, its key nowhere else', async (t) => {
  t.timeout(150_000);
  await within('both nodes know the renewal', async () => (await listed()).renewals === 2);
  t.deepEqual([orders(0), orders(1)], [[], []]);
  const old = await newSite(0.5);
  await pushed(old);
  await within('the holder renewed it', () => counted(0, 'installed on the pair') === 1);
  await within('both serve it', async () => {
    const [a, b] = [await onWire(0), await onWire(1)];
    return a === b && a !== sha1Of(old) && a === sha1Of(readFileSync(first().cert_path, 'utf8'));
  });
  t.deepEqual([await listed(), orders(1)], [{ issued: true, renewals: 2 }, []]);
  t.is(statSync(accountKey(0)).mode & 0o777, 0o600);
  t.is((await proxyctl(lab(), ['acme', 'list'])).stdout, '', 'no token is left');
  const screen = (await proxyctl(lab(), ['cert', 'list'])).stdout;
  t.regex(screen, /^site: ordered anew by the agents after \d{4}-\d\d-\d\d$/m);
  const key = /PRIVATE KEY-----\n(.{60})/.exec(readFileSync(first().cert_path, 'utf8'))?.[1] ?? '';
  t.is(key.length, 60);
  for (const { log } of lab().nodes) t.false(readFileSync(log, 'utf8').includes(key));
});

test('a wrong account key, then no CA: alerts that say what to do, gone when it is solved', async (t) => {
  t.timeout(280_000);
  const key = readFileSync(accountKey(0));
  writeFileSync(accountKey(0), 'not a key\n');
  await pushed(await placeholder());
  const alert = async (text: string): Promise<boolean> =>
    (await proxyctl(lab(), ['status'])).stdout.replaceAll(/\s+/g, ' ').includes(text);
  await within('the key is told of', () => alert('acme-account.key is no private key in PEM'));
  await ca().end();
  writeFileSync(accountKey(0), key, { mode: 0o600 });
  // As an administrator would who does not wait for the next attempt.
  await fault(lab(), 'kill-agent', 'on', first());
  await fault(lab(), 'kill-agent', 'off', first());
  await within('the CA is told of', () => alert('10.1.60.1:14000 cannot be asked'));
  pebble = await startPebble(lab());
  await within('it is issued after all', async () => {
    const { stdout } = await proxyctl(lab(), ['status']);
    return counted(0, 'installed on the pair') === 2 && !stdout.includes('no certificate for');
  });
  t.is(await onWire(0), await onWire(1));
});

test('the holder is lost in the middle of an order: the other one finishes it with its own account', async (t) => {
  t.timeout(250_000);
  const before = counted(1, 'installed on the pair');
  await asAtFirst(lab());
  await pushed(await placeholder());
  const began = counted(0, 'self-signed');
  await within('an order is under way', () => counted(0, 'self-signed') > began);
  await fault(lab(), 'kill-agent', 'on', first());
  await fault(lab(), 'cut', 'on', first());
  try {
    t.is(counted(0, 'installed on the pair'), 2, 'it was cut off before its end');
    await within('the other one issued', () => counted(1, 'installed on the pair') > before);
    t.is(await served(lab(), lab().vip4), sha1Of(readFileSync(second().cert_path, 'utf8')));
    t.notDeepEqual(readFileSync(accountKey(1)), readFileSync(accountKey(0)));
  } finally {
    await fault(lab(), 'cut', 'off', first());
    await fault(lab(), 'kill-agent', 'off', first());
  }
  await within('the one that was lost has it too', async () => {
    return (await onWire(0)) === (await onWire(1));
  });
  await asAtFirst(lab());
  await calm(lab());
});
