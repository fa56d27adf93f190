import test from 'ava';
import { configFacts } from '../../agent/haproxy/config-facts.ts';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';
import { wordsOf } from '../../agent/core/haproxy-config/words.ts';

const facts = (...lines: string[]) =>
  configFacts(
    '/h.conf',
    [{ file: '/h.conf', sections: sectionsOf(lines.join('\n'), '/h.conf') }],
    ['haproxy01', 'haproxy02'],
  );

test('words: quotes, escapes and comments as HAProxy reads them', (t) => {
  t.deepEqual(wordsOf(String.raw`  a "b c" 'd \ e' f\ g "h\"i" j# k`), {
    words: ['a', 'b c', String.raw`d \ e`, 'f g', 'h"i', 'j'],
    end: 31,
  });
  t.deepEqual(wordsOf('# all comment').words, []);
  t.deepEqual(wordsOf('http-request set-header X ""').words, [
    'http-request',
    'set-header',
    'X',
    '',
  ]);
  t.deepEqual(wordsOf("acl x path '#frag'").words, ['acl', 'x', 'path', '#frag']);
  t.deepEqual(wordsOf('a\tb\r').words, ['a', 'b']);
});

test('sections begin at their keyword, wherever it is indented', (t) => {
  const text = 'global\n  daemon\n\n# x\nbackend A # the first\n  server a 10.0.0.1:80 # s\n';
  t.deepEqual(
    sectionsOf(text).map(({ title, number, lines }) => [title, number, lines.length]),
    [
      ['', 1, 0],
      ['global', 1, 2],
      ['backend A', 5, 2],
    ],
  );
  t.is(sectionsOf(text)[2]?.lines[1]?.text, 'server a 10.0.0.1:80');
});

test('servers: addresses with and without brackets, families, unix sockets, checks and their defaults', async (t) => {
  const { servers } = await facts(
    'defaults',
    'default-server inter 3s check',
    'backend A',
    'server a [fd5e::1]:443 ssl verify none',
    'server b ::1:8082',
    'server c ipv4@localhost:80 no-check',
    'server d /var/run/app.sock',
    'backend B',
    'default-server no-check',
    'server e 10.0.0.1:80',
    'server f 10.0.0.2:80 check',
    'defaults',
    'backend C',
    'server g 10.0.0.3',
    'peers p',
    'server haproxy01 10.0.0.4:1024',
  );
  t.deepEqual(
    servers.map(({ backend, name, host, port, check }) => [backend, name, host, port, check]),
    [
      ['A', 'a', 'fd5e::1', 443, true],
      ['A', 'b', '::1', 8082, true],
      ['A', 'c', 'localhost', 80, false],
      ['A', 'd', '', 0, true],
      ['B', 'e', '10.0.0.1', 80, false],
      ['B', 'f', '10.0.0.2', 80, true],
      ['C', 'g', '', 0, false],
    ],
  );
});

test('names a frontend with TLS chooses by; patterns and files are none', async (t) => {
  const { hosts } = await facts(
    'frontend web',
    'bind :443 ssl crt /a.pem',
    'use_backend A if { hdr(host) -i a.example.net b.example.net } || { path /x }',
    'acl c ssl_fc_sni -i c.example.net',
    'acl d hdr(host) -m end .example.net',
    'acl e hdr(host) -f /list',
    'frontend plain',
    'bind :80',
    'use_backend A if { hdr(host) -i z.example.net }',
  );
  t.deepEqual(
    hosts.map(({ name, line }) => [name, line]),
    [
      ['a.example.net', 3],
      ['b.example.net', 3],
      ['c.example.net', 4],
    ],
  );
});

test('names that are turned away, addresses, and what is no match are no names that are served', async (t) => {
  const { hosts } = await facts(
    'frontend web',
    'bind :443 ssl crt /a.pem',
    'http-request deny if { hdr(host) -i evil.example.net }',
    'http-request deny deny_status 421 unless { hdr(host) -i a.example.net }',
    'tcp-request content reject if { ssl_fc_sni b.example.net }',
    'http-request silent-drop if { req.hdr(host) c.example.net }',
    'acl d hdr(host) -i d.example.net',
    'http-request reject if !d',
    'acl g hdr(host) -i g.example.net',
    'http-request reject if g or { hdr(host) h.example.net }',
    'http-request deny if { hdr(host) -i i.example.net } !{ src 10.0.0.0/8 }',
    'acl j hdr(host) j.example.net',
    'http-request deny if j !office',
    'acl e hdr(host) -i e.example.net',
    'http-request tarpit if e { path /x }',
    'use_backend E if e',
    'acl f hdr(host) -i f.example.net',
    'acl ip hdr(host) 10.1.60.200',
    'http-request track-sc0 hdr(host) table per.host',
    'http-request redirect prefix https://www.example.net if !{ hdr(host) -i www.example.net }',
  );
  t.deepEqual(
    hosts.map(({ name }) => name),
    ['a', 'd', 'i', 'j', 'e', 'f', 'www'].map((name) => `${name}.example.net`),
  );
});

test('the ACME route in place or behind an acl, stick tables with their peers, sockets with their level', async (t) => {
  const read = await facts(
    'global',
    'stats socket /a.sock mode 660',
    'stats socket unix@/b.sock level admin',
    'peers pair',
    'peer haproxy01 10.1.60.201:1024',
    'frontend web',
    'bind :80',
    'acl acme path_beg /.well-known/acme-challenge/',
    'use_backend ACME if acme',
    'use_backend OTHER if { path_beg /.well-known/acme-challenge/ }',
    'backend A',
    'stick-table type ip size 50k peers pair',
    'stick on src',
  );
  t.deepEqual(
    { ...read, digest: '', sections: [] },
    {
      path: '/h.conf',
      digest: '',
      sections: [],
      sockets: [
        { path: '/a.sock', level: 'operator', line: 2, text: 'stats socket /a.sock mode 660' },
        {
          path: '/b.sock',
          level: 'admin',
          line: 3,
          text: 'stats socket unix@/b.sock level admin',
        },
      ],
      servers: [],
      tables: [
        {
          section: 'backend A',
          line: 12,
          text: 'stick-table type ip size 50k peers pair',
          peers: 'pair',
        },
      ],
      peers: ['pair'],
      hosts: [],
      acme: [
        { section: 'frontend web', line: 9, backend: 'ACME' },
        { section: 'frontend web', line: 10, backend: 'OTHER' },
      ],
      plain: { section: 'frontend web', line: 6 },
    },
  );
});

test('digests: comments, spacing and the name of the node are no difference; a password is, unseen', async (t) => {
  const one = await facts('global', '  localpeer haproxy01 # here', 'stats auth a:secret');
  const same = await facts('# other', 'global', 'localpeer   haproxy02', 'stats auth a:secret');
  const other = await facts('global', 'localpeer haproxy02', 'stats auth a:secret2');
  t.is(one.digest, same.digest);
  t.deepEqual(one.sections, same.sections);
  t.not(one.digest, other.digest);
  t.false(JSON.stringify(other).includes('secret'));
});
