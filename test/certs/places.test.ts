import test from 'ava';
import { filePlace, placeOf, type PlaceSources } from '../../agent/certs/places.ts';
import { notFoundByName } from '../../agent/certs/crt-ending.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { scanConfig } from '../../agent/haproxy/config-scan.ts';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';

const CONFIG = `global
\tssl-load-extra-del-ext
crt-store web
\tcrt-base /s/c
\tkey-base /s/k
\tload crt shop.crt key shop.key alias shop
\tload crt twice.crt key twice.key
\tload crt twice.crt key other.key
crt-store bare
\tload crt shop.crt key shop.key
`;

const sources = (crt = 'shop.crt', key = 'shop.key'): PlaceSources => ({
  node: 'n1',
  scan: () => Promise.resolve(scanConfig(sectionsOf(CONFIG))),
  details: () => Promise.resolve({ algorithm: 'EC256', crt, key }),
});
const NONE = { ocsp: null, issuer: null, sctl: null };

test('the files of a certificate that is named by its file, as haproxy.conf has it', async (t) => {
  t.deepEqual(await placeOf(sources(), '/c/site.crt'), {
    certificate: '/c/site.crt',
    key: '/c/site.key',
    ocsp: '/c/site.ocsp',
    issuer: '/c/site.issuer',
    sctl: '/c/site.sctl',
  });
  t.is((await placeOf(sources(), '/c/site.pem')).key, '/c/site.pem.key');
  const { extra } = scanConfig(sectionsOf('global\nssl-load-extra-files none'));
  t.deepEqual(filePlace('/c/site.crt', extra), { certificate: '/c/site.crt', key: null, ...NONE });
});

test('haproxy.conf that cannot be read: nothing is guessed where it decides', async (t) => {
  const unread = { ...sources(), scan: () => Promise.reject(new Error('EACCES')) };
  t.is((await placeOf(unread, '/c/site.pem')).key, '/c/site.pem.key');
  t.deepEqual(await placeOf(unread, '/c/site.crt'), {
    certificate: '/c/site.crt',
    key: null,
    ...NONE,
  });
});

test('a name of a crt-store is its load line, where HAProxy says the same', async (t) => {
  const files = { certificate: '/s/c/shop.crt', key: '/s/k/shop.key', ...NONE };
  t.deepEqual(await placeOf(sources(), '@web/shop'), files);
});

test('files that are not certain are refused with what to do', async (t) => {
  const cases: readonly (readonly [PlaceSources, string, string])[] = [
    [
      sources(),
      'site.pem',
      'it is neither an absolute path nor a name of a crt-store, and no default-path says where it is',
    ],
    [sources(), '@web/nope', 'haproxy.conf has no such line in a crt-store section'],
    [sources('twice.crt'), '@web/twice.crt', 'haproxy.conf has 2 load lines for it'],
    [
      sources('old.crt'),
      '@web/shop',
      'HAProxy has loaded it from old.crt shop.key, haproxy.conf says shop.crt shop.key',
    ],
    [
      sources(),
      '@bare/shop.crt',
      'its load line has a path that is not absolute, and no crt-base, key-base or default-path makes it so',
    ],
  ];
  for (const [from, path, cause] of cases) {
    const { detail } = await t.throwsAsync(placeOf(from, path), { instanceOf: ActFailure });
    t.like(detail, { code: 'path_unsupported', cause });
    t.regex(detail.remediation, /reload HAProxy/);
  }
});

test('versions that do not find a name ending in .crt at runtime', (t) => {
  const place = filePlace('/c/site.crt', scanConfig([]).extra);
  const found = [
    '2.4.20',
    '2.6.12',
    '2.6.15',
    '2.6.16',
    '2.7.10',
    '2.8.2',
    '2.8.3',
    '2.9.0',
    '3.4.0',
  ];
  t.deepEqual(
    found.filter((version) => notFoundByName(version, '/c/site.crt', place) !== null),
    ['2.6.12', '2.6.15', '2.7.10', '2.8.2'],
  );
  t.is(notFoundByName('2.6.12', '/c/site.pem', place), null);
  t.is(notFoundByName('2.6.12', '/c/site.crt', { ...place, key: '/c/site.key' }), null);
});
