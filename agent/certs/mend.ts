import { createPrivateKey } from 'node:crypto';
import { blocksOf, bundleText, isKey, type Block } from './blocks.ts';
import { issued, readCertificate, type Certificate } from './certificate.ts';

/** Something that HAProxy bears and that is put right on the way. */
interface Mend {
  /** What is seen in the bundle, for doctor too. */
  readonly seen: string;
  /** What was done about it. */
  readonly done: string;
}

export interface Mended {
  /** Without what is there twice, the chain in order, every certificate under the label CERTIFICATE. */
  readonly blocks: readonly Block[];
  /** Of `blocks`, with their positions in what was given. */
  readonly certificates: readonly Certificate[];
  readonly mends: readonly Mend[];
}

/**
 * The blocks of a bundle as they are given to HAProxy, which itself takes repeated certificates and
 * keys, any order after the leaf, and the other labels of a certificate (PEM_read_bio_X509_AUX(3)).
 * Throws PemError `not_pem` where a certificate cannot be decoded.
 */
export function mended(blocks: readonly Block[]): Mended {
  const mends: Mend[] = [];
  const all = blocks
    .filter(isCertificate)
    .map(({ text }, index) => readCertificate(text, index + 1));
  const once: Certificate[] = [];
  for (const one of all) {
    const first = once.find(({ x509 }) => x509.raw.equals(one.x509.raw));
    if (first === undefined) once.push(one);
    else
      mends.push({
        seen: `${one.title} is certificate ${first.position} again`,
        done: 'left out',
      });
  }
  const trusted = blocks.filter(({ label }) => label === 'TRUSTED CERTIFICATE').length;
  if (trusted > 0)
    mends.push({
      seen: `${trusted === 1 ? 'a certificate' : `${trusted} certificates`} with trust settings of OpenSSL (TRUSTED CERTIFICATE)`,
      done: 'written without them',
    });
  const certificates = inOrder(once);
  if (certificates.some((one, at) => one !== once[at]))
    mends.push({ seen: 'the chain is not in order', done: 'put in order' });
  const parameters = blocks.filter(({ label }) => PARAMETERS.includes(label));
  const others = new Set(blocks.filter(isOther).map(({ label }) => label));
  for (const label of others) mends.push({ seen: `a ${label} is in it`, done: 'left out' });
  return {
    blocks: [...certificates.map(blockOf), ...parameters, ...keysOf(blocks, once[0], mends)],
    certificates,
    mends,
  };
}

/** The normalised text of a bundle: what a swap installs. Throws PemError. */
export const mendedText = (pem: string): string => bundleText(mended(blocksOf(pem)).blocks);

/** Whether a block is a certificate under any of its labels. */
export const isCertificate = ({ label }: Block): boolean =>
  /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label);

/** They may stand beside: `openssl ecparam` writes them. */
const PARAMETERS = ['DH PARAMETERS', 'EC PARAMETERS'];

/** Whether a block is nothing that belongs into a bundle. */
export const isOther = (block: Block): boolean =>
  !PARAMETERS.includes(block.label) && !isCertificate(block) && !isKey(block);

function blockOf({ x509 }: Certificate): Block {
  const body = x509.raw.toString('base64').match(/.{1,64}/g) ?? [];
  const label = 'CERTIFICATE';
  const text = [`-----BEGIN ${label}-----`, ...body, `-----END ${label}-----`, ''].join('\n');
  return { label, text, encrypted: false };
}

/**
 * As it is where everything after the leaf has issued something before it, so that a cross-signed
 * twin may stand where it likes; else each issuer after what it issued, strangers last.
 */
function inOrder(certificates: readonly Certificate[]): readonly Certificate[] {
  if (strangerIn(certificates) === null) return certificates;
  const [leaf] = certificates;
  if (leaf === undefined) return certificates;
  const order = [leaf];
  let rest = certificates.slice(1);
  for (;;) {
    const last = order.at(-1) ?? leaf;
    const next =
      rest.find((one) => issued(one, last)) ??
      rest.find((one) => order.some((before) => issued(one, before)));
    if (next === undefined) break;
    order.push(next);
    rest = rest.filter((one) => one !== next);
  }
  return rest.length > 0 ? certificates : order;
}

/** The index of the first certificate that issued none of those before it; null: there is none. */
export function strangerIn(certificates: readonly Certificate[]): number | null {
  const at = certificates.findIndex(
    (one, index) =>
      index > 0 && !certificates.slice(0, index).some((before) => issued(one, before)),
  );
  return at < 0 ? null : at;
}

/** HAProxy takes the first key; what stands after it counts for nothing where that is the leaf's. */
function keysOf(
  blocks: readonly Block[],
  leaf: Certificate | undefined,
  mends: Mend[],
): readonly Block[] {
  const keys = blocks.filter(isKey);
  const [first, ...more] = keys;
  if (first === undefined || more.length === 0) return keys;
  const isLeafs = (one: Block): boolean => leaf !== undefined && belongs(one, leaf);
  // In another form (PKCS #1 beside PKCS #8) it is the same key.
  const same =
    more.every(({ text }) => text === first.text) || (isLeafs(first) && more.every(isLeafs));
  if (!same && !isLeafs(first)) return keys;
  mends.push({
    seen: same ? 'its private key is in it more than once' : 'it holds keys of other certificates',
    done: same ? 'left out' : 'left out, the first is the key of the leaf',
  });
  return [first];
}

function belongs({ text }: Block, { x509 }: Certificate): boolean {
  try {
    return x509.checkPrivateKey(createPrivateKey(text));
  } catch {
    return false;
  }
}
