import { X509Certificate, createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from '../../agent/core/acts.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { pairIn, parseIdentity } from '../../agent/wire/identity.ts';
import { putFile, readIfThere } from '../files.ts';

/** A certificate that was issued, whatever became of its file. */
export interface Entry {
  /** Hex, as openssl prints it. */
  readonly serial: string;
  /** SHA-256 of the issuing CA's public key, hex. */
  readonly issuer: string;
  readonly kind: 'node' | 'operator';
  readonly name: string;
  readonly role: Role | null;
  readonly notAfter: string;
  readonly revoked: string | null;
  /** SHA-256 of the request it was approved for; null: its key was made here. */
  readonly request: string | null;
}

/** Everything a CA has issued. */
export interface Register {
  /** What was issued and replaced before is not in it. */
  readonly since: string;
  readonly crlNumber: number;
  readonly certificates: readonly Entry[];
}

const FILE = 'register.json';

/** SHA-256 of a certificate's public key, hex. */
export const keyIdOf = ({ publicKey }: X509Certificate): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

/** The register of the CA in `folder`; where there is none yet, what lies below issued/. Throws ActFailure. */
export function readRegister(folder: string, nowMs: number): Register {
  const file = join(folder, FILE);
  const text = readIfThere(file);
  if (text === null) return adopted(folder, nowMs);
  try {
    return JSON.parse(text) as Register;
  } catch (cause) {
    const message = `${file} is damaged`;
    const detail = { code: 'pki', message, remediation: 'put the file back from a copy' };
    throw new ActFailure('failed', detail, { cause });
  }
}

/** Keeps it, whole or not at all. */
export const writeRegister = (folder: string, register: Register): void =>
  putFile(join(folder, FILE), `${JSON.stringify(register, null, 1)}\n`, 0o600);

/** Adds a certificate that was just issued by `authority` (PEM). */
export function enter(
  folder: string,
  authority: string,
  certificate: string,
  request: string | null,
  nowMs: number,
): void {
  const register = readRegister(folder, nowMs);
  const entry = entryOf(new X509Certificate(certificate), new X509Certificate(authority), request);
  const others = register.certificates.filter(({ serial }) => serial !== entry.serial);
  writeRegister(folder, { ...register, certificates: [...others, entry] });
}

function adopted(folder: string, nowMs: number): Register {
  const issued = join(folder, 'issued');
  const cas = (readIfThere(join(folder, 'ca.pem')) ?? '').match(CERTIFICATE) ?? [];
  const authorities = cas.map((pem) => new X509Certificate(pem));
  const files = existsSync(issued)
    ? readdirSync(issued).filter((name) => name.endsWith('.pem'))
    : [];
  const certificates = files.flatMap((name) => {
    const leaf = new X509Certificate(readIfThere(join(issued, name)) ?? '');
    const authority = authorities.find((one) => leaf.checkIssued(one));
    return authority === undefined ? [] : [entryOf(leaf, authority, null)];
  });
  return { since: new Date(nowMs).toISOString(), crlNumber: 0, certificates };
}

function entryOf(leaf: X509Certificate, by: X509Certificate, request: string | null): Entry {
  const identity = parseIdentity(leaf.subjectAltName, pairIn(leaf.subjectAltName) ?? '');
  return {
    serial: leaf.serialNumber,
    issuer: keyIdOf(by),
    kind: identity.kind,
    name: identity.kind === 'node' ? identity.node : identity.name,
    role: identity.kind === 'node' ? null : identity.role,
    notAfter: new Date(leaf.validTo).toISOString(),
    revoked: null,
    request,
  };
}

/** One certificate in PEM. */
export const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
