import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { createCrl } from '../../ctl/pki/crl.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** A certificate and its key, both PEM. */
export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Ca extends Issued {
  /** A leaf with exactly these names, URIs or DNS names; `days` counts from yesterday and may be negative: expired. */
  issue(names: readonly string[], days?: number): Promise<Issued>;
  /** A revocation list of these certificates, PEM. */
  crl(revoked: readonly Issued[], number: number): Promise<string>;
}

/** A certificate authority of one test. */
export async function createCa(name: string): Promise<Ca> {
  const keys = await generate();
  const notBefore = new Date(Date.now() - 30 * DAY_MS);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore,
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certPem: certificate.toString('pem'),
    keyPem: exportKey(keys),
    async issue(names, days = 10) {
      const leaf = await generate();
      const issued = await x509.X509CertificateGenerator.create({
        subject: 'CN=leaf',
        issuer: certificate.subject,
        notBefore: new Date(Date.now() - 20 * DAY_MS),
        notAfter: new Date(Date.now() + days * DAY_MS),
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: value.includes(':') ? 'url' : 'dns', value })),
          ),
        ],
      });
      return { certPem: issued.toString('pem'), keyPem: exportKey(leaf) };
    },
    crl: (revoked, number) => {
      const serials = revoked.map(({ certPem }) => new x509.X509Certificate(certPem).serialNumber);
      return createCrl(
        { certificate: certificate.toString('pem'), key: exportKey(keys) },
        serials,
        {
          number,
          nowMs: Date.now(),
        },
      );
    },
  };
}

const generate = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const exportKey = (keys: webcrypto.CryptoKeyPair): string =>
  KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
