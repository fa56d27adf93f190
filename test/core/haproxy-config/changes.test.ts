import test from 'ava';
import { changesBetween, changesInWords } from '../../../agent/core/haproxy-config/changes.ts';
import { lostObjects, lostSessions } from '../../../agent/core/haproxy-config/losses.ts';
import { masker } from '../../../agent/core/haproxy-config/mask.ts';
import { partsOf } from '../../../agent/core/haproxy-config/parts.ts';
import { sectionsOf } from '../../../agent/core/haproxy-config/sections.ts';
import { fixture } from '../../fixture.ts';
import { intent } from '../builders.ts';

const WEB = fixture('haproxy-config/web.conf');
const NONE = { frontends: [], binds: [], backends: [], servers: [], certificates: [] };
const changed = (...edits: readonly [string, string][]) =>
  changesBetween([WEB], [edits.reduce((text, [from, to]) => text.replace(from, to), WEB)]);

test('the parts of a configuration as people write it', (t) => {
  const names = Object.entries(partsOf(sectionsOf(WEB))).map(([kind, found]) => [
    kind,
    [...found.keys()],
  ]);
  t.deepEqual(Object.fromEntries(names), {
    frontends: ['www', 'games', 'stats'],
    binds: [
      'www 10.1.60.200:80',
      'www 10.1.60.200:8080',
      'www [fd5e:d1c2:c9de:60::200]:80',
      'www 10.1.60.200:443',
      'www :8443',
      'games 10.1.60.200:27015-27030',
      'stats 127.0.0.1:8404',
    ],
    backends: [
      'ACME',
      'WEB',
      'GITEA',
      'GAMES',
      'STAGING (in a condition)',
      'OLD (in a condition)',
      'stats',
    ],
    servers: [
      'ACME/local',
      'WEB/web1',
      'WEB/web2',
      'WEB/spare',
      'GITEA/git1',
      'GAMES/game1',
      'GAMES/game2',
      'GAMES/game3',
      'GAMES/game4',
      'STAGING/stage1 (in a condition)',
      'OLD/old1 (in a condition)',
    ],
    certificates: [
      '/usr/local/etc/ssl/haproxy/www.example.net.pem',
      '/usr/local/etc/ssl/haproxy/api.example.net.pem',
      '/usr/local/etc/ssl/haproxy/list.txt',
    ],
  });
});

test('its secrets are hidden, and everything else is as it is written', (t) => {
  const text = WEB.split('\n')
    .map(masker(() => '***'))
    .join('\n');
  t.notRegex(text, /hunter|aHVudGVy|k6y3o/i);
  t.deepEqual(
    text.split('\n').filter((line, at) => line !== WEB.split('\n')[at]),
    [
      '    setenv API_TOKEN ***',
      '    cluster-secret ***',
      '    user anna password ***',
      '    user ben insecure-password ***',
      '    http-request deny unless { req.hdr(X-Api-Key) -m str *** } || { path_beg / }',
      '    http-request set-header Authorization ***',
      String.raw`    option httpchk GET /api/healthz "HTTP/1.1\r\nHost: git\r\nAuthorization: Bearer ***"`,
      '    stats auth admin:***',
    ],
  );
});

test('a configuration without indentation: nothing but its one password is hidden', (t) => {
  const lines = fixture('haproxy-config/home.conf').split('\n');
  const hidden = lines.map(masker(() => '***'));
  t.deepEqual(
    hidden.filter((line, at) => line !== lines[at]),
    ['stats auth haproxy:***'],
  );
  const { frontends, binds, backends, servers, certificates } = partsOf(
    sectionsOf(hidden.join('\n')),
  );
  t.deepEqual(
    [[...frontends.keys()], [...binds.keys()], [...certificates.keys()]],
    [
      ['HTTP_frontend'],
      ['ipv6@:443', 'ipv6@:80', ':443', ':80'].map((bind) => `HTTP_frontend ${bind}`),
      ['/usr/local/etc/ssl/example.net.pem'],
    ],
  );
  t.deepEqual([backends.size, servers.size], [11, 11]);
  t.is(servers.get('PROXMOX/proxmox'), '[fd5e:d1c2:c9de:10::11]:8006');
});

test('certificates without crt-base and of a store, and a template that only HAProxy can count', (t) => {
  const { certificates, servers } = partsOf(
    sectionsOf(
      [
        'crt-store web',
        '  crt-base /not/this',
        '  load crt store.pem key store.key alias "s"',
        'frontend f',
        '  bind :443 ssl crt site.pem crt @web/s crt-list /l.txt',
        'backend b',
        '  server-template app ${COUNT} app.example.net:80',
        '  server-template web 3-4 web.example.net:80',
      ].join('\n'),
    ),
  );
  t.deepEqual(
    [[...certificates.keys()], [...servers]],
    [
      ['store.pem', 'site.pem', '@web/s', '/l.txt'],
      [
        ['b/app${COUNT}', 'app.example.net:80'],
        ['b/web3', 'web.example.net:80'],
        ['b/web4', 'web.example.net:80'],
      ],
    ],
  );
});

test('CRLF and no final newline are no difference', (t) => {
  const text = fixture('haproxy-config/crlf.conf');
  t.deepEqual(changesBetween([text], [`${text.replaceAll('\r', '')}\n`]), {
    differs: false,
    added: NONE,
    gone: NONE,
    moved: [],
    sections: [],
  });
  t.deepEqual(
    [...partsOf(sectionsOf(text)).servers],
    [
      ['mail/m1', '10.0.0.1:25'],
      ['mail/m2', '10.0.0.2:25'],
    ],
  );
});

test('what is new, gone and moved, and which sections differ', (t) => {
  const seen = changed(
    ['    server web2 10.1.61.12:8080 cookie w2 weight 50\n', ''],
    ['web1 10.1.61.11:8080', 'web1 10.1.61.99:8080'],
    ['# server web4', 'server web4'],
    ['10.1.60.200:80,10.1.60.200:8080', '10.1.60.200:80'],
    ['crt api.example.net.pem ', ''],
    ['frontend games', 'frontend play'],
    ['game 4 games', 'game 2 games'],
  );
  t.deepEqual(seen, {
    differs: true,
    added: {
      ...NONE,
      frontends: ['play'],
      binds: ['play 10.1.60.200:27015-27030'],
      servers: ['WEB/web4'],
    },
    gone: {
      ...NONE,
      frontends: ['games'],
      binds: ['www 10.1.60.200:8080', 'games 10.1.60.200:27015-27030'],
      servers: ['WEB/web2', 'GAMES/game3', 'GAMES/game4'],
      certificates: ['/usr/local/etc/ssl/haproxy/api.example.net.pem'],
    },
    moved: [{ server: 'WEB/web1', from: '10.1.61.11:8080', to: '10.1.61.99:8080' }],
    sections: ['frontend www', 'frontend games', 'backend WEB', 'backend GAMES', 'frontend play'],
  });
  t.is(
    changesInWords(seen),
    'new frontend play, gone frontend games, new bind play 10.1.60.200:27015-27030, ' +
      'gone bind www 10.1.60.200:8080 and 1 more, new server WEB/web4, ' +
      'gone server WEB/web2 and 2 more, ' +
      'gone certificate /usr/local/etc/ssl/haproxy/api.example.net.pem, ' +
      'moved server WEB/web1 from 10.1.61.11:8080 to 10.1.61.99:8080',
  );
});

test('comments and spacing are no difference; a line, a condition and the order of files are', (t) => {
  const comment = changed(['# The front', '# the front'], ['    maxconn', '\tmaxconn']);
  t.deepEqual([comment.differs, changesInWords(comment)], [false, 'only comments or spacing']);
  const line = changed(['balance leastconn', 'balance source'], ['mode tcp', 'mode  http']);
  t.deepEqual(
    [line.differs, changesInWords(line)],
    [true, 'other lines in defaults tcp and 1 more sections'],
  );
  const condition = changed(['defined(STAGING)', '!defined(STAGING)']);
  t.deepEqual(
    [condition.differs, changesInWords(condition)],
    [true, 'other lines in conditions or the order of files'],
  );
  t.true(changesBetween(['global\n', 'defaults\n'], ['defaults\n', 'global\n']).differs);
});

test("the nodes' own names are no difference", (t) => {
  const [one, other] = ['haproxy01', 'haproxy02'].map(
    (node) =>
      `global\n  node ${node}\npeers p\n  peer ${node} 10.0.0.1:1024\n` +
      `backend b\n  server ${node} ${node}.example.net:80\n`,
  );
  const texts = [[one ?? ''], [other ?? '']] as const;
  t.deepEqual(changesBetween(...texts, ['haproxy01', 'haproxy02']), {
    differs: false,
    added: NONE,
    gone: NONE,
    moved: [],
    sections: [],
  });
  t.true(changesBetween(...texts).differs);
});

test('sessions and wishes that would lose their server', (t) => {
  const server = (backend: string, name: string, sessions: number) => ({ backend, name, sessions });
  const servers = [server('WEB', 'web1', 3), server('WEB', 'web2', 5), server('WEB', 'web3', 0)];
  const gone = ['WEB/web2', 'WEB/web1', 'WEB/web3'];
  t.deepEqual(lostSessions(gone, { node: 'haproxy01', servers: servers as never }), [
    { node: 'haproxy01', server: 'WEB/web2', sessions: 5 },
    { node: 'haproxy01', server: 'WEB/web1', sessions: 3 },
  ]);
  const wishes = [
    intent('server//WEB/web2', 'drain', { actor: 'anna' }),
    intent('weight//WEB/web3', '20%', { actor: 'ben' }),
    intent('server//WEB/web9', 'maint', { actor: 'anna' }),
    intent('server//WEB/web1', 'maint', { deleted: true }),
    intent('pause', 'on'),
  ];
  t.deepEqual(lostObjects(gone, wishes), [
    { server: 'WEB/web2', wish: 'drain', actor: 'anna' },
    { server: 'WEB/web3', wish: 'weight 20%', actor: 'ben' },
  ]);
});
