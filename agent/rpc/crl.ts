import { createHash, verify } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import {
  BIT_STRING,
  BOOLEAN,
  INTEGER,
  OCTET_STRING,
  SEQUENCE,
  elements,
  inside,
} from '../core/der.ts';
import type { Element } from '../core/der.ts';

/** A revocation list whose signature is its issuer's. */
export interface Crl {
  /** keyId() of the key that signed it. */
  readonly issuer: string;
  /** Grows with every list of one issuer (RFC 5280, 5.2.3). */
  readonly number: bigint;
  /** Serial numbers as serialOf() writes them. */
  readonly serials: ReadonlySet<string>;
  readonly pem: string;
}

/** Longer than any list of a pair: 20,000 certificates. */
const LONGEST_LIST = 1 << 20;
/** More CAs than can be in force at once. */
const MOST_LISTS = 8;

const BLOCK = /-----BEGIN (?:X509 )?CRL-----([A-Za-z0-9+/=\s]+)-----END (?:X509 )?CRL-----/g;
const HASHES: Readonly<Record<string, string | null>> = {
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2b6570': null,
};
const CRL_NUMBER = '551d14';

/** A list that cannot be used, and why. */
export class CrlError extends Error {
  override readonly name = 'CrlError';
}

/** SHA-256 of the public key, hex: a CA whose certificate was renewed is the same issuer. */
export const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');

/** A serial number as lists and certificates are compared: upper case hex without leading zeros. */
export const serialOf = (hex: string): string => hex.toUpperCase().replace(/^0+(?=.)/, '');

/**
 * The PEM lists in `text` that one of `issuers` has signed, the newest of each issuer; those of
 * strangers are left out, so there may be none. A list stays in force after its nextUpdate: who was revoked stays so.
 * Throws CrlError for text that holds no such list, or one that RFC 5280 forbids to use.
 */
export function readCrls(text: string, issuers: readonly X509Certificate[]): Crl[] {
  if (text.length > LONGEST_LIST) throw new CrlError('the list is longer than 1 MB');
  const bodies = Array.from(text.matchAll(BLOCK), ([, body = '']) => body);
  if (bodies.length === 0) throw new CrlError('there is no PEM revocation list in it');
  if (bodies.length > MOST_LISTS) throw new CrlError(`more than ${MOST_LISTS} lists`);
  const known = new Map<string, Crl>();
  for (const body of bodies) {
    const crl = readOne(Buffer.from(body, 'base64'), issuers);
    if (crl === null) continue;
    const before = known.get(crl.issuer);
    if (before === undefined || crl.number > before.number) known.set(crl.issuer, crl);
  }
  return [...known.values()];
}

function readOne(der: Buffer, issuers: readonly X509Certificate[]): Crl | null {
  try {
    const [tbs, algorithm, bits] = elements(inside(der, SEQUENCE));
    if (tbs === undefined || algorithm === undefined || bits?.tag !== BIT_STRING)
      throw new CrlError('it is no revocation list');
    // Only what stands inside is signed (RFC 5280, 5.1.1.2).
    const inner = elements(tbs.content).find(({ tag }) => tag === SEQUENCE);
    if (inner === undefined || !inner.whole.equals(algorithm.whole) || bits.content[0] !== 0)
      throw new CrlError('it is no revocation list');
    const signed = issuers.find((issuer) => issuer.ca && isSignedBy(tbs, algorithm, bits, issuer));
    if (signed === undefined) return null;
    return { issuer: keyId(signed.publicKey), pem: pemOf(der), ...contents(tbs.content) };
  } catch (error) {
    if (error instanceof RangeError)
      throw new CrlError('it is no revocation list', { cause: error });
    throw error;
  }
}

/** In one form, whoever wrote it: equal lists are equal texts. */
function pemOf(der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{1,64}/g, '$&\n');
  return `-----BEGIN X509 CRL-----\n${lines}-----END X509 CRL-----\n`;
}

function isSignedBy(
  tbs: Element,
  algorithm: Element,
  bits: Element,
  { publicKey }: X509Certificate,
): boolean {
  const oid = elements(algorithm.content)[0]?.content.toString('hex') ?? '';
  const hash = HASHES[oid];
  if (hash === undefined) throw new CrlError('it is signed in a way that is not known here');
  try {
    return verify(hash, tbs.whole, publicKey, bits.content.subarray(1));
  } catch {
    return false; // another kind of key
  }
}

/** TBSCertList (RFC 5280, 5.1): what stands in front of the serials is not needed. */
function contents(tbs: Buffer): { readonly number: bigint; readonly serials: Set<string> } {
  const parts = elements(tbs);
  // version, signature, issuer, thisUpdate, [nextUpdate], [revoked], [0] extensions
  const rest = parts.slice(parts[0]?.tag === INTEGER ? 4 : 3);
  const revoked = rest.find(({ tag }) => tag === SEQUENCE);
  const extensions = rest.find(({ tag }) => tag === 0xa0);
  const serials = new Set<string>();
  for (const { content } of revoked === undefined ? [] : elements(revoked.content)) {
    const [serial, , more] = elements(content);
    if (serial?.tag !== INTEGER) throw new RangeError('no serial number');
    if (more !== undefined) refuseCritical(elements(more.content));
    serials.add(serialOf(serial.content.toString('hex')));
  }
  const list = extensions === undefined ? [] : elements(inside(extensions.content, SEQUENCE));
  refuseCritical(list);
  const value = list.map(({ content }) => elements(content)).find(([oid]) => isNumber(oid));
  const number = value?.at(-1);
  if (number?.tag !== OCTET_STRING)
    throw new CrlError('it has no CRL number: an older list could take its place');
  return { number: BigInt(`0x${inside(number.content, INTEGER).toString('hex')}`), serials };
}

const isNumber = (oid: Element | undefined): boolean => oid?.content.toString('hex') === CRL_NUMBER;

/** What is critical must be understood (RFC 5280, 5.2): parts of lists and lists for others are not. */
function refuseCritical(extensions: readonly Element[]): void {
  for (const { content } of extensions) {
    const [, flag] = elements(content);
    if (flag?.tag === BOOLEAN && flag.content[0] !== 0)
      throw new CrlError('it is not the whole list of its issuer (a critical extension)');
  }
}
