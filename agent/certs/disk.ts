import { blocksOf, splitText } from './blocks.ts';
import { readCertificate } from './certificate.ts';
import type { SwapFile, SwapItem } from './entry.ts';
import { refuse } from './failure.ts';
import { isMissing } from './files.ts';
import type { CertificateFiles, NodeSwapParts, Place } from './port.ts';
import { isCertificate } from './mend.ts';

/** A certificate as it lies on disk, in one file or with its key in another. */
interface Texts {
  /** Everything that HAProxy would load, as it is. */
  readonly text: string;
  readonly certificateText: string;
  /** Null: the key is in the certificate's own file, or nowhere. */
  readonly keyText: string | null;
}
export interface OnDisk extends Texts {
  readonly place: Place;
}

type Reads = Pick<CertificateFiles, 'read'>;

/** Reads the bundle behind what HAProxy calls `path`; as `readPlace`. */
export async function readDisk(
  { files, placeOf }: Pick<NodeSwapParts, 'files' | 'placeOf'>,
  path: string,
): Promise<OnDisk> {
  const place = await placeOf(path);
  return { place, ...(await readPlace(files, place)) };
}

/**
 * Reads a bundle, the key's own file included where the certificate's holds none. Rejects where a
 * file that is named cannot be read.
 */
export async function readPlace(
  files: Reads,
  { certificate, key }: Pick<Place, 'certificate' | 'key'>,
): Promise<Texts> {
  const certificateText = await files.read(certificate);
  const keyText = holdsKey(certificateText) ? null : await ifThere(files, key);
  const text = keyText === null ? certificateText : `${certificateText}\n${keyText}`;
  return { text, certificateText, keyText };
}

/** As HAProxy looks for it, before anything is parsed. */
const holdsKey = (text: string): boolean => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);

/** The text of a file that need not be there; null: it is not. */
export async function ifThere(files: Reads, path: string | null): Promise<string | null> {
  if (path === null) return null;
  try {
    return await files.read(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * The files that `pem` (normalised) goes to, in the order in which they are replaced; none where
 * that is the one file HAProxy names. The key's file comes first, so that whoever finds the new
 * certificate finds its key. Between the two HAProxy refuses to load them, whichever is first: a
 * reload then fails its check and leaves the running process, which has the new pair in memory,
 * and the journal brings both files to one version.
 */
export function filesFor(path: string, disk: OnDisk, pem: string): readonly SwapFile[] {
  const { place, certificateText, keyText } = disk;
  if (keyText === null || place.key === null)
    return place.certificate === path
      ? []
      : [{ path: place.certificate, oldPem: certificateText, newPem: pem }];
  const { certificates, key } = splitText(blocksOf(pem));
  return [
    { path: place.key, oldPem: keyText, newPem: key },
    { path: place.certificate, oldPem: certificateText, newPem: certificates },
  ];
}

/** The files of one certificate of a swap, as they are replaced one after the other. */
export const filesOf = ({
  path,
  oldPem,
  newPem,
  files,
}: Pick<SwapItem, 'path' | 'oldPem' | 'newPem' | 'files'>): readonly SwapFile[] =>
  files.length > 0 ? files : [{ path, oldPem, newPem }];

/**
 * What of the files beside a certificate does not fit the new one. HAProxy ignores an OCSP response
 * of another certificate; an issuer of another one, which it reads with that response, keeps it
 * from starting: that is refused.
 */
export async function besideProblems(
  { files, node }: NodeSwapParts,
  { path, place, pem }: { readonly path: string; readonly place: Place; readonly pem: string },
): Promise<string[]> {
  const [ocsp, sctl] = await Promise.all([ifThere(files, place.ocsp), ifThere(files, place.sctl)]);
  const issuer = ocsp === null ? null : await ifThere(files, place.issuer);
  if (issuer !== null && !issues(issuer, pem))
    throw refuse(
      'failed',
      'issuer_differs',
      `${path} on ${node}: the issuer beside it did not issue the new certificate`,
      `with ${place.issuer} HAProxy would not start again`,
      `put the new issuer there, or remove ${place.issuer} and ${place.ocsp}`,
    );
  return [
    ...(ocsp === null
      ? []
      : [`${place.ocsp} is of the old certificate: no OCSP response is sent until it is renewed`]),
    ...(sctl === null ? [] : [`${place.sctl} is of the old certificate: renew or remove it`]),
  ];
}

/** Unreadable counts as another one: HAProxy would say no more of it. */
function issues(issuerText: string, pem: string): boolean {
  try {
    const [issuer, leaf] = [issuerText, pem].map((text) => {
      const block = blocksOf(text).find(isCertificate);
      return readCertificate(block?.text ?? '', 1).x509;
    });
    return issuer !== undefined && leaf !== undefined && leaf.checkIssued(issuer);
  } catch {
    return false;
  }
}

/** The last of them has the certificates; those before it are a key's own file. */
export const keyFilesOf = (item: SwapItem): readonly SwapFile[] => filesOf(item).slice(0, -1);
export const certificateFilesOf = (item: SwapItem): readonly SwapFile[] => filesOf(item).slice(-1);
