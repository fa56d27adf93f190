import { X509Certificate } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ActFailure } from '../../agent/core/results.ts';
import { usage } from '../failure.ts';
import { putFile, readIfThere } from '../files.ts';
import { createCrl } from './crl.ts';
import { keyIdOf, readRegister, writeRegister, type Entry, type Register } from './register.ts';
import type { Authority } from './store.ts';

/** What `pki revoke` did: the list's file, its number, and whose certificates are new on it. */
export interface Revoked {
  readonly file: string;
  readonly number: number;
  readonly certificates: readonly Entry[];
  /** Since when everything issued is known; null: since the CA was made. */
  readonly since: string | null;
}

/** How much later than the CA a register may begin and still have everything. */
const AT_ONCE_MS = 86_400_000;

/**
 * Takes back every certificate of this name that is still good, renewed ones too, and writes
 * `crl.pem`, signed by each CA whose key is here. Rejects with ActFailure 'not-found' for a name
 * that has none, 'usage' where a node and an operator are called alike and `kind` is null.
 */
export async function revoke(
  authority: Authority,
  name: string,
  kind: string | null,
  nowMs: number,
): Promise<Revoked> {
  const { folder } = authority;
  const register = readRegister(folder, nowMs);
  const named = register.certificates.filter(
    (entry) => entry.name === name && (kind === null || entry.kind === kind),
  );
  const kinds = new Set(named.map((entry) => entry.kind));
  if (kinds.size > 1)
    throw usage(`a node and an operator are called ${name}`, '--kind node or --kind operator');
  if (named.length === 0)
    throw new ActFailure('not-found', {
      code: 'not_issued',
      message: `nothing was issued for ${name}`,
      remediation: 'proxyctl pki list shows for whom there is',
    });
  const now = new Date(nowMs).toISOString();
  const isNew = (entry: Entry): boolean =>
    named.includes(entry) && entry.revoked === null && Date.parse(entry.notAfter) > nowMs;
  const certificates = register.certificates.map((entry) =>
    isNew(entry) ? { ...entry, revoked: now } : entry,
  );
  // By the clock, so that a register put back from a copy does not use a number twice.
  const number = Math.max(register.crlNumber + 1, Math.floor(nowMs / 1000));
  const next = { ...register, crlNumber: number, certificates };
  // First the register: what was written there is on the next list, whatever ends this one.
  writeRegister(folder, next);
  const file = join(folder, 'crl.pem');
  putFile(file, await listsOf(authority, next, nowMs), 0o644);
  for (const one of kinds) setAside(folder, `${one}-${name}`);
  const made = Date.parse(new X509Certificate(authority.certificate).validFrom);
  const late = Date.parse(register.since) - made > AT_ONCE_MS;
  return {
    file,
    number,
    certificates: certificates.filter((entry) => entry.revoked === now),
    since: late ? register.since : null,
  };
}

async function listsOf(authority: Authority, register: Register, nowMs: number): Promise<string> {
  const { folder, certificate, key } = authority;
  const old = { certificate: readIfThere(join(folder, 'old.pem')), key: '' };
  const oldKey = readIfThere(join(folder, 'old.key'));
  const cas = [{ certificate, key }];
  if (old.certificate !== null && oldKey !== null)
    cas.push({ certificate: old.certificate, key: oldKey });
  const lists = cas.map((ca) => {
    const issuer = keyIdOf(new X509Certificate(ca.certificate));
    const serials = register.certificates
      .filter((entry) => entry.revoked !== null && entry.issuer === issuer)
      .filter(({ notAfter }) => Date.parse(notAfter) > nowMs)
      .map(({ serial }) => serial);
    return createCrl(ca, serials, { number: register.crlNumber, nowMs });
  });
  return (await Promise.all(lists)).join('');
}

/** Nobody hands out again what was taken back, and a new certificate gets a new key. */
function setAside(folder: string, base: string): void {
  for (const end of ['pem', 'key']) {
    const file = join(folder, 'issued', `${base}.${end}`);
    if (existsSync(file)) renameSync(file, `${file}.revoked`);
  }
}
