import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { configFiles } from '../../agent/haproxy/config-files.ts';
import { backendsAt, scanConfig as scanned } from '../../agent/haproxy/config-scan.ts';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';
import { shortFolder } from './haproxy.ts';

const scanConfig = (text: string) => scanned(sectionsOf(text));
const listenersOf = (...lines: string[]) =>
  scanConfig(['frontend web', ...lines].join('\n')).listeners;

const ALL = { key: true, ocsp: true, issuer: true, sctl: true, insteadOfCrt: false };

test('a usual haproxy.conf: every TLS listener', (t) => {
  const text = `# generated
global
\tstats socket /var/run/reader.sock mode 660 level operator
\tstats socket /var/run/haproxy.sock mode 660 level admin group proxyctl
\tcrt-base /usr/local/etc/ssl
\tdaemon
defaults
\ttimeout connect 30s
frontend HTTP_frontend
\tmode http
\tbind ipv6@:443 ssl crt /usr/local/etc/ssl/example.net.pem alpn h2,http/1.1
\tbind ipv6@:80
\tbind :443 ssl crt example.net.pem alpn h2,http/1.1
\tbind :80
listen mail
\tbind :8443 ssl crt-list /usr/local/etc/crt-list.txt
\tbind :9443 ssl crt-list /usr/local/etc/crt-list.txt
\tbind [fd5e::200]:993 ssl crt mail.pem # the old one: crt old.pem
backend GITEA
\tserver gitea [fd5e::8]:3000 ssl verify none crt client.pem
`;
  t.deepEqual(scanConfig(text), {
    listeners: [
      { host: '', port: 443, crt: '/usr/local/etc/ssl/example.net.pem' },
      { host: '', port: 443, crt: '/usr/local/etc/ssl/example.net.pem' },
      { host: 'fd5e::200', port: 993, crt: '/usr/local/etc/ssl/mail.pem' },
    ],
    crtLists: ['/usr/local/etc/crt-list.txt'],
    lists: [
      { host: '', port: 8443, list: '/usr/local/etc/crt-list.txt' },
      { host: '', port: 9443, list: '/usr/local/etc/crt-list.txt' },
    ],
    crtBase: '/usr/local/etc/ssl',
    extra: ALL,
    stores: [],
    directory: null,
    unknown: [],
  });
});

test('one bind line with several addresses and several certificates', (t) => {
  t.deepEqual(listenersOf('bind 10.1.60.200:443,[fd5e::200]:443 ssl crt /a.pem crt /b.pem'), [
    { host: '10.1.60.200', port: 443, crt: '/a.pem' },
    { host: '10.1.60.200', port: 443, crt: '/b.pem' },
    { host: 'fd5e::200', port: 443, crt: '/a.pem' },
    { host: 'fd5e::200', port: 443, crt: '/b.pem' },
  ]);
});

test('what serves no TLS with a certificate of its own is no listener', (t) => {
  t.deepEqual(
    listenersOf(
      'bind :80',
      'bind :443 ssl crt-list /usr/local/etc/ssl/list',
      'bind /var/run/web.sock ssl crt /a.pem',
      'bind :8000-8010 ssl crt /a.pem',
      'bind :443 ssl crt',
      'bind',
      'backend x',
      'bind :443 ssl crt /a.pem',
      'peers mypeers',
      'bind :443 ssl crt /a.pem',
      'log-forward syslog',
      'bind :443 ssl crt /a.pem',
    ),
    [],
  );
});

test('a directory is named without its last slash, a name of a crt-store without the base', (t) => {
  const text = [
    'global',
    'crt-base /c',
    'frontend web',
    'bind :443 ssl crt d/ crt /e/ crt @web/shop',
  ];
  t.deepEqual(
    scanConfig(text.join('\n')).listeners.map(({ crt }) => crt),
    ['/c/d', '/e', '@web/shop'],
  );
});

test('which files HAProxy looks for beside a certificate: all, none, some, .crt given way', (t) => {
  const extraOf = (...lines: string[]) => scanConfig(['global', ...lines].join('\n')).extra;
  const none = { key: false, ocsp: false, issuer: false, sctl: false, insteadOfCrt: false };
  t.deepEqual(extraOf('ssl-load-extra-files none'), none);
  t.deepEqual(extraOf('ssl-load-extra-files all'), ALL);
  t.deepEqual(extraOf('ssl-load-extra-files bundle key ocsp'), { ...none, key: true, ocsp: true });
  t.deepEqual(extraOf('ssl-load-extra-del-ext'), { ...ALL, insteadOfCrt: true });
});

test('a crt-store: aliases and file names, its own bases before those of global', (t) => {
  const text = `global
\tcrt-base /g/c
\tkey-base /g/k
crt-store web
\tcrt-base /s/c
\tkey-base /s/k
\tload crt "shop.crt" key "shop.key" alias "shop"
\tload crt all.pem
\tload crt /abs/x.crt key /abs/x.key
crt-store
\tload crt site.crt key site.key
crt-store env
\tcrt-base "\${SSL}"
\tload crt v.pem
`;
  t.deepEqual(scanConfig(text).stores, [
    {
      name: '@web/shop',
      crt: 'shop.crt',
      key: 'shop.key',
      certificateFile: '/s/c/shop.crt',
      keyFile: '/s/k/shop.key',
    },
    {
      name: '@web/all.pem',
      crt: 'all.pem',
      key: null,
      certificateFile: '/s/c/all.pem',
      keyFile: null,
    },
    {
      name: '@web/abs/x.crt',
      crt: '/abs/x.crt',
      key: '/abs/x.key',
      certificateFile: '/abs/x.crt',
      keyFile: '/abs/x.key',
    },
    {
      name: '@/site.crt',
      crt: 'site.crt',
      key: 'site.key',
      certificateFile: '/g/c/site.crt',
      keyFile: '/g/k/site.key',
    },
    { name: '@env/v.pem', crt: 'v.pem', key: null, certificateFile: null, keyFile: null },
  ]);
  const [based] = scanConfig('crt-store web\n\tload crt shop.crt key shop.key\n').stores;
  t.like(based, { certificateFile: null, keyFile: null });
});

test('text that is no configuration has nothing in it', (t) => {
  for (const text of ['', '\0\0', '{"a": 1}', '\n'.repeat(1000)])
    t.deepEqual(scanConfig(text), {
      listeners: [],
      crtLists: [],
      lists: [],
      crtBase: '',
      extra: ALL,
      stores: [],
      directory: null,
      unknown: [],
    });
});

test('haproxy.conf is read again once it is another one, and missed where it is none', async (t) => {
  const path = join(shortFolder(t), 'haproxy.conf');
  const read = configFiles(() => Promise.resolve({ files: [path], problem: '' }));
  await t.throwsAsync(read(), { code: 'ENOENT' });
  const seen: string[] = [];
  for (const base of ['/a', '/b']) {
    writeFileSync(path, `global\n\tcrt-base ${base}\n`);
    const [first, again] = [await read(), await read()];
    t.is(first, again);
    seen.push(first.scan.crtBase);
  }
  t.deepEqual(seen, ['/a', '/b']);
});

test('backends of which every server is at one of the addresses, and no others', (t) => {
  const text = `frontend web
\tdefault_backend ACME
backend ACME
\tserver agent4 127.0.0.1:7661 check
\tserver agent6 [::1]:7661 check
backend MIXED
\tserver agent4 127.0.0.1:7661
\tserver other 127.0.0.1:8080
backend PLAIN
\tserver agent6 ipv6@::1:7661
backend EMPTY
backend WEB
\tserver web1 10.1.60.11:7661
`;
  const addresses = ['127.0.0.1:7661', '[::1]:7661'];
  t.deepEqual(
    [...backendsAt([{ file: '', sections: sectionsOf(text) }], addresses)],
    ['ACME', 'PLAIN'],
  );
  t.deepEqual([...backendsAt([{ file: '', sections: sectionsOf(text) }], [])], []);
});
