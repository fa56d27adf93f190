import { createPrivateKey, X509Certificate, generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { mendedText } from '../../agent/certs/mend.ts';
import { refusedOnDisk } from '../../agent/certs/pem-causes.ts';
import { PemError } from '../../agent/certs/pem-error.ts';
import { parseBundle } from '../../agent/certs/pem.ts';
import { bundle, issue, NOW, type Issued } from './bundles.ts';

const root = await issue({ subject: 'CN=Root', ca: true });
const other = await issue({ subject: 'CN=Other Root', ca: true });
const inter = await issue({ subject: 'CN=Inter', issuer: root, ca: true });
const twin = await issue({ subject: 'CN=Inter', issuer: other, ca: true, keys: inter.keys });
const leaf = await issue({ subject: 'CN=a.test', names: ['a.test'], issuer: inter });
const stranger = await issue({ subject: 'CN=b.test', names: ['b.test'] });
const whole = bundle(leaf, inter);

const read = (text: string) => {
  const { pem, mends, warnings } = parseBundle(text, NOW);
  return { pem, said: mends.map(({ seen, done }) => `${seen}: ${done}`), warnings };
};
const refused = (text: string): readonly string[] => {
  try {
    parseBundle(text, NOW);
    return [];
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    return [error.message, error.why, error.remedy];
  }
};
/** With trust settings behind the certificate, as `openssl x509 -trustout` writes it. */
const trusted = ({ certificate }: Issued): string => {
  const raw = Buffer.concat([new X509Certificate(certificate).raw, Buffer.from([0x30, 0])]);
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return [
    '-----BEGIN TRUSTED CERTIFICATE-----',
    ...lines,
    '-----END TRUSTED CERTIFICATE-----',
    '',
  ].join('\n');
};

test('what is there twice is left out and said', (t) => {
  t.deepEqual(read(bundle(leaf, leaf, inter)), {
    pem: whole,
    said: ['certificate 2 (CN=a.test) is certificate 1 again: left out'],
    warnings: [],
  });
  t.deepEqual(read(bundle(leaf, inter, inter)), {
    pem: whole,
    said: ['certificate 3 (CN=Inter) is certificate 2 again: left out'],
    warnings: [],
  });
  t.deepEqual(read(leaf.key + whole), {
    pem: whole,
    said: ['its private key is in it more than once: left out'],
    warnings: [],
  });
  t.deepEqual(read(whole + stranger.key), {
    pem: whole,
    said: ['it holds keys of other certificates: left out, the first is the key of the leaf'],
    warnings: [],
  });
});

test('a cross-signed twin of an issuer stays where it is, and so do the roots of both', (t) => {
  t.deepEqual(read(bundle(leaf, inter, twin)), {
    pem: bundle(leaf, inter, twin),
    said: [],
    warnings: [],
  });
  const all = bundle(leaf, inter, root, twin, other);
  const is = 'is a root: clients have it or do not trust it, leave it out';
  t.deepEqual(read(all), {
    pem: all,
    said: [],
    warnings: [`certificate 3 (CN=Root) ${is}`, `certificate 5 (CN=Other Root) ${is}`],
  });
});

test('a chain after the leaf in any order is put in order; in front of the leaf it is refused', (t) => {
  t.deepEqual(read(bundle(leaf, root, inter)), {
    pem: bundle(leaf, inter, root),
    said: ['the chain is not in order: put in order'],
    warnings: [
      'certificate 2 (CN=Root) is a root: clients have it or do not trust it, leave it out',
    ],
  });
  t.deepEqual(refused(root.certificate + inter.certificate + leaf.certificate + leaf.key), [
    'read bundle: the leaf does not come first',
    'the key belongs to certificate 3 (CN=a.test)',
    'put the leaf first, then each issuer after what it issued',
  ]);
});

test('a certificate with trust settings, or under its old label, becomes a plain one', (t) => {
  t.deepEqual(read(trusted(leaf) + trusted(inter) + leaf.key), {
    pem: whole,
    said: [
      '2 certificates with trust settings of OpenSSL (TRUSTED CERTIFICATE): written without them',
    ],
    warnings: [],
  });
  t.deepEqual(read(whole.replaceAll(' CERTIFICATE-', ' X509 CERTIFICATE-')), {
    pem: whole,
    said: [],
    warnings: [],
  });
});

test('byte order marks, line ends of every system, indentation and text between are no matter', (t) => {
  const forms = [
    `\uFEFF${whole}`,
    leaf.certificate + `\uFEFF${inter.certificate}` + leaf.key,
    whole.replaceAll('\n', '\r\n'),
    whole.replaceAll('\n', '\r'),
    whole.replaceAll(/^/gm, '  '),
    leaf.key + leaf.certificate + inter.certificate,
    `Bag Attributes\n    friendlyName: a\nsubject=CN = a.test\n${whole}`,
    whole.replaceAll('\n\n', '\n').replace('-----BEGIN', '\n\n-----BEGIN'),
  ];
  t.deepEqual(
    forms.map((text) => read(text)),
    forms.map(() => ({ pem: whole, said: [], warnings: [] })),
  );
});

test('what HAProxy cannot read either is refused by its known cause, with its remedy', (t) => {
  const utf16 = (order: 'le' | 'be', mark: boolean): string => {
    const bytes = Buffer.from((mark ? '\uFEFF' : '') + whole, 'utf16le');
    return (order === 'le' ? bytes : bytes.swap16()).toString('utf8');
  };
  const wide = [
    'read bundle: UTF-16',
    'it is text in UTF-16, as Windows writes it',
    'convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW',
  ];
  for (const order of ['le', 'be'] as const)
    for (const mark of [true, false]) t.deepEqual(refused(utf16(order, mark)), wide);
  const der = new X509Certificate(leaf.certificate).raw;
  const pfx = Buffer.from([0x30, 0x82, 0x0a, 0x11, 2, 1, 3, 0x30, 0x82, 0x09]);
  const ssh =
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----\n';
  const point = createPrivateKey(leaf.key).export({ type: 'sec1', format: 'pem' }).toString();
  t.deepEqual(
    [
      whole.replaceAll('\n', '\\n'),
      whole.replaceAll('\n', '\\r\\n'),
      whole.replaceAll('-----\n-----', '----------'),
      leaf.certificate.trimEnd() + leaf.key,
      whole.replaceAll('\n', ''),
      whole.replaceAll('\n', ' '),
      Buffer.from(whole).toString('base64'),
      whole.replaceAll('-----', '\u2014\u2014'),
      whole.replaceAll('-----', '----'),
      whole.replaceAll(/^(.*)$/gm, '"$1"'),
      der.toString('utf8'),
      pfx.toString('utf8'),
      der.toString('base64'),
      '<!DOCTYPE html><html>502</html>',
      '-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n' + leaf.key,
      leaf.certificate + ssh,
      leaf.certificate + '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n',
    ].map((text) => refused(text)[1]),
    [
      'its line ends are written out as \\n, as in JSON or a variable',
      'its line ends are written out as \\n, as in JSON or a variable',
      'an END line and a BEGIN line are one line: a file that was joined has no line end',
      'an END line and a BEGIN line are one line: a file that was joined has no line end',
      'its line ends are lost: BEGIN, base64 and END stand on one line',
      'its line ends are lost: BEGIN, base64 and END stand on one line',
      'it is base64 of a PEM text, as in a Kubernetes secret',
      'the dashes around BEGIN are others than five hyphens, as word processors write them',
      'the dashes around BEGIN are others than five hyphens, as word processors write them',
      'its lines are in quotes',
      'it is binary (DER), not PEM',
      'it is a PKCS #12 file (.p12, .pfx), not PEM',
      'it is base64 without BEGIN and END lines',
      'it is a web page or XML, perhaps of a failed download',
      'it holds a PKCS7',
      'HAProxy cannot read the form of OpenSSH',
      'it holds a PUBLIC KEY',
    ],
  );
  // A key in its old form is none of these.
  t.deepEqual(read(leaf.certificate + inter.certificate + point).said, []);
  t.deepEqual(refused(bundle(leaf, stranger))[0], 'read bundle: not a chain');
});

test('what HAProxy does not look at is left out and said; the key in another form is the same key', (t) => {
  const block = (label: string): string =>
    `-----BEGIN ${label}-----\nMIIB\n-----END ${label}-----\n`;
  const others = ['CERTIFICATE REQUEST', 'PUBLIC KEY', 'X509 CRL', 'PKCS7'];
  t.deepEqual(read(whole + others.map(block).join('')), {
    pem: whole,
    said: others.map((label) => `a ${label} is in it: left out`),
    warnings: [],
  });
  const point = createPrivateKey(leaf.key).export({ type: 'sec1', format: 'pem' }).toString();
  t.deepEqual(read(whole + point), {
    pem: whole,
    said: ['its private key is in it more than once: left out'],
    warnings: [],
  });
  // The first one is what HAProxy takes.
  t.deepEqual(
    refused(leaf.certificate + stranger.key + point)[0],
    'read bundle: several private keys',
  );
});

test('base64 as OpenSSL reads it: blanks within, and at the end of lines what is no ASCII', (t) => {
  const plain = { pem: whole, said: [], warnings: [] };
  t.deepEqual(read(whole.replaceAll('\n', '\u200b\u00a0\n')), plain);
  const wide = whole.replaceAll(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/])/g, ' ');
  t.true(/^MII\S{61} \S/m.test(wide));
  t.deepEqual(read(wide), plain);
});

test('a key under the label of another form: which it is', (t) => {
  const point = createPrivateKey(leaf.key).export({ type: 'sec1', format: 'pem' }).toString();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rsa = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  for (const [key, under, right] of [
    [point, 'PRIVATE KEY', 'EC PRIVATE KEY'],
    [point, 'RSA PRIVATE KEY', 'EC PRIVATE KEY'],
    [rsa, 'PRIVATE KEY', 'RSA PRIVATE KEY'],
  ] as const)
    t.deepEqual(refused(leaf.certificate + key.replaceAll(/(BEGIN|END) [A-Z ]+/g, `$1 ${under}`)), [
      'read bundle: a key under another label',
      `its ${under} is one of the form ${right}`,
      `write ${right} in its BEGIN and END lines`,
    ]);
});

test('more that people paste: each by its cause, also where one block of several is spoilt', (t) => {
  const { certificate, key } = leaf;
  const why = (text: string): string => refused(text)[1] ?? '';
  const before =
    'something stands before BEGIN on its line: a mark of a mail or a diff, a number, a tag';
  const behind = 'something stands behind a BEGIN or END line, which is to be alone on its line';
  const hidden = 'it holds invisible characters, as web pages and chats put them in';
  t.deepEqual(
    [
      'PK\u0003\u0004\u0014\0\0\0',
      `{\\rtf1\\ansi\n\\f0 ${whole.replaceAll('\n', '\\\n')}}`,
      '$ANSIBLE_VAULT;1.1;AES256\n6138\n',
      '{"sops": {}}',
      'Certificate:\n    Data:\n        Version: 3 (0x2)\n',
      encodeURIComponent(whole),
      whole.replaceAll(/^/gm, '> '),
      whole.replaceAll(/^/gm, '+'),
      whole
        .split('\n')
        .map((line, at) => `${at + 1}\t${line}`)
        .join('\n'),
      whole.replaceAll('\n', '$\n'),
      whole.replaceAll('\n', '<br>\n'),
      certificate
        .replace('BEGIN CERTIFICATE', 'begin certificate')
        .replace('END CERT', 'end cert') + key,
      `\u200b${certificate}${key}`,
      certificate + key.replace('BEGIN ', 'BEGIN\u00a0'),
    ].map(why),
    [
      'it is a ZIP archive, as CAs send them',
      'it is a document (RTF), as TextEdit and WordPad save it',
      'the whole file is encrypted (Ansible Vault, sops)',
      'the whole file is encrypted (Ansible Vault, sops)',
      'it is what openssl prints to read, without the certificate itself',
      'it is encoded for a URL (%20, %0A)',
      before,
      before,
      before,
      behind,
      behind,
      'its BEGIN and END lines are in small letters',
      hidden,
      hidden,
    ],
  );
  // What stands between blocks is no matter, and names no cause for what is not there.
  t.deepEqual(refused(`subject=CN\u00a0a\n${certificate}`)[0], 'read bundle: no private key');
});

test('a file that push would put right and HAProxy would not read is told apart', (t) => {
  t.deepEqual(
    [
      whole,
      whole.replaceAll('\n', '\r\n'),
      whole.replaceAll('\n', '\r'),
      whole.replaceAll(/^/gm, ' '),
      whole.replaceAll('\n', '\n\n'),
      whole.replaceAll('-----\n-----BEGIN', '-----\n\n-----BEGIN'),
    ].map((text) => refusedOnDisk(text)?.why ?? null),
    [
      null,
      null,
      'its lines end with CR alone',
      'its BEGIN lines are indented',
      'blank lines stand within its blocks',
      null,
    ],
  );
});

test('the normalised text is the same however often it is mended', (t) => {
  for (const text of [whole, bundle(leaf, leaf, root, inter), trusted(leaf) + leaf.key])
    t.is(mendedText(mendedText(text)), mendedText(text));
});
