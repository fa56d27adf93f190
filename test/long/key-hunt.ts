import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A private key in one of the forms in which it could lie somewhere. */
export interface Needle {
  readonly form: string;
  readonly bytes: Buffer;
}

/**
 * The forms of the private key in a PEM text: the middle line of its base64, and its secret numbers
 * as bytes (DER has the highest first, OpenSSL's memory the lowest), hex and base64url (JWK).
 */
export function needlesOf(pem: string): readonly Needle[] {
  const [, body = ''] = /-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]+)/.exec(pem) ?? [];
  const lines = body.trim().split('\n');
  // The first line is the same for all keys of one kind.
  const middle = lines[Math.floor(lines.length / 2)] ?? '';
  if (middle.length < 40) throw new TypeError('no private key in this PEM');
  const { d = '', p = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const numbers = [d, p].filter((one) => one !== '').map((one) => Buffer.from(one, 'base64url'));
  return [
    { form: 'base64', bytes: Buffer.from(middle) },
    ...numbers.flatMap((bytes): Needle[] => [
      { form: 'binary', bytes },
      { form: 'binary, lowest byte first', bytes: Buffer.from(bytes).reverse() },
      { form: 'hex', bytes: Buffer.from(bytes.toString('hex')) },
      { form: 'base64url', bytes: Buffer.from(bytes.toString('base64url')) },
    ]),
  ];
}

/** The forms that are in there, each once. */
export const formsIn = (content: Buffer, needles: readonly Needle[]): string[] => [
  ...new Set(needles.filter(({ bytes }) => content.includes(bytes)).map(({ form }) => form)),
];

/** Files under the folder that hold one of them; one that goes away meanwhile is none. */
export const filesWith = (folder: string, needles: readonly Needle[]): string[] =>
  filesUnder(folder).filter((path) => {
    try {
      return formsIn(readFileSync(path), needles).length > 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  });

/** Core files under the folder; Linux adds the pid where kernel.core_uses_pid says so. */
export const coresUnder = (folder: string): string[] =>
  filesUnder(folder).filter((path) => /\/core(\.\d+)?$/.test(path));

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
