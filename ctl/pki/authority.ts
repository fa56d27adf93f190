import 'reflect-metadata';
import { KeyObject, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** P-256 with SHA-256: what TLS 1.3 has in every implementation. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A certificate and its private key, both PEM; the key is PKCS #8 without passphrase. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** Whom a certificate is for: the URI is what agents read, the rest is for people. */
export interface Subject {
  readonly commonName: string;
  readonly uri: string;
  readonly kind: 'node' | 'operator';
}

/** A new self-signed CA for one pair, in force for `days` from an hour ago (clocks differ). */
export async function createAuthority(pair: string, days: number, nowMs: number): Promise<Issued> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=proxyctl CA of ${pair}`,
    keys,
    ...lifetime(days, nowMs),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: exportKey(keys.privateKey) };
}

/**
 * A certificate with this one name, signed by the CA. `key` (PEM) is used again
 * where it is given, so that a renewal that was half copied still fits; else a
 * new one is made. Never outlives the CA. Rejects for a key that is not P-256.
 */
export async function issueCertificate(
  authority: Issued,
  subject: Subject,
  {
    days,
    nowMs,
    key,
  }: { readonly days: number; readonly nowMs: number; readonly key: string | null },
): Promise<Issued> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = key === null ? await generate() : await importKey(key);
  const { notBefore, notAfter } = lifetime(days, nowMs);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${subject.commonName}`,
    issuer: issuer.subject,
    notBefore: new Date(Math.max(notBefore.getTime(), issuer.notBefore.getTime())),
    notAfter: new Date(Math.min(notAfter.getTime(), issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: (await importKey(authority.key)).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.clientAuth,
        ...(subject.kind === 'node' ? [x509.ExtendedKeyUsage.serverAuth] : []),
      ]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: subject.uri }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: exportKey(keys.privateKey) };
}

const lifetime = (days: number, nowMs: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(nowMs - HOUR_MS),
  notAfter: new Date(nowMs + days * DAY_MS),
});

/** 16 random bytes, positive and without a leading zero (RFC 5280, 4.1.2.2). */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const generate = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

async function importKey(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const { d: _secret, ...open } = createPrivateKey(keyPem).export({ format: 'jwk' });
  const pkcs8 = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', open, ALGORITHM, true, ['verify']),
  };
}

const exportKey = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();

const pem = (certificate: x509.X509Certificate): string =>
  `${certificate.toString('pem').trim()}\n`;
