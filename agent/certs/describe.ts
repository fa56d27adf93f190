import { createHash } from 'node:crypto';
import { blocksOf, bundleText } from './blocks.ts';
import { readCertificate, rfc3339, sha1Of } from './certificate.ts';
import { isCertificate } from './mend.ts';

/** A bundle on disk as HAProxy would load it. */
interface OnDisk {
  readonly pem: string;
  /** Of the leaf. */
  readonly sha1: string;
  /** Of the whole bundle, normalised. */
  readonly sha256: string;
  readonly notBefore: string;
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
  };
}
