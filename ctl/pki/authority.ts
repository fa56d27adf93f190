import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { ALGORITHM, exportKey, generate, importKey } from './keys.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A certificate and its private key, both PEM; the key is PKCS #8. */
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
 * new one is made, under `passphrase` where there is one. Never outlives the CA.
 * Rejects for a key that is not P-256.
 */
export async function issueCertificate(
  authority: Issued,
  subject: Subject,
  {
    days,
    nowMs,
    key,
    passphrase = null,
  }: {
    readonly days: number;
    readonly nowMs: number;
    readonly key: string | null;
    readonly passphrase?: string | null;
  },
): Promise<Issued> {
  const keys = key === null ? await generate() : await importKey(key);
  const certificate = await certify(authority, subject, keys.publicKey, { days, nowMs });
  return { certificate, key: key ?? exportKey(keys.privateKey, passphrase) };
}

/** A certificate with this one name for a public key that was born elsewhere; PEM. */
export async function certify(
  authority: Issued,
  subject: Subject,
  publicKey: webcrypto.CryptoKey,
  { days, nowMs }: { readonly days: number; readonly nowMs: number },
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const { notBefore, notAfter } = lifetime(days, nowMs);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${subject.commonName}`,
    issuer: issuer.subject,
    notBefore: new Date(Math.max(notBefore.getTime(), issuer.notBefore.getTime())),
    notAfter: new Date(Math.min(notAfter.getTime(), issuer.notAfter.getTime())),
    publicKey,
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
  return pem(certificate);
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

const pem = (certificate: x509.X509Certificate): string =>
  `${certificate.toString('pem').trim()}\n`;
