import { createPrivateKey, createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import type { CertificateReport } from '../../agent/core/model.ts';
import { blocksOf, normalise } from '../../agent/certs/blocks.ts';
import { covers, lostNames, pathFor, serverNames } from '../../agent/certs/names.ts';
import { PemError } from '../../agent/certs/pem-error.ts';
import { LONGEST_BUNDLE, parseBundle } from '../../agent/certs/pem.ts';
import { tooLargeFor } from '../../agent/certs/size.ts';
import { bundle, issue, NOW } from './bundles.ts';

const root = await issue({ subject: 'CN=Root', ca: true });
const middle = await issue({ subject: 'CN=Middle', ca: true, issuer: root });
const lower = await issue({ subject: 'CN=Lower', ca: true, issuer: middle });
const leaf = await issue({
  subject: 'CN=www.example.net',
  names: ['www.example.net', '*.example.net', { ip: '192.0.2.1' }, { ip: '2001:db8::1' }],
  issuer: lower,
});
const stranger = await issue({ subject: 'CN=other.example.net', names: ['other.example.net'] });
const whole = bundle(leaf, lower, middle);

/** What is thrown, as a plain value; its whole text is kept to look for key material. */
function refused(pem: string, wallMs = NOW) {
  try {
    parseBundle(pem, wallMs);
  } catch (error) {
    if (error instanceof PemError) return { code: error.code, why: error.why, error };
    throw error;
  }
  return null;
}

test('a bundle is read: names, validity, fingerprints, chain', (t) => {
  t.deepEqual(parseBundle(whole, NOW), {
    pem: whole,
    names: ['www.example.net', '*.example.net', '192.0.2.1', '2001:DB8:0:0:0:0:0:1'],
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-12-31T00:00:00Z',
    sha1: leaf.sha1,
    sha256: createHash('sha256').update(whole).digest('hex'),
    keyType: 'ec',
    chainLength: 2,
    warnings: [],
    mends: [],
  });
});

test('carriage returns, blank lines, comments, indentation and long lines are taken out', (t) => {
  const body = leaf.key.split('\n').slice(1, -2).join('');
  const messy = [
    '\uFEFFBag Attributes\r\n    friendlyName: site\r\n\r\n',
    leaf.certificate.replaceAll('\n', '\r\n\r\n'),
    `  -----BEGIN PRIVATE KEY-----  \n\n${body}\n\n-----END PRIVATE KEY-----\n \t \n`,
    `# chain\n${lower.certificate}\r${middle.certificate}\n\n\n`,
  ].join('');
  t.is(parseBundle(messy, NOW).pem, whole);
});

test('the key may stand before, between or after the certificates: it is the same bundle', (t) => {
  const { certificate, key } = leaf;
  const orders = [
    key + certificate + lower.certificate,
    certificate + key + lower.certificate,
    certificate + lower.certificate + key,
  ];
  const read = orders.map((pem) => parseBundle(pem, NOW));
  t.deepEqual(
    read.map(({ pem }) => pem),
    orders.map(() => bundle(leaf, lower)),
  );
  t.is(new Set(read.map(({ sha256 }) => sha256)).size, 1);
});

test('parameters of a curve are dropped, Diffie-Hellman parameters are kept', (t) => {
  const ec = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
  const dh = '-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n';
  t.is(parseBundle(ec + bundle(leaf) + dh, NOW).pem, [leaf.certificate, dh, leaf.key].join(''));
});

test('every fault is refused under its own word, with what was seen', (t) => {
  const key = createPrivateKey(leaf.key);
  const encrypted = key
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const old = key
    .export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const request = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n';
  const cases: readonly (readonly [pem: string, code: string, why: string])[] = [
    ['', 'not_pem', 'it has no line -----BEGIN ...-----'],
    ['\u0030\u0082binary', 'not_pem', 'it is binary (DER), not PEM'],
    [whole.slice(0, -20), 'not_pem', 'block 4 (PRIVATE KEY) has no matching BEGIN and END lines'],
    [
      whole.replace('-----END CERTIFICATE-----\n', ''),
      'not_pem',
      'block 1 (CERTIFICATE) has no matching BEGIN and END lines',
    ],
    [
      `-----END CERTIFICATE-----\n${whole}`,
      'not_pem',
      'block 1 (CERTIFICATE) has no matching BEGIN and END lines',
    ],
    [
      whole.replace('KEY-----\n', 'KEY-----\nshow env; quit\n'),
      'not_pem',
      'block 4 (PRIVATE KEY) holds a line that is not base64',
    ],
    [
      leaf.key + leaf.certificate.replace(/\n.{64}\n/, '\n'),
      'not_pem',
      'certificate 1 cannot be decoded',
    ],
    [
      leaf.certificate + leaf.key.replace(/\n.{64}\n/, '\n'),
      'not_pem',
      'its PRIVATE KEY cannot be decoded',
    ],
    [leaf.certificate + request, 'not_pem', 'it holds a CERTIFICATE REQUEST'],
    [leaf.key, 'no_certificate', 'it holds a key only'],
    [leaf.certificate + lower.certificate, 'no_key', 'it holds certificates only'],
    [leaf.certificate + encrypted, 'encrypted_key', 'HAProxy cannot ask for a passphrase'],
    [leaf.certificate + old, 'encrypted_key', 'HAProxy cannot ask for a passphrase'],
    [
      leaf.certificate + stranger.key + leaf.key,
      'several_keys',
      'it holds 2 keys, HAProxy uses one',
    ],
    [
      lower.certificate + leaf.certificate + leaf.key,
      'leaf_not_first',
      'the key belongs to certificate 2 (CN=www.example.net)',
    ],
    [
      leaf.certificate + lower.certificate + lower.key,
      'key_mismatch',
      'the key belongs to certificate 2 (CN=Lower), an issuer, not to certificate 1',
    ],
    [
      leaf.certificate + lower.certificate + stranger.key,
      'key_mismatch',
      'the key belongs to none of 2 certificates',
    ],
    [
      bundle(leaf, lower, stranger),
      'chain_order',
      'certificate 3 (CN=other.example.net) did not issue certificate 2 (CN=Lower), nor anything else in it',
    ],
    [
      whole + ' '.repeat(LONGEST_BUNDLE),
      'too_long',
      `${whole.length + LONGEST_BUNDLE} bytes, at most ${LONGEST_BUNDLE} are read`,
    ],
  ];
  t.deepEqual(
    cases.map(([pem]) => {
      const got = refused(pem);
      return [got?.code, got?.why];
    }),
    cases.map(([, code, why]) => [code, why]),
  );
  const everything = cases.map(([pem]) => {
    const error = refused(pem)?.error;
    return `${error?.stack} ${error?.remedy} ${JSON.stringify(error)} ${String(error?.cause)}`;
  });
  const secret = [leaf, lower, stranger].flatMap(({ key: pem }) => pem.split('\n').slice(1, -2));
  t.deepEqual(
    everything.filter((text) => secret.some((line) => text.includes(line.slice(0, 12)))),
    [],
  );
});

test('validity is judged by the given time, to the second', (t) => {
  const pem = bundle(stranger);
  const starts = Date.parse('2026-01-01T00:00:00Z');
  const ends = Date.parse('2026-12-31T00:00:00Z');
  t.is(parseBundle(pem, starts).sha1, stranger.sha1);
  t.is(parseBundle(pem, ends - 1).sha1, stranger.sha1);
  t.like(refused(pem, starts - 1000), {
    code: 'not_yet_valid',
    why: 'certificate 1 (CN=other.example.net) starts at 2026-01-01T00:00:00Z, it is 2025-12-31T23:59:59Z here',
  });
  t.like(refused(pem, ends), {
    code: 'expired',
    why: 'certificate 1 (CN=other.example.net) ended at 2026-12-31T00:00:00Z, it is 2026-12-31T00:00:00Z here',
  });
});

test('a root, an expired issuer and missing names are warnings', async (t) => {
  const past = await issue({ subject: 'CN=Past', ca: true, notAfter: '2026-02-01T00:00:00Z' });
  const plain = await issue({ subject: 'CN=plain.example.net', issuer: past });
  const read = parseBundle(bundle(plain, past), NOW);
  t.deepEqual(
    { names: read.names, warnings: read.warnings },
    {
      names: ['plain.example.net'],
      warnings: [
        'the leaf has no subject alternative names: clients refuse it',
        'certificate 2 (CN=Past) ended at 2026-02-01T00:00:00Z',
        'certificate 2 (CN=Past) is a root: clients have it or do not trust it, leave it out',
      ],
    },
  );
});

test('normalising is idempotent and leaves no blank line and no carriage return', (t) => {
  const piece = fc.oneof(
    fc.constantFrom('\n', '\r', '\r\n', ' ', '\t', '\uFEFF', '-----BEGIN X-----', 'AAAA'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const once = normalise(pieces.join(''));
      t.is(normalise(once), once);
      t.notRegex(once, /^\s*$(?!$)|\n\s*\n|^\n|\r/);
      t.true(once === '' || once.endsWith('\n'));
    }),
  );
});

test('what is kept of a PEM text reads the same again', (t) => {
  const label = fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'DH PARAMETERS');
  const block = fc.tuple(label, fc.base64String({ minLength: 4 }), fc.constantFrom('\n', '\r\n\n'));
  fc.assert(
    fc.property(fc.array(block), (blocks) => {
      const text = blocks
        .map(([name, body, end]) =>
          [`-----BEGIN ${name}-----`, body, `-----END ${name}-----`, ''].join(end),
        )
        .join('');
      const kept = blocksOf(text);
      t.deepEqual(
        kept.map(({ label: name }) => name),
        blocks.map(([name]) => name),
      );
      t.deepEqual(blocksOf(kept.map((one) => one.text).join('')), kept);
    }),
  );
});

test('a wildcard covers one left-most label and nothing else', (t) => {
  const names = ['*.Example.net', 'a.b.example.org.', '192.0.2.1', '2001:DB8:0:0:0:0:0:1'];
  const cases: readonly (readonly [string, boolean])[] = [
    ['www.example.net', true],
    ['WWW.EXAMPLE.NET', true],
    ['*.example.net', true],
    ['example.net', false],
    ['a.www.example.net', false],
    ['*.www.example.net', false],
    ['a.b.example.org', true],
    ['*.b.example.org', false],
    ['192.0.2.1', true],
    ['2001:db8::1', true],
    ['2001:db8::2', false],
    ['.example.net', false],
  ];
  t.deepEqual(
    cases.map(([name]) => [name, covers(names, name)]),
    cases,
  );
  t.false(covers(['*.0.2.1'], '192.0.2.1'));
  t.deepEqual(lostNames(['www.example.net', 'example.net'], names), ['example.net']);
});

test('the path is the one whose names are exactly those of the leaf', (t) => {
  const loaded = (path: string, names: readonly string[]): CertificateReport => ({
    path,
    fingerprint: '',
    notAfter: '',
    names,
  });
  const site = loaded('/c/site.pem', ['example.net', 'www.example.net']);
  const mail = loaded('/c/mail.pem', ['mail.example.net']);
  const twin = loaded('/c/twin.pem', ['www.example.net', 'EXAMPLE.net']);
  const none = loaded('/c/none.pem', []);
  const all = [site, mail, none];
  t.deepEqual(pathFor(['www.example.net', 'example.net'], all), {
    kind: 'one',
    path: '/c/site.pem',
  });
  t.deepEqual(pathFor(['www.example.net', 'example.net'], [...all, twin]), {
    kind: 'same',
    paths: ['/c/site.pem', '/c/twin.pem'],
  });
  t.deepEqual(pathFor(['mail.example.net', 'www.example.net'], all), {
    kind: 'candidates',
    paths: ['/c/mail.pem', '/c/site.pem'],
  });
  t.deepEqual(pathFor(['nobody.example.net'], all), { kind: 'candidates', paths: [] });
});

test('the server name to ask for is the first plain one, or one under the wildcard', (t) => {
  t.deepEqual(serverNames(['192.0.2.1', '*.example.net', 'www.example.net']), [
    'www.example.net',
    'proxyctl.example.net',
  ]);
  t.deepEqual(serverNames(['A.test', 'a.test.']), ['a.test']);
  t.deepEqual(serverNames(['192.0.2.1']), []);
});

test('16000 bytes with the command are the limit below HAProxy 3.4, 130000 from there on', (t) => {
  const around = 'set severity-output number;set ssl cert /c/a.pem <<\n\n'.length;
  const fits = 'x'.repeat(16_000 - around);
  t.is(tooLargeFor('2.6.12-1+deb12u4', '/c/a.pem', fits), null);
  t.is(
    tooLargeFor('2.6.12-1+deb12u4', '/c/a.pem', `${fits}x`),
    '16001 bytes with its command, HAProxy 2.6.12-1+deb12u4 takes 16000',
  );
  t.is(tooLargeFor('3.4.0-64a335366', '/c/a.pem', 'x'.repeat(130_000 - around)), null);
  t.not(tooLargeFor('3.4.0-64a335366', '/c/a.pem', 'x'.repeat(130_001 - around)), null);
  t.not(tooLargeFor('nonsense', '/c/a.pem', `${fits}x`), null);
  t.not(tooLargeFor('2.10.0', '/c/a.pem', `${fits}x`), null);
});
