import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import { keyId, serialOf } from './crl.ts';

/** Whom this node trusts now, and who is no longer trusted. */
export interface Trust {
  /** CAs by keyId(), with when each ends, Unix ms. */
  readonly roots: ReadonlyMap<string, number>;
  /** Serial numbers by the issuer's keyId(). */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A certificate that was shown, with everything its validity hangs on. */
export interface Vouched {
  /** From the certificate up to the CA, each named by its issuer's keyId() and its serial. */
  readonly path: readonly { readonly issuer: string; readonly serial: string }[];
  /** The soonest end on that path, the CA's own left out, Unix ms. */
  readonly notAfterWallMs: number;
}

/** Why a certificate that was shown is not good, or no longer. */
export interface Objection {
  readonly why: 'revoked' | 'expired' | 'ca';
  readonly text: string;
}

const DEEPEST = 6;

/**
 * What vouches for a certificate that was shown in a handshake: the way from it to one of `roots`,
 * each step with its signature verified. Null where no way leads there.
 */
export function vouchedBy(
  shown: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): Vouched | null {
  let [one] = shown;
  const path: { issuer: string; serial: string }[] = [];
  let notAfterWallMs = Number.POSITIVE_INFINITY;
  const issued = (by: X509Certificate, leaf: X509Certificate): boolean =>
    leaf.checkIssued(by) && leaf.verify(by.publicKey);
  while (one !== undefined && path.length < DEEPEST) {
    const leaf = one;
    notAfterWallMs = Math.min(notAfterWallMs, Date.parse(leaf.validTo));
    const serial = serialOf(leaf.serialNumber);
    const root = roots.find((by) => issued(by, leaf));
    const by = root ?? shown.find((other) => other !== leaf && other.ca && issued(other, leaf));
    if (by === undefined) return null;
    path.push({ issuer: keyId(by.publicKey), serial });
    if (root !== undefined) return { path, notAfterWallMs };
    one = by;
  }
  return null;
}

/** What stands against it at `wallMs`; null: nothing. */
export function objectionTo(vouched: Vouched, trust: Trust, wallMs: number): Objection | null {
  const { path, notAfterWallMs } = vouched;
  if (path.some(({ issuer, serial }) => trust.revoked.get(issuer)?.has(serial)))
    return { why: 'revoked', text: 'its certificate was revoked' };
  if (notAfterWallMs <= wallMs) return { why: 'expired', text: 'its certificate has expired' };
  const root = trust.roots.get(path.at(-1)?.issuer ?? '');
  if (root === undefined) return { why: 'ca', text: 'its CA is no longer trusted here' };
  if (root <= wallMs) return { why: 'expired', text: 'its CA has expired' };
  return null;
}

/** The certificates of a handshake as Node gives them, the other side's own first. */
export function shownIn(peer: DetailedPeerCertificate): X509Certificate[] {
  const shown: X509Certificate[] = [];
  let one: DetailedPeerCertificate | undefined = peer;
  const seen = new Set<string>();
  while (one?.raw !== undefined && !seen.has(one.fingerprint256) && shown.length < DEEPEST) {
    seen.add(one.fingerprint256);
    shown.push(new X509Certificate(one.raw));
    one = one.issuerCertificate;
  }
  return shown;
}
