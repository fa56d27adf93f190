import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  certificates,
  parseCertificate,
  parseCertificateList,
} from '../../agent/haproxy/certificates.ts';
import { readInfo } from '../../agent/haproxy/info.ts';
import { RuntimeError, runtime } from '../../agent/haproxy/runtime.ts';
import { bundle, issue } from '../certs/bundles.ts';
import { fixture } from '../fixture.ts';
import { startHaproxy } from './haproxy.ts';
import { says, scriptedSocket } from './scripted.ts';

const SHOWN = fixture('haproxy-2.6.12/show-ssl-cert-file.txt');
const LISTED = fixture('haproxy-2.6.12/show-ssl-cert.txt');
const OPEN = fixture('haproxy-2.6.12/show-ssl-cert-open-transaction.txt');
const STAGED = fixture('haproxy-2.6.12/show-ssl-cert-staged.txt');

test('a certificate as 2.6.12 shows it', (t) => {
  t.deepEqual(parseCertificate(SHOWN), {
    path: '/tmp/ssl/example.net.pem',
    fingerprint: 'cb8b9def9ea555b063d3fc0808fcf4c41eec3d7f',
    notAfter: '2026-12-31T00:00:00Z',
    names: ['example.net', '*.example.net'],
  });
});

test('one that is staged is named without its asterisk', (t) => {
  t.is(parseCertificate(STAGED).path, '/tmp/ssl/example.net.pem');
});

test('a date with one digit, no names, and fields of other versions', (t) => {
  const text = SHOWN.replace(/^notAfter: .*/m, 'notAfter: Feb  3 20:42:27 2027 GMT')
    .replace(/^Subject Alternative Name: .*\n/m, '')
    .replace('Status:', 'Option: ocsp-update off\nStatus:');
  t.deepEqual(parseCertificate(text), {
    path: '/tmp/ssl/example.net.pem',
    fingerprint: 'cb8b9def9ea555b063d3fc0808fcf4c41eec3d7f',
    notAfter: '2027-02-03T20:42:27Z',
    names: [],
  });
});

test('a certificate without path, end or fingerprint is refused', (t) => {
  const texts = [
    SHOWN.replace(/^Filename: .*\n/m, ''),
    SHOWN.replace(/^SHA1 FingerPrint: .*\n/m, ''),
    SHOWN.replace(/^notAfter: .*\n/m, ''),
    SHOWN.replace(/^notAfter: .*/m, 'notAfter: soon'),
    "Can't display the certificate: Not found or the certificate is a bundle!\n\n",
    '\n',
  ];
  const kinds = texts.map(
    (text) => t.throws(() => parseCertificate(text), { instanceOf: RuntimeError }).failure.kind,
  );
  t.deepEqual(
    kinds,
    Array.from(texts, () => 'text'),
  );
});

test('the list, with and without an open transaction, and empty', (t) => {
  const paths = ['/tmp/ssl/example.net.pem', '/tmp/ssl/other.pem'];
  t.deepEqual(parseCertificateList(LISTED), { paths, open: null });
  t.deepEqual(parseCertificateList(OPEN), { paths, open: '/tmp/ssl/example.net.pem' });
  t.deepEqual(parseCertificateList('\n'), { paths: [], open: null });
});

test('a level too low for certificates is said as such, not as an empty list', async (t) => {
  const { userSocketPath } = await startHaproxy(t);
  const asUser = certificates(runtime(userSocketPath, { deadlineMs: 5000 }));
  const failure = {
    kind: 'rejected',
    text: 'the stats socket needs level admin or operator for certificates',
  } as const;
  const list = await t.throwsAsync(asUser.list(), { instanceOf: RuntimeError });
  const open = await t.throwsAsync(asUser.openTransaction(), { instanceOf: RuntimeError });
  t.deepEqual([list.failure, open.failure], [failure, failure]);
});

test('stage, compare, commit: the new certificate is in memory', async (t) => {
  const { ask, certificates: paths } = await startHaproxy(t);
  const certs = certificates(ask);
  const renewed = await issue({ subject: 'CN=a', names: ['a.test', 'www.a.test'] });
  const [before] = await certs.list();
  await certs.stage(paths.a, bundle(renewed));
  t.is(await certs.openTransaction(), paths.a);
  t.is(await certs.staged(paths.a), renewed.sha1);
  t.deepEqual((await certs.list())[0], before);
  await certs.commit(paths.a);
  t.is(await certs.openTransaction(), null);
  const [after, other] = await certs.list();
  t.deepEqual(after, {
    path: paths.a,
    fingerprint: renewed.sha1,
    notAfter: '2026-12-31T00:00:00Z',
    names: ['a.test', 'www.a.test'],
  });
  t.is(other?.path, paths.b);
});

test('a commit tells of a transaction that somebody else has opened meanwhile, and of none', async (t) => {
  const reply = (list: string) => `\nCommitting /a.pem.\nSuccess!\n\n${list}`;
  const { path } = await scriptedSocket(
    t,
    says(
      reply('# transaction\n*/b.pem\n# filename\n/a.pem\n/b.pem\n\n'),
      reply('# filename\n/a.pem\n/b.pem\n\n'),
    ),
  );
  const certs = certificates(runtime(path, { deadlineMs: 5000 }));
  t.deepEqual([await certs.commit('/a.pem'), await certs.commit('/a.pem')], ['/b.pem', null]);
});

test('several are asked for in few commands: in order, with nothing for what is not loaded', async (t) => {
  const { ask, certificates: paths } = await startHaproxy(t);
  const sent: string[] = [];
  const certs = certificates((command) => {
    sent.push(command);
    return ask(command);
  });
  const one = await certs.loaded(paths.a);
  const two = await certs.loaded(paths.b);
  sent.length = 0;
  const unknown = (at: number): string => `/nowhere/${'long'.repeat(20)}/${at}.pem`;
  const many = Array.from({ length: 100 }, (_, at) => [paths.a, unknown(at), paths.b]).flat();
  const found = await certs.loadedAll(many);
  t.deepEqual(found, Array.from({ length: 100 }, () => [one, null, two]).flat());
  t.true(sent.length < 10, `${sent.length} commands`);
  t.true(
    sent.every((command) => command.length < 8000),
    `${Math.max(...sent.map(({ length }) => length))} bytes`,
  );
});

test('answers that cannot be told apart are asked for again, one by one', async (t) => {
  const shown = (path: string) => SHOWN.replace('/tmp/ssl/example.net.pem', path);
  const { path } = await scriptedSocket(
    t,
    says(`${shown('/a.pem')}strange\n\n${shown('/b.pem')}`, shown('/a.pem'), shown('/b.pem')),
  );
  const certs = certificates(runtime(path, { deadlineMs: 5000 }));
  t.deepEqual(
    (await certs.loadedAll(['/a.pem', '/b.pem'])).map((one) => one?.path),
    ['/a.pem', '/b.pem'],
  );
});

test('stage, abort: nothing has changed and nothing is open', async (t) => {
  const { ask, certificates: paths } = await startHaproxy(t);
  const certs = certificates(ask);
  const before = await certs.list();
  await certs.stage(paths.a, bundle(await issue({ subject: 'CN=a', names: ['a.test'] })));
  await certs.abort(paths.a);
  t.is(await certs.openTransaction(), null);
  t.deepEqual(await certs.list(), before);
});

test('a bundle with empty lines and carriage returns is staged whole', async (t) => {
  const { ask, certificates: paths } = await startHaproxy(t);
  const certs = certificates(ask);
  const renewed = await issue({ subject: 'CN=a', names: ['a.test'] });
  const spaced = `\r\n${renewed.certificate}\r\n\n${renewed.key}\n\n`.replaceAll('\n', '\r\n');
  await certs.stage(paths.a, spaced);
  await certs.commit(paths.a);
  t.is((await certs.list())[0]?.fingerprint, renewed.sha1);
});

test('while another file has a transaction open, 2.6 stages into that one: a failure, and seen beforehand', async (t) => {
  const { ask, certificates: paths } = await startHaproxy(t);
  const certs = certificates(ask);
  const pem = readFileSync(paths.b, 'utf8');
  await certs.stage(paths.a, readFileSync(paths.a, 'utf8'));
  t.is(await certs.openTransaction(), paths.a);
  const { version } = await readInfo(ask);
  // Mended in 3.1-dev11, where each path has its own.
  if (version.startsWith('2.')) {
    const error = await t.throwsAsync(certs.stage(paths.b, pem), { instanceOf: RuntimeError });
    t.deepEqual(error.failure, {
      kind: 'rejected',
      text: `Transaction updated for certificate ${paths.a}!`,
    });
  }
  await certs.abort(paths.a);
});

test('the reply of 2.6 that names another file is a failure, whoever asks', async (t) => {
  const { path } = await scriptedSocket(
    t,
    says('\n[5]: Transaction updated for certificate /a.pem!\n\n'),
  );
  const certs = certificates(runtime(path, { deadlineMs: 5000 }));
  await t.notThrowsAsync(certs.stage('/a.pem', 'x'));
  const error = await t.throwsAsync(certs.stage('/b.pem', 'x'), { instanceOf: RuntimeError });
  t.is(error.message, 'set ssl cert /b.pem: Transaction updated for certificate /a.pem!');
});

test('what HAProxy refuses: a path it does not use, a foreign key, no transaction, no certificate', async (t) => {
  const { ask, certificates: paths } = await startHaproxy(t);
  const certs = certificates(ask);
  const one = await issue({ subject: 'CN=a', names: ['a.test'] });
  const two = await issue({ subject: 'CN=a', names: ['a.test'] });
  const failures: unknown[] = [];
  const note = async (asked: Promise<unknown>): Promise<void> => {
    const { failure } = await t.throwsAsync(asked, { instanceOf: RuntimeError });
    failures.push(failure.kind === 'rejected' ? failure.text : failure);
  };
  await note(certs.stage('/nope.pem', bundle(one)));
  await note(certs.stage(paths.a, 'no certificate'));
  await note(certs.commit(paths.a));
  await note(certs.abort(paths.a));
  await certs.stage(paths.a, one.certificate + two.key);
  await note(certs.commit(paths.a));
  t.is(await certs.openTransaction(), paths.a);
  await certs.abort(paths.a);
  t.deepEqual(failures, [
    "Can't replace a certificate which is not referenced by the configuration! Can't update /nope.pem!",
    `unable to load certificate from file '${paths.a}'. Can't load the payload Can't update ${paths.a}!`,
    `No ongoing transaction! ! Can't commit ${paths.a}!`,
    'No ongoing transaction!',
    `inconsistencies between private key and certificate loaded '${paths.a}'. Can't commit ${paths.a}!`,
  ]);
});

test('a commit that ends without its last word has not happened', async (t) => {
  for (const reply of ['\nCommitting /a.pem..\n', '\nCommitting /a.pem..\nFailed!\n\n']) {
    const { path } = await scriptedSocket(t, says(reply));
    const certs = certificates(runtime(path, { deadlineMs: 5000 }));
    await t.throwsAsync(certs.commit('/a.pem'), { instanceOf: RuntimeError });
  }
});

test('the key is in no error', async (t) => {
  const { ask } = await startHaproxy(t);
  const { key, certificate } = await issue({ subject: 'CN=a', names: ['a.test'] });
  const large = `${certificate}${key}${'x'.repeat(16_000)}`;
  for (const pem of [certificate + key, large, key]) {
    const error = await t.throwsAsync(certificates(ask).stage('/nope.pem', pem));
    t.notRegex(`${error.message}${error.stack}${JSON.stringify(error)}`, /BEGIN|PRIVATE/);
  }
});

test('a path that could carry a second command never reaches the socket', async (t) => {
  const { path, requests } = await scriptedSocket(t, says('\nSuccess!\n\n'));
  const certs = certificates(runtime(path, { deadlineMs: 5000 }));
  for (const bad of ['/a.pem;show env', '/a.pem\nshow env', '/a b.pem', '/a.pem <<'])
    for (const asked of [
      () => certs.stage(bad, 'x'),
      () => certs.staged(bad),
      () => certs.commit(bad),
      () => certs.abort(bad),
    ])
      await t.throwsAsync(asked, { instanceOf: RuntimeError });
  t.deepEqual(requests.items, []);
});
