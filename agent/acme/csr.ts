import { createPublicKey, sign, type KeyObject } from 'node:crypto';

/** PKCS#10 (RFC 2986) in DER: one subject-less form, with DNS names, of an ECDSA key. */

const SEQUENCE = 0x30;
const SET = 0x31;
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
const ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
/** extensionRequest, 1.2.840.113549.1.9.14. */
const EXTENSION_REQUEST = Buffer.from('06092a864886f70d01090e', 'hex');
/** subjectAltName, 2.5.29.17. */
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');

/** The request for a certificate of these names; `key` is a private EC key. */
export function certificateRequest(key: KeyObject, names: readonly string[]): Buffer {
  const alternatives = names.map((name) => der(0x82, Buffer.from(name, 'ascii')));
  const extension = der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, der(SEQUENCE, ...alternatives)));
  const attribute = der(SEQUENCE, EXTENSION_REQUEST, der(SET, der(SEQUENCE, extension)));
  const info = der(
    SEQUENCE,
    der(0x02, Buffer.from([0])),
    // The CA takes no subject from here; an empty one is right where there are alternatives.
    der(SEQUENCE),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der(0xa0, attribute),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', info, key));
  return der(SEQUENCE, info, der(SEQUENCE, ECDSA_SHA256), signature);
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
