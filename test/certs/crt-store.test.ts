import { writeFileSync } from 'node:fs';
import ava from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { HAPROXY_3 } from '../haproxy/haproxy.ts';
import { bundle, issue, type Issued } from './bundles.ts';
import { realHost } from './real-host.ts';

const site = (name: string): Promise<Issued> => issue({ subject: `CN=${name}`, names: [name] });
const test = HAPROXY_3 === '' ? ava.skip : ava;
const note = HAPROXY_3 === '' ? ' (HAPROXY_3 names no HAProxy)' : '';

test(`names of a crt-store: both files, a bundle, by name and by certificate${note}`, async (t) => {
  const [shop, mail, whole] = [
    await site('shop.test'),
    await site('mail.test'),
    await site('w.test'),
  ];
  const host = await realHost(t, {
    program: HAPROXY_3,
    files: {
      'c/shop.crt': shop.certificate,
      'k/shop.key': shop.key,
      'c/mail.crt': mail.certificate,
      'k/mail.key': mail.key,
      'w.pem': bundle(whole),
      list: '@web/mail.crt\n',
    },
    sections: [
      'crt-store web',
      '    crt-base FOLDER/c',
      '    key-base FOLDER/k',
      '    load crt shop.crt key shop.key alias shop',
      '    load crt mail.crt key mail.key',
      'crt-store',
      '    load crt FOLDER/w.pem alias whole',
    ],
    binds: ['crt @web/shop crt @/whole', 'crt-list FOLDER/list'],
  });
  const [newShop, newMail, newWhole] = [
    await site('shop.test'),
    await site('mail.test'),
    await site('w.test'),
  ];
  const said = await host.push([
    { path: '@web/shop', pem: bundle(newShop) },
    { path: null, pem: bundle(newMail) },
    { path: '@/whole', pem: bundle(newWhole) },
  ]);
  t.deepEqual(
    said.certificates.map(({ name, path, warnings }) => [name, path, warnings]),
    ['@web/shop', '@web/mail.crt', '@/whole'].map((name) => [name, name, []]),
  );
  const everywhere = {
    '@/whole': [newWhole.sha1, newWhole.sha1, newWhole.sha1],
    '@web/mail.crt': [newMail.sha1, newMail.sha1, newMail.sha1],
    '@web/shop': [newShop.sha1, newShop.sha1, newShop.sha1],
  };
  t.deepEqual(await host.everywhere(), everywhere);
  t.deepEqual(['c/shop.crt', 'k/shop.key', 'c/mail.crt', 'k/mail.key', 'w.pem'].map(host.text), [
    newShop.certificate,
    newShop.key,
    newMail.certificate,
    newMail.key,
    bundle(newWhole),
  ]);
  await host.restart();
  t.deepEqual(await host.everywhere(), everywhere);

  // haproxy.conf was changed and HAProxy not reloaded: its files are not certain any more.
  const conf = host.text('haproxy.conf').replace('load crt shop.crt', 'load crt other.crt');
  writeFileSync(host.at('haproxy.conf'), conf);
  const refused = await t.throwsAsync(
    host.push([{ path: '@web/shop', pem: bundle(await site('shop.test')) }]),
    { instanceOf: ActFailure },
  );
  t.like(refused.detail, {
    code: 'path_unsupported',
    cause: 'HAProxy has loaded it from shop.crt shop.key, haproxy.conf says other.crt shop.key',
    remediation: 'reload HAProxy, then push again',
  });
});
