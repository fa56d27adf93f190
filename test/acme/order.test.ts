import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import { accountKey } from '../../agent/acme/account-key.ts';
import { exchange, retryAfterMs } from '../../agent/acme/exchange.ts';
import { GivenUp, OrderFailure } from '../../agent/acme/failure.ts';
import { order } from '../../agent/acme/order.ts';
import { startResponder, type Responder } from '../../agent/acme/responder.ts';
import { problems } from '../../agent/problems.ts';
import { systemClock as clock } from '../../agent/sys/clock.ts';
import { shortFolder } from '../haproxy/haproxy.ts';
import { missing } from '../lab/pebble.ts';
import { localPebble, type LocalPebble } from './pebble.ts';

const absent = missing('pebble', 'pebble-challtestsrv').length > 0;
const test: TestFn | TestFn['skip'] = absent ? anyTest.serial.skip : anyTest.serial;

const place = mkdtempSync(join(tmpdir(), 'pebble-'));
const tokens = new Map<string, string>();
let pebble: LocalPebble | null = null;
let responder: Responder | null = null;
const ca = (): LocalPebble => {
  if (pebble === null) throw new Error('pebble is not up');
  return pebble;
};

anyTest.serial.before('pebble and a responder are up', async () => {
  if (absent) return;
  pebble = await localPebble(place);
  responder = startResponder({
    node: 'haproxy01',
    addresses: [`127.0.0.1:${pebble.httpPort}`],
    answer: (token) => Promise.resolve(tokens.get(token) ?? null),
    clock,
    problems: problems(clock, () => undefined),
  });
});
anyTest.serial.after.always('both are down', async () => {
  responder?.close();
  await pebble?.end();
  rmSync(place, { recursive: true, force: true });
});

/** One order; `tell` is what becomes of a token. */
async function ordered(
  folder: string,
  { names = ['www.example.net'], goOn = (): void => {}, known = true, private: own = true } = {},
): Promise<string> {
  const key = await accountKey(join(folder, 'account.key'));
  return order({
    directory: ca().directory,
    contact: 'root@example.net',
    names,
    key,
    exchange: exchange({ ca: own ? ca().ca : null, key, goOn, wallMs: () => clock.wallMs() }),
    present(token, keyAuthorization) {
      tokens.set(token, known ? keyAuthorization : 'something else');
      return Promise.resolve();
    },
    cleanup(token) {
      tokens.delete(token);
      return Promise.resolve();
    },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
  });
}

test('two names are proven and issued: leaf, chain and the key that belongs to it; no token is left', async (t) => {
  const folder = shortFolder(t);
  const names = ['www.example.net', 'git.example.net'];
  for (const round of [1, 2]) {
    const pem = await ordered(folder, { names });
    const leaf = new X509Certificate(pem);
    t.true(leaf.checkPrivateKey(createPrivateKey(pem.slice(pem.indexOf('-----BEGIN PRIVATE')))));
    t.deepEqual(
      names.map((name) => leaf.checkHost(name)),
      names,
      `round ${round}, with the same account`,
    );
    t.is(pem.match(/BEGIN CERTIFICATE/g)?.length, 2);
  }
  t.deepEqual([...tokens], []);
});

test('a wrong answer to the challenge ends the order with what the CA says of it', async (t) => {
  const failure = ordered(shortFolder(t), { known: false });
  const error = await t.throwsAsync(failure, { instanceOf: OrderFailure });
  t.regex(error.message, /^the CA could not verify www\.example\.net: .*key authorization/i);
  t.deepEqual(
    [error.remedy, error.setback],
    ['DNS of www.example.net, and port 80 to these hosts: proxyctl doctor', 'refused'],
  );
  t.deepEqual([...tokens], []);
});

test('an order is given up at the next question once it is not wanted any more, and leaves no token', async (t) => {
  let asked = 0;
  const goOn = (): void => {
    if (++asked > 6) throw new GivenUp('the address left');
  };
  await t.throwsAsync(ordered(shortFolder(t), { goOn }), { instanceOf: GivenUp });
  t.deepEqual([asked, [...tokens]], [7, []]);
});

test('a server whose certificate nobody vouches for, and one that is down, are not asked further', async (t) => {
  const folder = shortFolder(t);
  const untrusted = await t.throwsAsync(ordered(folder, { private: false }), {
    instanceOf: OrderFailure,
  });
  t.regex(untrusted.message, /^127\.0\.0\.1:\d+ cannot be asked: .*certificate/);
  await ca().end();
  const down = await t.throwsAsync(ordered(folder), { instanceOf: OrderFailure });
  t.regex(down.message, /^127\.0\.0\.1:\d+ cannot be asked: .*ECONNREFUSED/);
  t.is(down.setback, 'unreachable');
});

anyTest('Retry-After is seconds or a date, and at most a day', (t) => {
  const wallMs = Date.parse('2026-06-01T12:00:00Z');
  const of = (value: string): number => retryAfterMs({ headers: { 'retry-after': value } }, wallMs);
  t.deepEqual(
    ['120', 'Mon, 01 Jun 2026 12:01:00 GMT', 'Mon, 01 Jun 2026 11:00:00 GMT', '999999', 'soon'].map(
      of,
    ),
    [120_000, 60_000, 0, 86_400_000, 0],
  );
});
