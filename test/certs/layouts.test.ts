import test from 'ava';
import { servedFingerprint } from '../../agent/certs/handshake.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { bundle, issue, rsaKeys, type Issued } from './bundles.ts';
import { realHost, type RealHost } from './real-host.ts';

const site = (name: string, more: { readonly keys?: Issued['keys'] } = {}): Promise<Issued> =>
  issue({ subject: `CN=${name}`, names: [name], ...more });

const shownAt = (host: RealHost, listener: number, servername: string): Promise<string> =>
  servedFingerprint({
    host: '127.0.0.1',
    port: host.ports[listener] ?? 0,
    servername,
    timeoutMs: 5000,
  });

test('a directory, with a slash at its end or without: verified by handshake', async (t) => {
  for (const crt of ['FOLDER/d/', 'FOLDER/d']) {
    const [old, other, renewed] = [
      await site('a.test'),
      await site('b.test'),
      await site('a.test'),
    ];
    const files = { 'd/a.pem': bundle(old), 'd/b.pem': bundle(other) };
    const host = await realHost(t, { files, binds: [`crt ${crt}`] });
    const { certificates } = await host.push([{ path: null, pem: bundle(renewed) }]);
    t.deepEqual(
      certificates.map(({ path, warnings }) => [path, warnings]),
      [[host.at('d/a.pem'), []]],
    );
    t.deepEqual(await host.everywhere(), {
      'd/a.pem': [renewed.sha1, renewed.sha1, renewed.sha1],
      'd/b.pem': [other.sha1, other.sha1, other.sha1],
    });
  }
});

test('a crt-list, served under names of its own: verified by a handshake for one of them', async (t) => {
  const [first, old, renewed] = [await site('b.test'), await site('a.test'), await site('a.test')];
  const files = {
    'b.pem': bundle(first),
    'a.pem': bundle(old),
    list: 'FOLDER/b.pem\n# comment\nFOLDER/a.pem [alpn h2,http/1.1] alias.test !x.test\n',
  };
  const host = await realHost(t, { files, binds: ['crt-list FOLDER/list'] });
  t.is(await shownAt(host, 0, 'a.test'), first.sha1);
  const { certificates } = await host.push([{ path: null, pem: bundle(renewed) }]);
  t.deepEqual(certificates[0]?.warnings, []);
  t.deepEqual(await host.everywhere(), {
    'a.pem': [renewed.sha1, renewed.sha1, renewed.sha1],
    'b.pem': [first.sha1, first.sha1, first.sha1],
  });
  t.is(await shownAt(host, 0, 'alias.test'), renewed.sha1);
});

test('one certificate on several listeners: every one has the new one', async (t) => {
  const [old, renewed] = [await site('a.test'), await site('a.test')];
  const host = await realHost(t, {
    files: { 'a.pem': bundle(old), list: 'FOLDER/a.pem\n' },
    binds: ['crt FOLDER/a.pem', 'crt-list FOLDER/list', 'crt a.pem alpn h2'],
    global: ['crt-base FOLDER'],
  });
  await host.push([{ path: null, pem: bundle(renewed) }]);
  const shown = [];
  for (const [at] of host.ports.entries()) shown.push(await shownAt(host, at, 'a.test'));
  t.deepEqual(shown, [renewed.sha1, renewed.sha1, renewed.sha1]);
});

test('RSA and ECDSA under one name, both in one swap: each goes where its kind of key is', async (t) => {
  const rsa = async (): Promise<Issued> => site('a.test', { keys: await rsaKeys() });
  const [oldRsa, oldEc, newRsa, newEc] = [
    await rsa(),
    await site('a.test'),
    await rsa(),
    await site('a.test'),
  ];
  const files = { 'a.pem.rsa': bundle(oldRsa), 'a.pem.ecdsa': bundle(oldEc) };
  const host = await realHost(t, { files, binds: ['crt FOLDER/a.pem'] });
  t.deepEqual(await host.everywhere(), {
    'a.pem.ecdsa': [oldEc.sha1, oldEc.sha1, oldEc.sha1],
    'a.pem.rsa': [oldRsa.sha1, oldRsa.sha1, oldRsa.sha1],
  });
  const said = await host.push([newRsa, newEc].map((one) => ({ path: null, pem: bundle(one) })));
  t.deepEqual(
    said.certificates.map(({ path, warnings }) => [path, warnings]),
    [
      [host.at('a.pem.rsa'), []],
      [host.at('a.pem.ecdsa'), []],
    ],
  );
  t.deepEqual(await host.everywhere(), {
    'a.pem.ecdsa': [newEc.sha1, newEc.sha1, newEc.sha1],
    'a.pem.rsa': [newRsa.sha1, newRsa.sha1, newRsa.sha1],
  });
  // As the configuration names them both: the kind of key says which.
  const again = await host.push([{ path: host.at('a.pem'), pem: bundle(newRsa) }]);
  t.is(again.certificates[0]?.path, host.at('a.pem.rsa'));
});

test('two of one kind of key under one name: only the operator can say which', async (t) => {
  const [one, two, renewed] = [await site('a.test'), await site('a.test'), await site('a.test')];
  const host = await realHost(t, {
    files: { 'a.pem': bundle(one), 'b.pem': bundle(two) },
    binds: ['crt FOLDER/a.pem', 'crt FOLDER/b.pem'],
  });
  const error = await t.throwsAsync(host.push([{ path: null, pem: bundle(renewed) }]), {
    instanceOf: ActFailure,
  });
  t.like(error.detail, {
    code: 'path_ambiguous',
    cause: `candidates: ${host.at('a.pem')}, ${host.at('b.pem')}`,
  });
  await host.push([{ path: host.at('b.pem'), pem: bundle(renewed) }]);
  t.deepEqual(await host.everywhere(), {
    'a.pem': [one.sha1, one.sha1, one.sha1],
    'b.pem': [renewed.sha1, renewed.sha1, renewed.sha1],
  });
});

test('a client that takes one kind of key is asked for only where the usual one is shown another', async (t) => {
  const rsa = await site('a.test', { keys: await rsaKeys() });
  const ec = await site('a.test');
  const files = { 'a.pem.rsa': bundle(rsa), 'a.pem.ecdsa': bundle(ec) };
  const host = await realHost(t, { files, binds: ['crt FOLDER/a.pem'] });
  const target = { host: '127.0.0.1', port: host.ports[0] ?? 0, servername: 'a.test' };
  const shown = [];
  for (const keyType of ['RSA', 'EC', 'unknown'])
    shown.push(await servedFingerprint({ ...target, timeoutMs: 5000, keyType }));
  t.deepEqual(shown, [rsa.sha1, ec.sha1, ec.sha1]);
});

test('relative names behind default-path: their files are where it says, of a crt-list too', async (t) => {
  const [first, old] = [await site('b.test'), await site('a.test')];
  const [second, renewed] = [await site('b.test'), await site('a.test')];
  const host = await realHost(t, {
    files: { 'd/b.pem': bundle(first), 'd/a.pem': bundle(old), 'd/list': 'a.pem alias.test\n' },
    global: ['default-path origin FOLDER/d'],
    binds: ['crt b.pem', 'crt-list list'],
  });
  const { certificates } = await host.push([
    { path: null, pem: bundle(renewed) },
    { path: null, pem: bundle(second) },
  ]);
  t.deepEqual(
    certificates.map(({ path, warnings }) => [path, warnings]),
    [
      ['a.pem', []],
      ['b.pem', []],
    ],
  );
  t.is(await shownAt(host, 1, 'alias.test'), renewed.sha1);
  t.is(await shownAt(host, 0, 'b.test'), second.sha1);
  t.deepEqual([host.text('d/a.pem'), host.text('d/b.pem')], [bundle(renewed), bundle(second)]);
});
