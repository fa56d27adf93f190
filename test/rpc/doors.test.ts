import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import test from 'ava';
import { ControlService, HealthService, PeerService } from '../../proto/gen/services.ts';
import { SHARES } from '../../agent/rpc/shares.ts';
import { gossipToWire } from '../../agent/wire/gossip.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';
import {
  BAD_HEADERS,
  GREETING,
  TOO_LONG,
  closed,
  http2,
  frame,
  headersOf,
  message,
  open,
  tcp,
  tls,
} from './attacker.ts';
import { askStatus, clientOf, createWorld, emptyStatus, helloOf, serveWorld } from './world.ts';

const NONE = { stranger: 0, operator: 0, peer: 0, socket: 0, root: 0 };

/** Real sockets need turns of the loop that a fake clock does not give. */
const passed = async (clock: FakeClock, ms: number): Promise<void> => {
  for (let atMs = 0; atMs < ms; atMs += 500) await clock.advance(500);
};
/** The other side has read everything that was sent to it before, and answered. */
const roundTrip = (session: ClientHttp2Session): Promise<void> =>
  new Promise((resolve) => {
    if (session.destroyed || !session.ping(() => resolve())) resolve();
  });
/** So many seconds in which clients that are there answer pings: to hear one, and to have the answer heard. */
async function passedWith(
  clock: FakeClock,
  seconds: number,
  ...sessions: readonly ClientHttp2Session[]
): Promise<void> {
  for (let s = 0; s < seconds; s++) {
    await clock.advance(1000);
    for (const session of sessions) {
      await roundTrip(session);
      await roundTrip(session);
    }
  }
}
/** once() of node:events would reject at the stream's error. */
const ended = (stream: ClientHttp2Stream): Promise<unknown> =>
  stream.destroyed ? Promise.resolve() : new Promise((resolve) => stream.on('close', resolve));
const rstOf = async (stream: ClientHttp2Stream): Promise<number> => {
  await ended(stream);
  return stream.rstCode;
};
const hello = () =>
  message(
    Buffer.from(
      PeerService.gossip.requestSerialize(
        gossipToWire(helloOf('haproxy02'), { nowMs: 0, wallMs: 0 }),
      ),
    ),
  );

test('a connection over TCP that says nothing, or half a handshake, ends after five seconds', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const silent = await tcp(t, server.address);
  const half = await tcp(t, server.address);
  half.write(Buffer.from('1603010200010001fc0303', 'hex'));
  await eventually(() => server.connections().stranger === 2);
  await passed(clock, 4500);
  t.deepEqual(server.connections(), { ...NONE, stranger: 2 });
  await passed(clock, 1500);
  await Promise.all([closed(silent), closed(half)]);
  t.deepEqual(server.connections(), NONE);
  await passed(clock, 1000);
  t.is(
    (await server.heard.until(({ kind }) => kind === 'turned-away')) &&
      texts(server, 'turned-away'),
    '2 from 127.0.0.1: took too long for its TLS handshake',
  );
});

const texts = (
  { heard }: { readonly heard: { readonly items: readonly { kind: string }[] } },
  wanted: string,
): string =>
  heard.items
    .flatMap((one) => (one.kind === wanted && 'text' in one ? [String(one.text)] : []))
    .join('\n');

test('after the handshake HTTP/2 has five seconds to begin, over a unix socket too', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const eve = await world.operator('eve', 'viewer');
  const silent = [await tls(t, server.address, eve), await tcp(t, server.socketPath)];
  const preface = [await tls(t, server.address, eve), await tcp(t, server.socketPath)];
  for (const one of preface) one.write(GREETING.subarray(0, 24));
  await eventually(() => server.connections().operator === 2 && server.connections().socket === 2);
  await passed(clock, 6000);
  await Promise.all([...silent, ...preface].map(closed));
  await eventually(() => Object.values(server.connections()).every((count) => count === 0));
  t.is(server.heard.items.filter(({ kind }) => kind === 'refused').length, 4);
});

test('malformed HTTP/2 frees its connection, though its client is gone and a stream was open', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const eve = await world.operator('eve', 'viewer');
  for (const bad of [TOO_LONG, BAD_HEADERS])
    for (const over of [await tls(t, server.address, eve), await tcp(t, server.socketPath)]) {
      over.write(Buffer.concat([GREETING, bad]));
      await once(over, 'data');
      over.destroy();
    }
  // The same with a stream that nobody will ever end.
  const raw = await tls(t, server.address, eve);
  const watch = [headersOf(HealthService.watch.path), frame(0, 1, 1, message(Buffer.alloc(0)))];
  raw.write(Buffer.concat([GREETING, ...watch, TOO_LONG]));
  await once(raw, 'data');
  await passed(clock, 31_000);
  raw.destroy();
  await eventually(() => Object.values(server.connections()).every((count) => count === 0));
  t.pass();
});

test('a connection without a call ends after a minute; gossip and an open stream do not', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const eve = await world.operator('eve', 'viewer');
  const idle = http2(t, await tls(t, server.address, eve));
  const watching = http2(t, await tls(t, server.address, eve));
  const watch = open(watching, HealthService.watch.path);
  watch.end(message(Buffer.alloc(0)));
  await once(watch, 'data');
  const peer = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  const linked = http2(t, await tls(t, server.address, peer));
  const gossip = open(linked, PeerService.gossip.path);
  gossip.write(hello());
  await server.heard.until(({ kind }) => kind === 'opened');
  await eventually(() => server.connections().operator === 2);
  // A client that is there answers pings, which takes turns of the real loop.
  for (let s = 0; s < 62; s++) {
    await clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    if (s % 10 === 0) await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null));
  }
  if (!idle.closed) await once(idle, 'close');
  await eventually(() => server.connections().operator === 1);
  t.deepEqual([watch.closed, gossip.closed, server.connections().peer], [false, false, 1]);
  t.deepEqual(
    server.heard.items.filter(({ kind }) => kind === 'closed'),
    [],
  );
});

test('a client that does not read makes an agent keep 8 MB, and not for long', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const pair = 'w'.repeat(1 << 20);
  const server = await serveWorld(t, world, {
    clock,
    control: { status: () => Promise.resolve({ ...emptyStatus, pair }) },
  });
  const eve = await world.operator('eve', 'viewer');
  const session = http2(t, await tls(t, server.address, eve), { initialWindowSize: 0 });
  const second = http2(t, await tls(t, server.address, eve), { initialWindowSize: 0 });
  const ask = async (over: typeof session) => {
    const stream = open(over, ControlService.status.path);
    stream.end(message(Buffer.alloc(0)));
    await Promise.race([new Promise((resolve) => stream.on('response', resolve)), ended(stream)]);
    return stream;
  };
  const streams: ClientHttp2Stream[] = [];
  for (let i = 0; i < 5; i++) streams.push(await ask(session));
  for (let i = 0; i < 5; i++) streams.push(await ask(second));
  // Eight of a megabyte and a few bytes are the bound; the ninth is the last before it is seen.
  t.deepEqual(
    streams.map(({ rstCode, closed }) => (closed ? rstCode : 'open')),
    [...Array<string>(8).fill('open'), 11, 11],
  );
  const anna = await world.operator('anna', 'viewer');
  const other = http2(t, await tls(t, server.address, anna));
  t.is((await ask(other)).rstCode, 0);
  await passedWith(clock, 24, session, second, other);
  t.deepEqual(await Promise.all(streams.map(rstOf)), [...Array<number>(8).fill(8), 11, 11]);
});

test('messages that begin and do not come whole are kept up to 8 MB of a party, for half a minute', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const eve = await world.operator('eve', 'viewer');
  const session = http2(t, await tls(t, server.address, eve));
  const begin = () => {
    const stream = open(session, ControlService.status.path);
    stream.write(message(Buffer.alloc(100), 4 << 20));
    return stream;
  };
  const [first, second, third] = [begin(), begin(), begin()];
  t.is(await rstOf(third), 11);
  t.deepEqual([first.closed, second.closed], [false, false]);
  await passedWith(clock, 32, session);
  t.deepEqual([await rstOf(first), await rstOf(second)], [8, 8]);
});

test('strangers that fill their share lose their oldest; peers, operators and the socket have their own', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const peer = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  const gossip = open(
    http2(t, await tls(t, server.address, peer, '127.0.0.9')),
    PeerService.gossip.path,
  );
  gossip.write(hello());
  await server.heard.until(({ kind }) => kind === 'opened');
  const strangers = [];
  for (let i = 0; i < 600; i++)
    strangers.push(await tcp(t, server.address, `127.0.0.${20 + (i % 6)}`));
  await eventually(() => server.connections().stranger <= SHARES.stranger.total);
  await Promise.all(strangers.slice(0, 400).map(closed));
  const anna = await world.operator('anna', 'operator');
  const answers = [
    await askStatus(clientOf(t, server.address, world.ca.certPem, anna)),
    await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null)),
  ];
  const again = open(
    http2(t, await tls(t, server.address, peer, '127.0.0.9')),
    PeerService.gossip.path,
  );
  again.write(hello());
  await eventually(() => server.heard.items.filter(({ kind }) => kind === 'opened').length === 2);
  t.deepEqual(
    [answers, server.connections(), texts(server, 'closed'), texts(server, 'kept-out')],
    [
      ['haproxy01', 'haproxy01'],
      { stranger: 127, operator: 1, peer: 2, socket: 1, root: 0 },
      '',
      '',
    ],
  );
  t.false(strangers.at(-1)?.readableEnded);
});

test('one certificate has sixteen connections: an idle one makes room, and who finds none is told of', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { clock });
  const eve = await world.operator('eve', 'viewer');
  const oldest = http2(t, await tls(t, server.address, eve));
  const busy = async () => {
    const session = http2(t, await tls(t, server.address, eve));
    const watch = open(session, HealthService.watch.path);
    watch.end(message(Buffer.alloc(0)));
    await Promise.race([new Promise((resolve) => watch.on('data', resolve)), ended(watch)]);
    return session;
  };
  const sessions = [];
  for (let i = 0; i < 15; i++) sessions.push(await busy());
  t.deepEqual([oldest.destroyed, server.connections().operator], [false, 16]);
  sessions.push(await busy());
  await eventually(() => oldest.destroyed);
  const over = await busy();
  await eventually(() => over.destroyed);
  const anna = await world.operator('anna', 'viewer');
  t.is(await askStatus(clientOf(t, server.address, world.ca.certPem, anna)), 'haproxy01');
  t.deepEqual(
    [sessions.filter(({ destroyed }) => destroyed).length, server.connections().operator],
    [0, 17],
  );
  const why = 'there are 16 connections of it or 128 of its kind, all in use';
  t.deepEqual(
    [texts(server, 'kept-out'), texts(server, 'refused')],
    [`a connection of viewer eve was refused: ${why}`, `connection: was refused: ${why}`],
  );
  await passed(clock, 60_500);
  t.is(texts(server, 'kept-out').split('\n').at(-1), 'nobody');
});

test('who has calls open and says for a second not that it is there makes room for one who comes', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const shares = { ...SHARES, socket: { total: 2, each: 2 } };
  const server = await serveWorld(t, world, { clock, shares });
  const call = Buffer.concat([
    GREETING,
    headersOf(HealthService.watch.path),
    frame(0, 1, 1, message(Buffer.alloc(0))),
  ]);
  for (let i = 0; i < 2; i++) {
    const socket = await tcp(t, server.socketPath);
    socket.write(call);
    await once(socket, 'data');
  }
  await eventually(() => server.connections().socket === 2);
  const ask = async (): Promise<string> => {
    const answer = await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null));
    return typeof answer === 'string' ? answer : 'refused';
  };
  t.is(await ask(), 'refused');
  await passed(clock, 3500);
  t.deepEqual([await ask(), server.connections().socket], ['haproxy01', 2]);
});

test('a client of the socket that broke its connection and went makes room at once', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const shares = { ...SHARES, socket: { total: 2, each: 2 } };
  const server = await serveWorld(t, world, { clock, shares });
  const call = [headersOf(HealthService.watch.path), frame(0, 1, 1, message(Buffer.alloc(0)))];
  for (let i = 0; i < 2; i++) {
    const socket = await tcp(t, server.socketPath);
    socket.write(Buffer.concat([GREETING, ...call, TOO_LONG]));
    await once(socket, 'data');
    socket.destroy();
  }
  t.deepEqual(
    [
      await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null)),
      texts(server, 'refused'),
    ],
    ['haproxy01', ''],
  );
});

test('where descriptors are short strangers go first, then who asks nothing, and never a peer', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const peer = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  const link = http2(t, await tls(t, server.address, peer, '127.0.0.9'));
  const eve = await world.operator('eve', 'viewer');
  const idle = http2(t, await tls(t, server.address, eve));
  const silent = await tcp(t, server.address, '127.0.0.20');
  await eventually(() => {
    const { stranger, operator, peer } = server.connections();
    return stranger === 1 && operator === 1 && peer === 1;
  });
  t.is(server.shed(1), 1);
  await closed(silent);
  t.deepEqual(server.connections(), { ...NONE, operator: 1, peer: 1 });
  t.is(server.shed(10), 1);
  await eventually(() => idle.destroyed);
  t.deepEqual([server.connections(), link.destroyed], [{ ...NONE, peer: 1 }, false]);
});

test('while descriptors are short nobody is let in from where nobody known comes', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  let isShort = false;
  const server = await serveWorld(t, world, { clock, scarce: () => isShort });
  const anna = await world.operator('anna', 'viewer');
  http2(t, await tls(t, server.address, anna, '127.0.0.9'));
  await eventually(() => server.connections().operator === 1);
  isShort = true;
  for (let i = 0; i < 5; i++) await closed(await tcp(t, server.address, '127.0.0.20'));
  http2(t, await tls(t, server.address, anna, '127.0.0.9'));
  t.is(await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null)), 'haproxy01');
  await eventually(() => server.connections().operator === 2);
  t.is(server.connections().stranger, 0);
  isShort = false;
  await tcp(t, server.address, '127.0.0.20');
  await eventually(() => server.connections().stranger === 1);
  await passed(clock, 1000);
  t.is(texts(server, 'turned-away'), '5 from 127.0.0.20: came while no file descriptor was left');
});
