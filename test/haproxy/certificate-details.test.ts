import test from 'ava';
import { parseDetails } from '../../agent/haproxy/certificate-details.ts';
import { parseCertificate, parseCertificateList } from '../../agent/haproxy/certificates.ts';
import { crtListEntries, crtListPaths } from '../../agent/haproxy/crt-list.ts';
import { fixture } from '../fixture.ts';

const shown = (name: string): string => fixture(`haproxy-3.4.0/show-ssl-cert-${name}.txt`);

test('key and files as 3.4.0 says them, and 2.6.12, which has no files', (t) => {
  t.deepEqual(
    ['alias', 'store-file', 'separate-key', 'rsa'].map((name) => parseDetails(shown(name))),
    [
      { algorithm: 'EC256', crt: 'shop.crt', key: 'shop.key' },
      { algorithm: 'EC256', crt: 'site.crt', key: 'site.key' },
      { algorithm: 'EC256', crt: '/tmp/ssl/split.pem', key: '/tmp/ssl/split.pem.key' },
      { algorithm: 'RSA2048', crt: '/tmp/ssl/both.pem.rsa', key: '/tmp/ssl/both.pem.rsa' },
    ],
  );
  const old = parseDetails(fixture('haproxy-2.6.12/show-ssl-cert-file.txt'));
  t.deepEqual(old, { algorithm: 'EC256', crt: '', key: '' });
  t.is(
    parseDetails("Can't display the certificate: Not found or the certificate is a bundle!\n\n"),
    null,
  );
});

test('names of a crt-store in the list, in an open transaction and staged', (t) => {
  const paths = [
    '/tmp/ssl/both.pem.ecdsa',
    '/tmp/ssl/both.pem.rsa',
    '/tmp/ssl/split.pem',
    '@web/shop',
    '@web/site.crt',
  ];
  t.deepEqual(parseCertificateList(shown('store')), { paths, open: null });
  t.deepEqual(parseCertificateList(shown('store-open-transaction')), { paths, open: '@web/shop' });
  t.deepEqual(
    ['alias', 'alias-staged'].map((name) => parseCertificate(shown(name)).path),
    ['@web/shop', '@web/shop'],
  );
});

test('lines of a crt-list: options and exclusions left out, bases applied to files only', (t) => {
  const text = [
    '# first',
    '',
    'a.pem [alpn h2,http/1.1 ssl-min-ver TLSv1.2] a.test *.b.test !x.b.test',
    '/c/b.pem[verify none]',
    '  @web/shop  shop.test ',
    'c.pem\r',
  ].join('\n');
  t.deepEqual(crtListEntries(text, '/base'), [
    { path: '/base/a.pem', names: ['a.test', '*.b.test'] },
    { path: '/c/b.pem', names: [] },
    { path: '@web/shop', names: ['shop.test'] },
    { path: '/base/c.pem', names: [] },
  ]);
  t.deepEqual(crtListPaths(text, ''), ['a.pem', '/c/b.pem', 'c.pem']);
});
