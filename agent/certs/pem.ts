import { createHash, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { blocksOf, bundleText, isKey } from './blocks.ts';
import type { Block } from './blocks.ts';
import { issued, namesOf, rfc3339, sha1Of } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { isCertificate, isOther, mended, strangerIn, type Mended } from './mend.ts';
import { causeOf, otherBlock } from './pem-causes.ts';
import { PemError } from './pem-error.ts';

/** A bundle that HAProxy can serve: a leaf, its key and its chain in order. */
export interface Bundle {
  /** Only PEM blocks, the key last, no CR, no blank line, one newline at the end. */
  readonly pem: string;
  /** DNS names and addresses of the leaf; its common name where it has no others. */
  readonly names: readonly string[];
  /** RFC 3339 UTC, of the leaf. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Of the leaf's DER, lower case hex: HAProxy's "SHA1 FingerPrint". */
  readonly sha1: string;
  /** Of `pem`, lower case hex. */
  readonly sha256: string;
  /** Of the leaf's key, as Node names it: "rsa", "ec". */
  readonly keyType: string;
  /** Certificates after the leaf. */
  readonly chainLength: number;
  readonly warnings: readonly string[];
  /** What was put right in `pem`; HAProxy would have taken it as it was. */
  readonly mends: Mended['mends'];
}

/** In bytes. Far above any real bundle (3 to 6 KB), far below what could hurt the agent. */
export const LONGEST_BUNDLE = 1 << 20;

/**
 * Reads and checks a bundle: certificates with the leaf first, then only issuers of what stands
 * there, and the leaf's key anywhere among them. HAProxy itself checks no more than that key and
 * leaf match; what it takes besides is put right. Throws PemError with the first thing that is
 * wrong, by its known cause where there is one.
 */
export function parseBundle(text: string, wallMs: number): Bundle {
  if (Buffer.byteLength(text) > LONGEST_BUNDLE)
    throw new PemError(
      'too_long',
      'read bundle: too long',
      `${Buffer.byteLength(text)} bytes, at most ${LONGEST_BUNDLE} are read`,
      'give one leaf, its key and its chain',
    );
  const given = readBlocks(text);
  // Beside a certificate and its key they are left out, as HAProxy leaves them.
  if (!given.some(isCertificate) || !given.some(isKey)) refuseOthers(given);
  // A BEGIN that nobody could read as one may be what is missed below.
  const unread = (text.match(/BEGIN\s/gi) ?? []).length > given.length ? causeOf(text) : null;
  const { blocks, certificates, mends } = mended(given);
  const [leaf] = certificates;
  if (leaf === undefined)
    throw (
      unread ??
      new PemError(
        'no_certificate',
        'read bundle: no certificate',
        'it holds a key only',
        'put leaf, chain and key into one file',
      )
    );
  checkKey(onlyKey(blocks, unread), certificates);
  checkTimes(leaf, wallMs);
  checkOrder(certificates);
  const pem = bundleText(blocks);
  return {
    pem,
    names: namesOf(leaf),
    notBefore: rfc3339(leaf.notBeforeMs),
    notAfter: rfc3339(leaf.notAfterMs),
    sha1: sha1Of(leaf),
    sha256: createHash('sha256').update(pem).digest('hex'),
    keyType: leaf.x509.publicKey.asymmetricKeyType ?? '',
    chainLength: certificates.length - 1,
    warnings: warningsOf(leaf, certificates, wallMs),
    mends,
  };
}

/** The blocks of a text; where it has none or they are broken, the known cause of that. */
function readBlocks(text: string): readonly Block[] {
  let blocks: readonly Block[];
  try {
    blocks = blocksOf(text);
  } catch (error) {
    throw causeOf(text) ?? error;
  }
  if (blocks.length > 0) return blocks;
  throw (
    causeOf(text) ??
    new PemError(
      'not_pem',
      'read bundle: not PEM',
      'it has no line -----BEGIN ...-----',
      'convert it: openssl x509 -inform der, or openssl pkcs12 -nodes',
    )
  );
}

/** A request or a public key in the place of what is missing is a mistake. */
function refuseOthers(blocks: readonly Block[]): void {
  const other = blocks.find(isOther);
  if (other !== undefined) throw otherBlock(other.label);
}

function onlyKey(blocks: readonly Block[], unread: PemError | null): KeyObject {
  const keys = blocks.filter(isKey);
  const [key] = keys;
  if (key === undefined)
    throw (
      unread ??
      new PemError(
        'no_key',
        'read bundle: no private key',
        'it holds certificates only',
        'append the private key of the leaf, or give it: --key FILE',
      )
    );
  if (keys.length > 1)
    throw new PemError(
      'several_keys',
      'read bundle: several private keys',
      `it holds ${keys.length} keys, HAProxy uses one`,
      'leave only the key of the leaf in it',
    );
  if (key.encrypted || key.label === 'ENCRYPTED PRIVATE KEY')
    throw new PemError(
      'encrypted_key',
      'read bundle: encrypted private key',
      'HAProxy cannot ask for a passphrase',
      'decrypt it: openssl pkey -in FILE -out KEY',
    );
  if (key.label === 'OPENSSH PRIVATE KEY')
    throw new PemError(
      'not_pem',
      'read bundle: a key of OpenSSH',
      'HAProxy cannot read the form of OpenSSH',
      'convert a copy of it: ssh-keygen -p -m PEM -f COPY',
    );
  try {
    return createPrivateKey(key.text);
  } catch {
    const label = rightLabel(key);
    if (label !== null)
      throw new PemError(
        'not_pem',
        'read bundle: a key under another label',
        `its ${key.label} is one of the form ${label}`,
        `write ${label} in its BEGIN and END lines`,
      );
    throw new PemError(
      'not_pem',
      'read bundle: not a private key',
      `its ${key.label} cannot be decoded`,
      'copy the file again, whole',
    );
  }
}

/** The label under which its key can be read; null: under none. */
function rightLabel({ text }: Block): string | null {
  const body = text.split('\n').slice(1, -2).join('');
  const key = Buffer.from(body, 'base64');
  // Node 24 takes either of the two older forms for the other: what kind of key it is decides.
  const forms = [
    ['pkcs8', 'PRIVATE KEY', null],
    ['pkcs1', 'RSA PRIVATE KEY', 'rsa'],
    ['sec1', 'EC PRIVATE KEY', 'ec'],
  ] as const;
  const found = forms.find(([type, , kind]) => {
    try {
      const { asymmetricKeyType } = createPrivateKey({ key, format: 'der', type });
      return kind === null || kind === asymmetricKeyType;
    } catch {
      return false;
    }
  });
  return found?.[1] ?? null;
}

function checkKey(key: KeyObject, certificates: readonly Certificate[]): void {
  const owner = certificates.find(({ x509 }) => x509.checkPrivateKey(key));
  if (owner?.position === 1) return;
  if (owner !== undefined && !owner.x509.ca)
    throw new PemError(
      'leaf_not_first',
      'read bundle: the leaf does not come first',
      `the key belongs to ${owner.title}`,
      'put the leaf first, then each issuer after what it issued',
    );
  throw new PemError(
    'key_mismatch',
    'read bundle: key and leaf do not match',
    owner === undefined
      ? `the key belongs to none of ${certificates.length} certificates`
      : `the key belongs to ${owner.title}, an issuer, not to certificate 1`,
    'take the key that the leaf was requested with',
  );
}

function checkTimes(leaf: Certificate, wallMs: number): void {
  const now = `it is ${rfc3339(wallMs)} here`;
  if (leaf.notAfterMs <= wallMs)
    throw new PemError(
      'expired',
      'read bundle: expired',
      `${leaf.title} ended at ${rfc3339(leaf.notAfterMs)}, ${now}`,
      'renew it, or set the clock right',
    );
  if (leaf.notBeforeMs > wallMs)
    throw new PemError(
      'not_yet_valid',
      'read bundle: not valid yet',
      `${leaf.title} starts at ${rfc3339(leaf.notBeforeMs)}, ${now}`,
      'wait until then, or set the clock right',
    );
}

function checkOrder(certificates: readonly Certificate[]): void {
  const at = strangerIn(certificates);
  const [issuer, subject] = at === null ? [] : [certificates[at], certificates[at - 1]];
  if (issuer === undefined || subject === undefined) return;
  throw new PemError(
    'chain_order',
    'read bundle: not a chain',
    `${issuer.title} did not issue ${subject.title}, nor anything else in it`,
    'leave only issuers of the leaf after it',
  );
}

/** What clients bear, and the operator should know. */
function warningsOf(
  leaf: Certificate,
  certificates: readonly Certificate[],
  wallMs: number,
): readonly string[] {
  return [
    ...(leaf.x509.subjectAltName === undefined
      ? ['the leaf has no subject alternative names: clients refuse it']
      : []),
    // Let's Encrypt served an expired cross-signed issuer on purpose, so this does not refuse.
    ...certificates
      .slice(1)
      .filter(({ notAfterMs }) => notAfterMs <= wallMs)
      .map(({ title, notAfterMs }) => `${title} ended at ${rfc3339(notAfterMs)}`),
    ...certificates
      .filter((one) => one !== leaf && issued(one, one))
      .map(({ title }) => `${title} is a root: clients have it or do not trust it, leave it out`),
  ];
}
