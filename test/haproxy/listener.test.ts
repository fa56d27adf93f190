import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bindsIn, clientPlaces } from '../../agent/haproxy/binds.ts';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';
import { knock } from '../../agent/haproxy/knock.ts';
import { listener } from '../../agent/haproxy/listener.ts';
import { freePorts, freeze, shortFolder, startHaproxy } from './haproxy.ts';

/** A server of the test that does `then` with each connection. */
async function server(t: ExecutionContext, then: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const one = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    then(socket);
  }).listen(0, '127.0.0.1');
  await once(one, 'listening');
  t.teardown(() => {
    one.close();
    for (const socket of sockets) socket.destroy();
  });
  const bound = one.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** A haproxy.conf of a test, and who asks its listeners. */
function asking(
  t: ExecutionContext,
  lines: readonly string[],
  more: Partial<Parameters<typeof listener>[0]> = {},
) {
  const config = join(shortFolder(t), 'haproxy.conf');
  writeFileSync(config, `${lines.join('\n')}\n`);
  return listener({ config, frontends: [], probe: '', elsewhere: () => [], ...more });
}

test('places of clients: the ports of binds on their address or on a wildcard, of its family', (t) => {
  const sections = sectionsOf(
    [
      'frontend a',
      'bind 10.1.60.200:80,[2001:db8::1]:80',
      'bind *:443 ssl crt /a.pem',
      'bind :::8443 v4v6',
      'bind ipv6@:8444',
      'bind 10.1.60.9:81',
      'bind 127.0.0.1:8404',
      'bind /run/a.sock',
      'backend b',
      'bind 10.1.60.200:9',
    ].join('\n'),
  );
  t.deepEqual(clientPlaces(sections, ['10.1.60.200']), [
    '10.1.60.200:80',
    '10.1.60.200:443',
    '10.1.60.200:8443',
  ]);
  t.deepEqual(clientPlaces(sections, ['2001:db8::1']), [
    '[2001:db8::1]:80',
    '[2001:db8::1]:8443',
    '[2001:db8::1]:8444',
  ]);
  t.deepEqual(clientPlaces([], ['10.1.60.200']), []);
});

test('binds as people write them, where a connection from this host gets there', (t) => {
  const text = `
frontend web
    bind *:80
    bind :443 ssl crt /a.pem
    bind 10.1.60.200:8080,ipv4@:8081 accept-proxy
    bind [::]:80 v4v6
    bind :::82 v6only
    bind ipv6@:83
    bind 0.0.0.0:8000-8010
    bind "\${VIP}:8443"
    bind quic4@:443 ssl crt /a.pem
    bind unix@/run/x.sock
    bind /run/y.sock
    bind abns@z
    bind 10.1.60.9:81 interface vtnet0
    bind www.example.net:84
listen stats
    bind tcp4@127.0.0.1:9000
backend app
    bind 1.2.3.4:5
`;
  t.deepEqual(
    bindsIn(sectionsOf(text)).map(({ frontend, host, port }) => `${frontend} ${host} ${port}`),
    [
      'web 127.0.0.1 80',
      'web 127.0.0.1 443',
      'web 10.1.60.200 8080',
      'web 127.0.0.1 8081',
      'web 127.0.0.1 80',
      'web ::1 82',
      'web ::1 83',
      'web 127.0.0.1 8000',
      'stats 127.0.0.1 9000',
    ],
  );
});

test('a bind that may not be there, or is not, is not asked', (t) => {
  const text = `
frontend web
.if defined(EDGE)
    bind :80
.elif feature(OPENSSL)
    bind :81
.else
    bind :82
.endif
.if 0
    bind :83
.endif
.if 1
    bind :84
.endif
    bind ":85" # :86
    bind '10.1.60.200:87'
frontend old
    bind :88
    disabled
.if defined(EDGE)
frontend edge
.endif
    bind :89
`;
  t.deepEqual(
    bindsIn(sectionsOf(text)).map(({ frontend, host, port }) => `${frontend} ${host} ${port}`),
    ['web 127.0.0.1 84', 'web 127.0.0.1 85', 'web 10.1.60.200 87'],
  );
});

test('a real HAProxy answers a knock at a plain and at a TLS listener; frozen it is silent, dead it refuses', async (t) => {
  const haproxy = await startHaproxy(t);
  const both = (deadlineMs: number) =>
    Promise.all(
      [haproxy.port, haproxy.tlsPort].map((port) => knock('127.0.0.1', port, deadlineMs)),
    );
  t.deepEqual(await both(5000), ['answers', 'answers']);
  await freeze(haproxy.child());
  t.deepEqual(await both(300), ['silent', 'silent']);
  haproxy.child().kill('SIGKILL');
  await once(haproxy.child(), 'exit');
  t.deepEqual(await both(5000), ['refused', 'refused']);
});

test('whoever resets every connection is there', async (t) => {
  let asked = 0;
  const port = await server(t, (socket) => {
    asked++;
    socket.resetAndDestroy();
  });
  t.deepEqual([await knock('127.0.0.1', port, 5000), asked], ['answers', 3]);
});

test('one listener that answers is enough, and the others are not waited for', async (t) => {
  const [closed = 0] = await freePorts(1);
  const mute = await server(t, () => undefined);
  const live = await server(t, (socket) => socket.end());
  const lines = ['frontend a', `  bind :${closed}`, `  bind :${mute}`, `  bind :${live}`];
  const { ask } = asking(t, lines);
  t.deepEqual(await ask(60_000), { kind: 'answers', at: `127.0.0.1:${live}` });
});

test('only the required frontends are asked, and no VIP that another host has', async (t) => {
  const [closed = 0] = await freePorts(1);
  const live = await server(t, (socket) => socket.end());
  const lines = ['frontend a', `  bind :${live}`, 'frontend b', `  bind :${closed}`];
  const required = asking(t, lines, { frontends: ['b'] });
  t.deepEqual(await required.ask(5000), { kind: 'refused', at: `127.0.0.1:${closed}` });
  const vip = asking(t, ['frontend a', `  bind 127.0.0.1:${live}`], {
    elsewhere: () => ['127.0.0.1'],
  });
  t.deepEqual(await vip.ask(5000), { kind: 'none', at: '' });
});

test('no haproxy.conf: there is nothing to ask', async (t) => {
  const { ask } = asking(t, [], { config: '/nowhere/haproxy.conf' });
  t.deepEqual(await ask(5000), { kind: 'none', at: '' });
});

test('a probe asks its URL of the local listener, with its name; any answer counts', async (t) => {
  const asked: string[] = [];
  const port = await server(t, (socket) =>
    socket.on('data', (chunk) => {
      asked.push(chunk.toString().replaceAll('\r\n', '\n'));
      socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
    }),
  );
  const url = `http://www.example.net:${port}/health?a=1`;
  const { ask } = asking(t, [], { probe: url });
  t.deepEqual(await ask(5000), { kind: 'answers', at: `${url} (127.0.0.1:${port})` });
  t.deepEqual(asked, [
    `GET /health?a=1 HTTP/1.1\nhost: www.example.net:${port}\nuser-agent: proxyagent\nconnection: close\n\n`,
  ]);
});

test('a probe over TLS is answered by a real HAProxy; a silent or closed listener is what it is', async (t) => {
  const { tlsPort } = await startHaproxy(t);
  const [closed = 0] = await freePorts(1);
  const mute = await server(t, () => undefined);
  const kindAt = async (probe: string, deadlineMs: number): Promise<string> =>
    (await asking(t, [], { probe }).ask(deadlineMs)).kind;
  t.deepEqual(
    [
      await kindAt(`https://a.test:${tlsPort}/`, 5000),
      await kindAt(`http://a.test:${mute}/`, 300),
      await kindAt(`http://a.test:${closed}/`, 5000),
    ],
    ['answers', 'silent', 'refused'],
  );
});
