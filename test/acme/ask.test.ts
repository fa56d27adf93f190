import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ask } from '../../agent/acme/ask.ts';
import { KEY_AUTH, TOKEN } from './tokens.ts';

/** What `ask` says of a server that answers like this. */
async function said(
  t: ExecutionContext,
  listener: RequestListener,
  expected: string | null = KEY_AUTH,
): Promise<string | null> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return ask({ host: '127.0.0.1', port }, TOKEN, expected);
}

test('only the right status with the right body is right', async (t) => {
  const answers =
    (status: number, body: string): RequestListener =>
    (_request, response) =>
      response.writeHead(status).end(body);
  t.deepEqual(
    [
      await said(t, answers(200, KEY_AUTH)),
      await said(t, answers(404, 'not found'), null),
      await said(t, answers(200, 'hello')),
      await said(t, answers(200, `${KEY_AUTH}${'x'.repeat(100_000)}`)),
      await said(t, answers(404, 'not found')),
      await said(t, answers(200, ''), null),
    ],
    [
      null,
      null,
      'it answers something else',
      'it answers something else',
      'it answers 404 where 200 is right',
      'it answers 200 where 404 is right',
    ],
  );
});

test('nobody there, one that never answers, and one that closes are told apart', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const nobody = await ask({ host: '127.0.0.1', port }, TOKEN, KEY_AUTH);
  t.is(nobody, `connect ECONNREFUSED 127.0.0.1:${port}`);
  t.is(await said(t, () => undefined), 'no answer within 2 s');
  t.is(await said(t, (request) => void request.socket.destroy()), 'socket hang up');
});
