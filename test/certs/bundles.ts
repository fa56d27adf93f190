import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate with its key, and what it can issue. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly sha1: string;
  readonly subject: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface Wanted {
  readonly subject: string;
  /** DNS names, or IP addresses and URIs with the type said. */
  readonly names?: readonly (string | { readonly ip: string } | { readonly uri: string })[];
  readonly issuer?: Issued;
  readonly ca?: boolean;
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** Make the same key again. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

/** Within every certificate's validity that does not ask for another one. */
export const NOW = Date.parse('2026-06-01T12:00:00Z');

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
let serial = 0;

/** For a certificate with an RSA key. */
export const rsaKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    true,
    ['sign', 'verify'],
  );

/** Issues a P-256 certificate; without issuer it is self-signed. */
export async function issue(wanted: Wanted): Promise<Issued> {
  const { subject, issuer, names = [], ca = false } = wanted;
  const keys =
    wanted.keys ?? (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']));
  const signer = issuer?.keys ?? keys;
  const san = names.map((name) => {
    if (typeof name === 'string') return { type: 'dns' as const, value: name };
    return 'ip' in name
      ? { type: 'ip' as const, value: name.ip }
      : { type: 'url' as const, value: name.uri };
  });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (++serial).toString(16).padStart(4, '0'),
    subject,
    issuer: issuer?.subject ?? subject,
    notBefore: new Date(wanted.notBefore ?? '2026-01-01T00:00:00Z'),
    notAfter: new Date(wanted.notAfter ?? '2026-12-31T00:00:00Z'),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: { ...algorithm, name: signer.privateKey.algorithm.name },
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(san.length > 0 ? [new x509.SubjectAlternativeNameExtension(san)] : []),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const body = pkcs8.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    certificate: `${certificate.toString('pem').trim()}\n`,
    key: ['-----BEGIN PRIVATE KEY-----', ...body, '-----END PRIVATE KEY-----', ''].join('\n'),
    sha1: Buffer.from(await certificate.getThumbprint('SHA-1')).toString('hex'),
    subject,
    keys,
  };
}

/** Leaf, chain and key, as they lie in a file for HAProxy. */
export const bundle = (leaf: Issued, ...chain: readonly Issued[]): string =>
  [leaf, ...chain].map(({ certificate }) => certificate).join('') + leaf.key;
