import { existsSync } from 'node:fs';
import test from 'ava';
import { bundle, issue } from './bundles.ts';
import { prepareOf, realHost } from './real-host.ts';

const ca = await issue({ subject: 'CN=CA', ca: true });
const site = (name: string) => issue({ subject: `CN=${name}`, names: [name], issuer: ca });

test('what a killed agent has left beside a certificate and beside its key goes, unless a swap is open', async (t) => {
  const [a, b, next] = [await site('a.test'), await site('b.test'), await site('a.test')];
  const host = await realHost(t, {
    files: {
      'a.pem': bundle(a, ca),
      'b.pem': b.certificate + ca.certificate,
      'b.pem.key': b.key,
    },
    binds: ['crt FOLDER/a.pem', 'crt FOLDER/b.pem'],
  });
  const names = ['a.pem', 'b.pem', 'b.pem.key'];
  const left = (): string[] => names.filter((name) => existsSync(host.at(`.${name}.proxyctl`)));
  const pem = bundle(next, ca);
  const leave = () =>
    host.parts.files.stage(names.map((name) => ({ path: host.at(name), pem: 'a key\n' })));
  await leave();
  t.deepEqual([left(), await host.swap.tidy(), left()], [names, true, []]);

  await leave();
  await host.swap.prepare(prepareOf('open', [{ path: host.at('a.pem'), pem }]));
  t.deepEqual([await host.swap.tidy(), left()], [false, names]);
  await host.swap.abort('open');
  t.deepEqual([await host.swap.tidy(), left()], [true, []]);
  t.is(host.text('a.pem'), bundle(a, ca));
});
