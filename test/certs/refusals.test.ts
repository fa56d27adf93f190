import { createPrivateKey } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { nodeSwap } from '../../agent/certs/swap.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { certificates } from '../../agent/haproxy/certificates.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';
import { bundle, issue, type Issued } from './bundles.ts';
import { prepareOf, realHost, type RealHost } from './real-host.ts';

const ca = await issue({ subject: 'CN=CA', ca: true });
const site = (more: Partial<Parameters<typeof issue>[0]> = {}): Promise<Issued> =>
  issue({ subject: 'CN=a.test', names: ['a.test', 'www.a.test'], issuer: ca, ...more });
const old = await site();
const FILES = { 'a.pem': bundle(old, ca) };
const there = { 'a.pem': [old.sha1, old.sha1, old.sha1] };
const hostWith = (t: ExecutionContext): Promise<RealHost> =>
  realHost(t, { files: FILES, binds: ['crt FOLDER/a.pem'] });

test('every fault of a bundle is refused before anything is touched', async (t) => {
  const host = await hostWith(t);
  const good = await site();
  const other = await site();
  const encrypted = createPrivateKey(good.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const past = { notBefore: '2025-01-01T00:00:00Z', notAfter: '2026-05-31T00:00:00Z' };
  const cases: Record<string, string> = {
    key_mismatch: good.certificate + ca.certificate + other.key,
    leaf_not_first: ca.certificate + good.certificate + good.key,
    encrypted_key: good.certificate + encrypted,
    no_key: good.certificate + ca.certificate,
    no_certificate: good.key,
    not_pem: 'hello\n',
    expired: bundle(await site(past)),
    not_yet_valid: bundle(await site({ notBefore: '2026-06-02T00:00:00Z' })),
    chain_order: bundle(good, other),
    names_lost: bundle(await site({ names: ['a.test'] })),
  };
  const codes: string[] = [];
  for (const pem of Object.values(cases)) {
    const pushed = host.push([{ path: host.at('a.pem'), pem }]);
    codes.push((await t.throwsAsync(pushed, { instanceOf: ActFailure })).detail.code);
  }
  t.deepEqual(codes, Object.keys(cases));
  t.is(await host.parts.haproxy.openTransaction(), null);
  t.deepEqual([await host.everywhere(), host.text('a.pem')], [there, FILES['a.pem']]);
});

test('a place HAProxy does not use, or a transaction of somebody else, is refused and left', async (t) => {
  const host = await hostWith(t);
  const pem = bundle(await site());
  const unknown = host.push([{ path: '/nowhere/a.pem', pem }]);
  t.like((await t.throwsAsync(unknown, { instanceOf: ActFailure })).detail, {
    code: 'path_unknown',
    cause: `loaded: ${host.at('a.pem')}`,
  });
  await host.parts.haproxy.stage(host.at('a.pem'), bundle(await site()));
  const foreign = host.push([{ path: null, pem }]);
  t.like((await t.throwsAsync(foreign, { instanceOf: ActFailure })).detail, {
    code: 'transaction_open',
  });
  t.is(await host.parts.haproxy.openTransaction(), host.at('a.pem'));
  await host.parts.haproxy.abort(host.at('a.pem'));
  t.deepEqual(await host.everywhere(), there);
});

test('blank lines, CRLF, comments and the key first are put right: HAProxy gets and serves it', async (t) => {
  const host = await hostWith(t);
  const renewed = await site();
  const lines = `# exported\n\n${renewed.key}\n\n${renewed.certificate}\n${ca.certificate}\n\n`;
  await host.push([{ path: null, pem: lines.replaceAll('\n', '\r\n') }]);
  t.deepEqual(await host.everywhere(), {
    'a.pem': [renewed.sha1, renewed.sha1, renewed.sha1],
  });
  t.is(host.text('a.pem'), bundle(renewed, ca));
});

test('a chain that is missing, and names given up on purpose, are warnings', async (t) => {
  const host = await hostWith(t);
  const { certificates } = await host.push(
    [{ path: host.at('a.pem'), pem: bundle(await site({ names: ['a.test'] })) }],
    ['names-lost'],
  );
  t.deepEqual(certificates[0]?.warnings, [
    'no longer covered: www.a.test',
    'no chain in it, the one it replaces has one of 1',
  ]);
});

test('over 16 KB below HAProxy 3.4: by file and reload; without a reload command refused', async (t) => {
  const host = await hostWith(t);
  const names = [
    'a.test',
    'www.a.test',
    ...Array.from({ length: 900 }, (_, at) => `n${at}.a.test`),
  ];
  const large = await site({ names });
  const pem = bundle(large, ca);
  t.true(pem.length > 16_000);
  const version = await host.parts.haproxy.version();
  const before = host.pid();
  const old2 = version.startsWith('2.');
  if (old2) {
    const bare = nodeSwap({ ...host.parts, canReload: false });
    const refused = bare.prepare(prepareOf('bare', [{ path: host.at('a.pem'), pem }]));
    const { detail } = await t.throwsAsync(refused, { instanceOf: ActFailure });
    t.is(detail.code, 'too_large');
  }
  await host.push([{ path: host.at('a.pem'), pem }]);
  t.deepEqual(await host.everywhere(), { 'a.pem': [large.sha1, large.sha1, large.sha1] });
  t.is(host.pid() !== before, old2, version);
});

test('a dry run of each says the same and stages nothing', async (t) => {
  const host = await hostWith(t);
  const pem = bundle(await site(), ca);
  const said = await host.swap.prepare({
    ...prepareOf('dry', [{ path: null, pem }]),
    dryRun: true,
  });
  t.is(said.certificates[0]?.path, host.at('a.pem'));
  t.is(await host.parts.haproxy.openTransaction(), null);
  t.deepEqual([await host.everywhere(), host.text('a.pem')], [there, FILES['a.pem']]);
});

test('of several bundles a refusal says which; a request is called one', async (t) => {
  const host = await hostWith(t);
  const request = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n';
  const path = host.at('a.pem');
  const good = { path, pem: bundle(await site()) };
  const elsewhere = { path: null, pem: bundle(await site({ names: ['b.test'] })) };
  const said: string[][] = [];
  for (const bundles of [
    [{ path, pem: request }],
    [good, { path, pem: request }],
    [good, elsewhere],
  ]) {
    const failure = await t.throwsAsync(host.push(bundles), { instanceOf: ActFailure });
    said.push([failure.detail.message, failure.detail.remediation]);
  }
  const take = 'take the certificate that the CA made of it, its chain and the key';
  t.deepEqual(said, [
    ['read bundle: a request, no certificate', take],
    ['bundle 2 of 2: a request, no certificate', take],
    [
      'bundle 2 of 2: no single certificate on n1 serves exactly the names of the new one',
      'name the one to replace: --as PATH',
    ],
  ]);
});

test('a HAProxy that does not run is the cause, with where to look', async (t) => {
  const host = await hostWith(t);
  const nobody = runtime(host.at('none.sock'), { deadlineMs: 1000 });
  const { code, message, cause, remediation } = (
    await t.throwsAsync(
      nodeSwap({
        ...host.parts,
        haproxy: { ...host.parts.haproxy, ...certificates(nobody) },
      }).prepare(prepareOf('s', [{ path: host.at('a.pem'), pem: bundle(await site()) }])),
      { instanceOf: ActFailure },
    )
  ).detail;
  t.deepEqual(
    [code, message, cause.replaceAll(host.at(''), 'DIR'), remediation],
    [
      'haproxy_unreachable',
      'HAProxy on n1 cannot be asked',
      'show ssl cert: no stats socket at DIR/none.sock; is HAProxy running, and "stats socket" set?',
      'on n1: service haproxy status',
    ],
  );
});
