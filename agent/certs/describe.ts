import { createHash } from 'node:crypto';
import { blocksOf, bundleText } from './blocks.ts';
import { readCertificate, type Certificate, rfc3339, sha1Of } from './certificate.ts';
import { isCertificate } from './mend.ts';

/** A bundle on disk as HAProxy would load it. */
interface OnDisk {
  readonly pem: string;
  /** Of the leaf. */
  readonly sha1: string;
  /** Of the whole bundle, normalised. */
  readonly sha256: string;
  readonly notBefore: string;
  /** Common name or organisation; empty: it has neither. */
  readonly issuer: string;
}

/** Reads a bundle's text; null where it holds no certificate. Throws PemError. */
export function describe(text: string): OnDisk | null {
  const blocks = blocksOf(text);
  const leaf = blocks.find(isCertificate);
  if (leaf === undefined) return null;
  const pem = bundleText(blocks);
  const certificate = readCertificate(leaf.text, 1);
  return {
    pem,
    sha1: sha1Of(certificate),
    sha256: createHash('sha256').update(pem).digest('hex'),
    notBefore: rfc3339(certificate.notBeforeMs),
    issuer: issuerOf(certificate),
  };
}

/** Whom an issuer is called: its common name, else its organisation, of at most 80 characters; empty for neither. */
function issuerOf({ x509 }: Certificate): string {
  const issuer = x509.issuer ?? '';
  const found = /^CN=(.+)$/m.exec(issuer)?.[1] ?? /^O=(.+)$/m.exec(issuer)?.[1] ?? '';
  return found.slice(0, 80);
}
