import test from 'ava';
import { configFacts } from '../../agent/haproxy/config-facts.ts';
import { scanConfig } from '../../agent/haproxy/config-scan.ts';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';

// haproxy.conf as people write it: conditions, variables, named defaults.

const PATH = '/usr/local/etc/haproxy.conf';
const facts = (text: string) =>
  configFacts(PATH, [{ file: PATH, sections: sectionsOf(text, PATH) }], []);
const unchecked = async (text: string): Promise<string[]> =>
  (await facts(text)).servers
    .filter(({ check }) => !check)
    .map(({ backend, name }) => `${backend}/${name}`);
const scan = (text: string) => scanConfig(sectionsOf(text), '/usr/local/etc/haproxy.conf');

test('conditions: constants are decided, of others every branch is marked, also a section they begin', (t) => {
  const text = `.if 0
global
.elif 1
global
.else
backend no
.endif
.notice "hello"
.if version_atleast(2.6)
  daemon
.else
backend a
  .if true
  server a 10.0.0.1:80
  .endif
.endif
  server b 10.0.0.2:80
backend c
.if defined(X)
  server c 10.0.0.3:80
.elif true
  server d 10.0.0.4:80
.endif
`;
  t.deepEqual(
    sectionsOf(text).flatMap(({ title, lines }) =>
      lines.map(({ number, isGuarded }) => [title, number, isGuarded]),
    ),
    [
      ['global', 4, false],
      ['global', 10, true],
      ['backend a', 12, true],
      ['backend a', 14, true],
      ['backend a', 17, true],
      ['backend c', 18, false],
      ['backend c', 20, true],
      ['backend c', 22, true],
    ],
  );
});

test('a guarded bind and a certificate behind a variable are unknown, and names are not compared then', async (t) => {
  const text = `global
  stats socket /var/run/haproxy.sock mode 660 level admin
defaults checked
  default-server check inter 2s
defaults plain
frontend guarded from checked
.if defined(EDGE_NEW_LAYOUT)
  bind :8443 ssl crt /usr/local/etc/ssl/new-layout/site.pem
.else
  bind :8443 ssl crt "\${CERTDIR}/lb.pem"
.endif
  use_backend GUARDED if { hdr(host) shop.example.org }
backend GUARDED from checked
  server g1 192.0.2.1:80
backend NOCHECK from plain
  server n1 192.0.2.2:80
`;
  t.like(scan(text), {
    listeners: [],
    unknown: [
      {
        number: 8,
        text: 'bind :8443 ssl crt /usr/local/etc/ssl/new-layout/site.pem',
        files: ['/usr/local/etc/ssl/new-layout/site.pem'],
      },
      { number: 10, text: 'bind :8443 ssl crt "${CERTDIR}/lb.pem"', files: [] },
    ],
  });
  t.deepEqual((await facts(text)).hosts, []);
  t.deepEqual(await unchecked(text), ['NOCHECK/n1']);
});

test('the level of a stats socket that cannot be known is unknown', async (t) => {
  t.deepEqual(
    (await facts('global\nstats socket "${RUN}/haproxy.sock" level admin')).sockets.map(
      ({ level }) => level,
    ),
    ['unknown'],
  );
});

test('checks come from the defaults that are named, else from the last before; lines count for servers behind them', async (t) => {
  const text = `defaults plain
  mode http
defaults checked
  default-server check
defaults deeper from checked
  timeout connect 5s
backend a from plain
  server a1 192.0.2.1:80
backend b
  server b1 192.0.2.1:80
backend c from deeper
  server c1 192.0.2.1:80 no-check
  server c2 192.0.2.1:80
listen d from plain
  server d1 192.0.2.1:80
  default-server check
  server d2 192.0.2.1:80
backend e from nowhere
  server e1 192.0.2.1:80
defaults
backend f
  server f1 192.0.2.1:80
  server f2 192.0.2.1:80 track b/b1
  server f3 192.0.2.1:80 disabled
  server f4 192.0.2.1:80 "\${OPTIONS[*]}"
  server f5 "\${WEB}:80"
  server f6 0.0.0.0:0
  server f7 *:443
backend g
  disabled
  server g1 192.0.2.1:80
`;
  t.deepEqual(await unchecked(text), ['a/a1', 'c/c1', 'd/d1', 'f/f1', 'f/f5']);
});

test('a server that is HAProxy itself needs no check: its binds, also sockets, and stats over TCP', async (t) => {
  const text = `global
  stats socket 127.0.0.1:1999 level admin
frontend inner
  bind abns@inner accept-proxy
  bind /run/inner.sock,*:8080
frontend outer
  bind 192.0.2.1:8443
frontend off
  disabled
  bind 127.0.0.1:8500
backend B
  server a abns@inner
  server b unix@/run/inner.sock
  server c 127.0.0.1:8080
  server d localhost:1999
  server e 127.0.0.1:8443
  server f 192.0.2.9:8080
  server g 127.0.0.1:8500
`;
  t.deepEqual(await unchecked(text), ['B/e', 'B/f', 'B/g']);
});

test('a default-server or defaults in a condition: whether servers are checked is not known', async (t) => {
  t.deepEqual(
    await unchecked(`backend a
.if defined(X)
  default-server check
.endif
  server a1 192.0.2.1:80
.if defined(X)
defaults
  default-server check
.endif
backend b
  server b1 192.0.2.1:80
  server b2 192.0.2.1:80 no-check
`),
    ['b/b2'],
  );
});

test('server-template lines are servers; who resolves names itself is not asked for the first address', async (t) => {
  const text = `backend a
  server-template web 1-3 web.example.org:80
  server-template api 5 _http._tcp.api.example.org resolvers dns check
  server r web.example.org:80 resolvers dns check
  server h web.example.org:80 check
`;
  t.deepEqual(
    (await facts(text)).servers.map(({ name, host, port, check }) => [name, host, port, check]),
    [
      ['web1-3', '', 0, false],
      ['api5', '', 0, true],
      ['r', '', 0, true],
      ['h', 'web.example.org', 80, true],
    ],
  );
});

test('servers that nobody can check or connect to need no check, and are asked for no address', async (t) => {
  const text = `backend a
  server r rhttp@
  server u udp@10.0.0.1:514
  server q quic4@10.0.0.2:443 ssl
  server m mptcp4@10.0.0.3:443
backend l
  mode log
  server u 10.0.0.1:514
`;
  t.deepEqual(
    (await facts(text)).servers.map(({ name, host, check }) => [name, host, check]),
    [
      ['r', '', true],
      ['u', '', true],
      ['q', '', false],
      ['m', '10.0.0.3', false],
      ['u', '10.0.0.1', true],
    ],
  );
});

test('default-path says where relative names are looked for', (t) => {
  const of = (...lines: string[]) => scan(['global', ...lines].join('\n')).directory;
  t.is(of('default-path config'), '/usr/local/etc');
  t.is(of('default-path parent'), '/usr/local');
  t.is(of('default-path origin /srv/lb'), '/srv/lb');
  t.is(of('default-path origin "${BASE}"'), null);
  t.is(of('default-path current'), null);
  t.is(of(), null);
});

test('tables that only count clients are no matter; those by which clients stick are', async (t) => {
  const text = `frontend web
  stick-table type ip size 100k expire 30s store http_req_rate(10s)
  http-request track-sc0 src
backend shared
  stick-table type ipv6 size 1m expire 30m
backend app
  stick on src table shared
backend own
  stick-table type ip size 1m peers "\${PEERS}"
  stick on src
`;
  t.deepEqual(
    (await facts(text)).tables.map(({ section }) => section),
    ['backend shared'],
  );
});
