import { X509Certificate } from 'node:crypto';
import { PemError } from './pem-error.ts';

/** One certificate of a bundle. */
export interface Certificate {
  readonly x509: X509Certificate;
  /** From 1, as people count. */
  readonly position: number;
  /** For messages: `certificate 2 (CN=R11)`. */
  readonly title: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Reads one PEM block; throws PemError `not_pem` when it holds no certificate. */
export function readCertificate(pem: string, position: number): Certificate {
  try {
    const x509 = new X509Certificate(pem);
    const subject = x509.subject ?? '';
    const name = /^CN=.*$/m.exec(subject)?.[0] ?? subject.split('\n')[0] ?? '';
    return {
      x509,
      position,
      title: `certificate ${position} (${name === '' ? 'no subject' : name.slice(0, 80)})`,
      notBeforeMs: timeMs(x509.validFrom),
      notAfterMs: timeMs(x509.validTo),
    };
  } catch {
    throw new PemError(
      'not_pem',
      'read bundle: not a certificate',
      `certificate ${position} cannot be decoded`,
      'copy the file again, whole',
    );
  }
}

/** Whether `issuer` issued `subject`: by name and by signature. */
export function issued(issuer: Certificate, subject: Certificate): boolean {
  try {
    return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(issuer.x509.publicKey);
  } catch {
    // A key of a kind that cannot sign.
    return false;
  }
}

/**
 * DNS names and addresses of a certificate in their order; its common name when it has none,
 * because HAProxy picks by that one too.
 */
export function namesOf({ x509 }: Certificate): readonly string[] {
  const names = Array.from(
    (x509.subjectAltName ?? '').matchAll(/(?:^|, )([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)/g),
    ([, kind = '', value = '']) => (kind === 'DNS' || kind === 'IP Address' ? [value] : []),
  ).flat();
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(x509.subject ?? '')?.[1];
  return common === undefined ? [] : [common];
}

/** SHA-1 of the DER in lower case hex, HAProxy's "SHA1 FingerPrint". */
export const sha1Of = ({ x509 }: Certificate): string =>
  x509.fingerprint.replaceAll(':', '').toLowerCase();

/** RFC 3339 UTC, whole seconds. */
export const rfc3339 = (unixMs: number): string =>
  new Date(unixMs).toISOString().replace(/\.\d+Z$/, 'Z');

/** OpenSSL's "Feb 21 20:42:27 2027 GMT" in Unix ms; Node 20 has no parsed form (validToDate). */
function timeMs(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new RangeError('not a time');
  return ms;
}
