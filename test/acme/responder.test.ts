import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, createServer as createTcp, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { startResponder, type Responder } from '../../agent/acme/responder.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { problems } from '../../agent/problems.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { FakeClock } from '../fake-clock.ts';
import { KEY_AUTH, TOKEN } from './tokens.ts';

const PATH = '/.well-known/acme-challenge/';

/** A port that is free on both loopback addresses. */
async function freePort(): Promise<number> {
  for (;;) {
    const four = createTcp().listen(0, '127.0.0.1');
    await once(four, 'listening');
    const { port } = four.address() as AddressInfo;
    const six = createTcp();
    const free = await new Promise<boolean>((resolve) => {
      six.once('error', () => resolve(false)).listen(port, '::1', () => resolve(true));
    });
    four.close();
    six.close();
    if (free) return port;
  }
}

async function world(t: ExecutionContext, taken: boolean) {
  const port = await freePort();
  const clock = new FakeClock();
  const known = problems(clock, () => undefined);
  const holder = createServer((_request, response) => response.end('mine'));
  if (taken) {
    holder.listen(port, '::1');
    await once(holder, 'listening');
  }
  const addresses = [`127.0.0.1:${port}`, `[::1]:${port}`];
  const answer = (token: string) => Promise.resolve(token === TOKEN ? KEY_AUTH : null);
  const responder = startResponder({
    node: 'haproxy01',
    addresses,
    answer,
    clock,
    problems: known,
  });
  t.teardown(() => responder.close());
  t.teardown(() => holder.close());
  return { port, clock, known, holder, addresses, responder };
}

async function get(host: string, port: number, path: string, method = 'GET') {
  const asked = request({ host, port, path, method, agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  return [answer.statusCode, await text(answer)];
}

const failure = async (responder: Responder, token: string): Promise<unknown> => {
  try {
    return await responder.check(token);
  } catch (error) {
    return error instanceof ActFailure ? { outcome: error.outcome, ...error.detail } : error;
  }
};

/** Resolves once it holds; looked at after every turn of the event loop, for 10 s. */
async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 10_000; Date.now() < endMs;) {
    if (await holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`never: ${what}`);
}

const up = ({ responder }: { readonly responder: Responder }): Promise<void> =>
  eventually('it answers', async () => Array.isArray(await failure(responder, '')));

test('it answers the token on both loopback addresses and 404 to everything else', async (t) => {
  const one = await world(t, false);
  await up(one);
  for (const host of ['127.0.0.1', '::1']) {
    const rows = [
      await get(host, one.port, `${PATH}${TOKEN}`),
      await get(host, one.port, `${PATH}${TOKEN}`, 'HEAD'),
      await get(host, one.port, `${PATH}${TOKEN}`, 'POST'),
      await get(host, one.port, `${PATH}${TOKEN}x`),
      await get(host, one.port, `${PATH}${TOKEN}?x`),
      await get(host, one.port, `${PATH}../${TOKEN}`),
      await get(host, one.port, '/'),
    ];
    const no = [404, 'not found\n'];
    t.deepEqual(rows, [[200, KEY_AUTH], [200, ''], no, no, no, no, no]);
  }
  t.deepEqual(await one.responder.check(TOKEN), one.addresses);
  t.deepEqual(one.known.list(), []);
});

test('an address that is taken: it runs on none, says so, and starts once it is free', async (t) => {
  const one = await world(t, true);
  await eventually('a problem', () => one.known.list().length > 0);
  const cause = `cannot listen on [::1]:${one.port}: the port is taken (EADDRINUSE)`;
  const remedy = `sockstat -l -p ${one.port} shows the holder; retried every 5 s`;
  t.deepEqual(one.known.list(), [
    {
      subject: 'acme',
      cause: `the ACME responder does not run: ${cause}`,
      remedy,
      sinceMs: 0,
    },
  ]);
  t.deepEqual(await failure(one.responder, TOKEN), {
    outcome: 'failed',
    code: 'responder_wrong',
    message: 'the ACME responder on haproxy01 does not answer',
    cause: `it ${cause}`,
    remediation: `on haproxy01: ${remedy}`,
    retryable: true,
  });
  await t.throwsAsync(get('127.0.0.1', one.port, `${PATH}${TOKEN}`), { code: 'ECONNREFUSED' });
  one.holder.close();
  await once(one.holder, 'close');
  await one.clock.advance(5000);
  await up(one);
  t.deepEqual(await get('::1', one.port, `${PATH}${TOKEN}`), [200, KEY_AUTH]);
  t.deepEqual(one.known.list(), []);
});

test('a token it does not know, and a responder that is switched off, are refusals', async (t) => {
  const one = await world(t, false);
  await up(one);
  t.like(await failure(one.responder, `${TOKEN}x`), { cause: 'it does not know the token' });
  const options = { node: 'haproxy01', addresses: [], answer: () => Promise.resolve(null) };
  const clock = new FakeClock();
  const off = startResponder({ ...options, clock, problems: problems(clock, () => undefined) });
  t.like(await failure(off, TOKEN), { cause: 'it is switched off' });
});

test('a client that sends its request a byte a second is cut off', async (t) => {
  const one = await world(t, false);
  await up(one);
  const startedMs = systemClock.nowMs();
  const slow = connect(one.port, '127.0.0.1');
  slow.on('error', () => undefined);
  const drip = setInterval(() => slow.write('G'), 300);
  await once(slow, 'close');
  clearInterval(drip);
  t.true(systemClock.nowMs() - startedMs < 9000);
  t.deepEqual(await get('127.0.0.1', one.port, `${PATH}${TOKEN}`), [200, KEY_AUTH]);
});
