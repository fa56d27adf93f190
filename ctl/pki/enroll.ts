import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { ActFailure } from '../../agent/core/results.ts';
import { pairIn, parseIdentity } from '../../agent/wire/identity.ts';
import { usage } from '../failure.ts';
import { putFile } from '../files.ts';
import { ALGORITHM, exportKey, generate } from './keys.ts';

/** A request that lies beside the key it was made with. */
export interface Request {
  readonly key: string;
  readonly file: string;
  /** Said to whoever approves, by another way than the file takes. */
  readonly token: string;
}

const SUBJECT_ALT_NAME = '2.5.29.17';
const LETTERS = 'ABCDEFGHJKMNPQRSTVWXYZ0123456789';

/**
 * Makes a key where it will be used, and beside it a request (PKCS #10) for a certificate. The
 * role is not asked for: it is for whoever approves to give. Throws ActFailure where there is a
 * key already.
 */
export async function enroll(
  holder: { readonly kind: 'node' | 'operator'; readonly name: string },
  { pair, out, passphrase }: { pair: string; out: string; passphrase: string | null },
): Promise<Request> {
  const base = join(out, holder.kind === 'node' ? 'node' : holder.name);
  const [key, file] = [`${base}.key`, `${base}.csr`];
  if (existsSync(key))
    throw new ActFailure('conflict', {
      code: 'pki',
      message: `${key} is there already`,
      remediation: 'name another directory with --out, and put the new files in place afterwards',
    });
  const keys = await generate();
  const role = holder.kind === 'node' ? '' : '/viewer';
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${holder.name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: `proxyctl://${pair}/${holder.kind}/${holder.name}${role}` },
      ]),
    ],
  });
  mkdirSync(out, { recursive: true, mode: 0o700 });
  putFile(key, exportKey(keys.privateKey, passphrase), 0o600);
  putFile(file, `${request.toString('pem').trim()}\n`, 0o644);
  return { key, file, token: tokenOf(Buffer.from(request.rawData)) };
}

/** What a request says, once its token and its own signature are right. */
export interface Asked {
  readonly kind: 'node' | 'operator';
  readonly name: string;
  readonly publicKey: x509.PublicKey;
  /** SHA-256 of it, hex. */
  readonly sha256: string;
}

/**
 * Reads a request for the pair. Throws ActFailure for one that is damaged, of another pair, not
 * signed by its own key, or another than the one whose token was said.
 */
export async function readRequest(text: string, token: string, pair: string): Promise<Asked> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(text);
  } catch {
    throw usage('that file is no request of pki enroll', 'take NAME.csr from where the key is');
  }
  const der = Buffer.from(request.rawData);
  const plain = (words: string): string => words.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  if (plain(token) !== plain(tokenOf(der)))
    throw new ActFailure('not-authorised', {
      code: 'wrong_token',
      message: 'the token is not of this request: another may have been put in its place',
      remediation: 'ask again for the token that pki enroll printed, and for its file',
    });
  if (!(await request.verify().catch(() => false)))
    throw usage('the request is not signed by its own key', 'make it again with pki enroll');
  const found = request.getExtension(SUBJECT_ALT_NAME);
  const names =
    found === null ? [] : new x509.SubjectAlternativeNameExtension(found.rawData).names.items;
  const shown = names.map(({ type, value }) => (type === 'url' ? `URI:${value}` : '')).join(', ');
  const of = pairIn(shown);
  if (of !== pair)
    throw usage(`the request is for the pair ${of ?? '?'}, not ${pair}`, 'see --dir');
  const identity = parseIdentity(shown, pair);
  const name = identity.kind === 'node' ? identity.node : identity.name;
  const sha256 = createHash('sha256').update(der).digest('hex');
  return { kind: identity.kind, name, publicKey: request.publicKey, sha256 };
}

/** 80 bits of the request's SHA-256: to be read out, and not to be met by another request. */
function tokenOf(der: Buffer): string {
  const hash = createHash('sha256').update(der).digest();
  let bits = 0n;
  for (const byte of hash.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  const letters = Array.from({ length: 16 }, (_none, at) => {
    const five = Number((bits >> BigInt(5 * (15 - at))) & 31n);
    return LETTERS[five];
  });
  return letters.join('').replaceAll(/.{4}(?=.)/g, '$&-');
}
