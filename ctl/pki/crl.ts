import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Issued } from './authority.ts';
import { ALGORITHM, importKey } from './keys.ts';

const CRL_NUMBER = '2.5.29.20';

/**
 * The CA's list of these serial numbers (hex), PEM (RFC 5280, 5). It says that it is good as long
 * as the CA is: agents keep to it until they have a newer one, whatever a date in it says.
 */
export async function createCrl(
  authority: Issued,
  serials: readonly string[],
  { number, nowMs }: { readonly number: number; readonly nowMs: number },
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.subject,
    thisUpdate: new Date(nowMs),
    nextUpdate: issuer.notAfter,
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(nowMs) })),
    signingAlgorithm: ALGORITHM,
    signingKey: (await importKey(authority.key)).privateKey,
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new x509.Extension(CRL_NUMBER, false, integer(number)),
    ],
  });
  const lines = Buffer.from(crl.rawData)
    .toString('base64')
    .replaceAll(/.{1,64}/g, '$&\n');
  return `-----BEGIN X509 CRL-----\n${lines}-----END X509 CRL-----\n`;
}

/** What an INTEGER of DER looks like (X.690, 8.3), for a number that is not negative. */
function integer(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const positive = (bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : [...bytes];
  return Uint8Array.from([2, positive.length, ...positive]);
}
