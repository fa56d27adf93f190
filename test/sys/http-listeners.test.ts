import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { problems } from '../../agent/problems.ts';
import { httpListeners, listenProblem, sendWhole } from '../../agent/sys/http-listeners.ts';
import { FakeClock } from '../fake-clock.ts';
import { freePort } from '../free-port.ts';

/** Listeners at these addresses; `next` resolves with what is said of them next. */
function world(t: ExecutionContext, addresses: readonly string[]) {
  const clock = new FakeClock();
  const known = problems(clock, () => undefined);
  const told = listenProblem(known, 'web', 'no page: it');
  let tell: (said: string) => void = () => undefined;
  const listeners = httpListeners({
    addresses,
    clock,
    most: 8,
    handle: ({ method = '', url }, response) => {
      if (url === '/wait') response.flushHeaders();
      else sendWhole(method, response, 200, {}, 'here');
    },
    opened() {
      told.opened();
      tell('opened');
    },
    refused(trouble) {
      told.refused(trouble);
      tell(known.list()[0]?.cause ?? '');
    },
  });
  t.teardown(() => listeners.close());
  const next = (): Promise<string> => new Promise((resolve) => (tell = resolve));
  return { clock, known, listeners, next };
}

const answers = async (port: number, host = '127.0.0.1'): Promise<boolean> => {
  try {
    return (await (await fetch(`http://${host}:${port}/`)).text()) === 'here';
  } catch {
    return false;
  }
};

/** An answer that does not end. */
async function watching(t: ExecutionContext, port: number): Promise<IncomingMessage> {
  const call = request({ host: '127.0.0.1', port, path: '/wait', agent: false }).end();
  t.teardown(() => call.destroy());
  call.on('error', () => undefined);
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return answer;
}

async function holding(t: ExecutionContext, port: number) {
  const holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  return holder;
}

test('another list of addresses: what is new is opened, what stays keeps its callers, what is gone is closed', async (t) => {
  const [stays, goes, comes] = [await freePort(), await freePort(), await freePort()];
  const { listeners, next } = world(t, [`127.0.0.1:${stays}`, `127.0.0.1:${goes}`]);
  t.is(await next(), 'opened');
  const kept = await watching(t, stays);
  const cut = await watching(t, goes);
  listeners.move([`127.0.0.1:${stays}`, `127.0.0.1:${comes}`]);
  t.is(await next(), 'opened');
  t.deepEqual(
    [await answers(stays), await answers(goes), await answers(comes)],
    [true, false, true],
  );
  await t.throwsAsync(text(cut));
  t.false(kept.destroyed);
});

test('an address that cannot be had leaves those before, with the reason, until it can', async (t) => {
  const [before, wanted] = [await freePort(), await freePort()];
  const { clock, known, listeners, next } = world(t, [`127.0.0.1:${before}`]);
  t.is(await next(), 'opened');
  const kept = await watching(t, before);
  const holder = await holding(t, wanted);
  listeners.move([`127.0.0.1:${wanted}`]);
  t.is(
    await next(),
    `web cannot listen on 127.0.0.1:${wanted}: the port is taken (EADDRINUSE); it stays on 127.0.0.1:${before}`,
  );
  t.deepEqual(
    known.list().map(({ subject, remedy }) => [subject, remedy]),
    [['web', `sockstat -l -p ${wanted} shows the holder; retried every 5 s`]],
  );
  t.true(await answers(before));
  t.false(kept.destroyed);
  holder.close();
  await once(holder, 'close');
  const opened = next();
  await clock.advance(5000);
  t.is(await opened, 'opened');
  t.deepEqual([await answers(before), await answers(wanted)], [false, true]);
  t.deepEqual(known.list(), []);
});

test('a port whose host changes is let go first, and had again where the new one is refused', async (t) => {
  const port = await freePort();
  const { listeners, next } = world(t, [`127.0.0.1:${port}`]);
  t.is(await next(), 'opened');
  listeners.move([`0.0.0.0:${port}`]);
  t.is(await next(), 'opened');
  t.true(await answers(port, '127.0.0.2'));
  listeners.move([`127.0.0.1:${port}`, `192.0.2.1:${port}`]);
  t.is(
    await next(),
    `web cannot listen on 192.0.2.1:${port}: no interface has this address (EADDRNOTAVAIL); it stays on 0.0.0.0:${port}`,
  );
  t.true(await answers(port, '127.0.0.2'));
});

test('none, and some again; of changes in a row the last counts', async (t) => {
  const [one, two] = [await freePort(), await freePort()];
  const { listeners, next } = world(t, []);
  listeners.move([`127.0.0.1:${one}`]);
  t.is(await next(), 'opened');
  listeners.move([]);
  t.is(await next(), 'opened');
  t.false(await answers(one));
  listeners.move([`127.0.0.1:${one}`]);
  listeners.move([]);
  listeners.move([`127.0.0.1:${two}`]);
  t.is(await next(), 'opened');
  t.deepEqual([await answers(one), await answers(two)], [false, true]);
  listeners.move([`127.0.0.1:${one}`]);
  listeners.close();
  await new Promise(setImmediate);
  t.deepEqual([await answers(one), await answers(two)], [false, false]);
});
