import { X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from '../../agent/core/acts.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { parseIdentity } from '../../agent/wire/identity.ts';
import { usage } from '../failure.ts';
import { modeOf, octal, putFile, readIfThere } from '../files.ts';
import { certify, createAuthority, issueCertificate } from './authority.ts';
import type { Issued, Subject } from './authority.ts';
import type { Asked } from './enroll.ts';
import { CERTIFICATE, enter, readRegister, writeRegister } from './register.ts';

/** Ten years: renewing a CA means visiting every host and every operator. */
export const CA_DAYS = 3650;
/** A year and a month: renewed once a year, with time to spare. */
export const LEAF_DAYS = 397;

/** The pair's CA as it lies in the directory where `pki init` ran. */
export interface Authority extends Issued {
  /** Every CA that is to be trusted, this one first: two while it is being replaced. */
  readonly bundle: string;
  readonly pair: string;
  readonly folder: string;
}

/** Whom to issue for. */
export type Holder =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'operator'; readonly name: string; readonly role: Role };

/** What `pki list` shows of a certificate. */
export interface Listed {
  readonly file: string;
  readonly kind: 'ca' | 'node' | 'operator';
  readonly name: string;
  readonly role: Role | null;
  readonly notAfterMs: number;
}

const PAIR = /^[A-Za-z0-9][\w.-]{0,62}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/;
const failed = (message: string, remediation: string, cause = ''): ActFailure =>
  new ActFailure('failed', { code: 'pki', message, remediation, cause });

/** `NAME.pem` or `NAME.key` of a holder, below `issued/`. */
const fileOf = ({ kind, name }: Holder): string => `${kind}-${name}`;

/**
 * Makes the pair's CA in a directory of its own, key 0600. Throws ActFailure
 * when there is one already: a second CA would make every certificate worthless.
 */
export async function initAuthority(
  folder: string,
  pair: string,
  nowMs: number,
): Promise<Authority> {
  if (!PAIR.test(pair))
    throw usage(`${JSON.stringify(pair)} is no name of a pair`, 'letters, digits, dot, dash');
  for (const name of ['ca.key', 'ca.pem'])
    if (existsSync(join(folder, name)))
      throw failed(
        `${join(folder, name)} is there already`,
        'issue from it, or choose another --dir',
        'a new CA would make every certificate of the old one worthless',
      );
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const made = await createAuthority(pair, CA_DAYS, nowMs);
  putFile(join(folder, 'ca.key'), made.key, 0o600);
  putFile(join(folder, 'ca.pem'), made.certificate, 0o644);
  writeRegister(folder, readRegister(folder, nowMs));
  return { ...made, bundle: made.certificate, pair, folder };
}

/** Opens the CA; throws ActFailure where it is missing, open to others, damaged or expired. */
export function openAuthority(folder: string, nowMs: number): Authority {
  const [keyFile, certFile] = [join(folder, 'ca.key'), join(folder, 'ca.pem')];
  const key = readIfThere(keyFile);
  const bundle = readIfThere(certFile);
  if (key === null || bundle === null)
    throw failed(
      `there is no CA in ${folder}: ${key === null ? 'ca.key' : 'ca.pem'} is missing`,
      'proxyctl pki init --pair NAME, or name the directory where it ran with --dir',
    );
  refuseLoose(keyFile);
  const secret = privateKey(keyFile, key);
  const all = (bundle.match(CERTIFICATE) ?? [bundle]).map((pem) => `${pem}\n`);
  // While the CA is being replaced there are two, and the key is of one of them.
  const fits = (pem: string): boolean => parsedCertificate(certFile, pem).checkPrivateKey(secret);
  const certificate = all.find(fits) ?? all[0] ?? '';
  const parsed = parsedCertificate(certFile, certificate);
  const pair = /^CN=proxyctl CA of (\S+)$/m.exec(parsed.subject)?.[1];
  if (pair === undefined) throw failed(`${certFile} is not a CA that pki init made`, 'see --dir');
  if (!parsed.checkPrivateKey(secret))
    throw failed(`${keyFile} does not belong to ${certFile}`, 'put the matching pair back');
  if (Date.parse(parsed.validTo) <= nowMs)
    throw failed(`the CA in ${folder} has expired`, 'make a new one with pki init --dir NEW');
  return { pair, folder, key, certificate, bundle };
}

/**
 * Issues for a node or an operator, and keeps certificate and key below
 * `issued/`. Issued again it is a renewal: the same key, unless `newKey`.
 */
export async function issueFor(
  authority: Authority,
  holder: Holder,
  {
    days,
    nowMs,
    newKey,
    passphrase = null,
  }: {
    readonly days: number;
    readonly nowMs: number;
    readonly newKey: boolean;
    readonly passphrase?: string | null;
  },
): Promise<Issued> {
  const base = baseOf(authority, holder);
  const oldKey = newKey || passphrase !== null ? null : readIfThere(`${base}.key`);
  if (oldKey !== null) {
    refuseLoose(`${base}.key`);
    privateKey(`${base}.key`, oldKey);
  }
  const issued = await issueCertificate(authority, subjectOf(authority.pair, holder), {
    days,
    nowMs,
    key: oldKey,
    passphrase,
  });
  putFile(`${base}.key`, issued.key, 0o600);
  putFile(`${base}.pem`, issued.certificate, 0o644);
  enter(authority.folder, authority.certificate, issued.certificate, null, nowMs);
  return issued;
}

/**
 * Issues for a key that was born where it is used, once for each request; keeps the certificate
 * below `issued/`. Throws ActFailure 'conflict' for a request that was approved before.
 */
export async function issueForRequest(
  authority: Authority,
  holder: Holder,
  asked: Asked,
  { days, nowMs }: { readonly days: number; readonly nowMs: number },
): Promise<string> {
  const { folder, pair } = authority;
  const base = baseOf(authority, holder);
  if (readRegister(folder, nowMs).certificates.some(({ request }) => request === asked.sha256))
    throw new ActFailure('conflict', {
      code: 'pki',
      message: 'this request was approved before: a token is good once',
      remediation: 'make another with pki enroll; pki list shows what was issued',
    });
  const publicKey = await asked.publicKey.export();
  const certificate = await certify(authority, subjectOf(pair, holder), publicKey, { days, nowMs });
  enter(folder, authority.certificate, certificate, asked.sha256, nowMs);
  // A key of an earlier certificate does not belong to this one.
  rmSync(`${base}.key`, { force: true });
  putFile(`${base}.pem`, certificate, 0o644);
  return certificate;
}

/** Where a holder's files lie, without their endings. Throws ActFailure 'usage' for a name that is none. */
function baseOf(authority: Authority, holder: Holder): string {
  if (!NAME.test(holder.name))
    throw usage(
      `${JSON.stringify(holder.name)} is no name of ${holder.kind === 'node' ? 'a node' : 'an operator'}`,
      'letters, digits, dot, dash, underscore or @, at most 63',
    );
  const folder = join(authority.folder, 'issued');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, fileOf(holder));
}

/** What was issued for this holder and is in force for `daysLeft` more; null where it must be issued. */
export function stillGood(
  authority: Authority,
  holder: Holder,
  daysLeft: number,
  nowMs: number,
): Issued | null {
  const base = join(authority.folder, 'issued', fileOf(holder));
  const [certificate, key] = [readIfThere(`${base}.pem`), readIfThere(`${base}.key`)];
  if (certificate === null || key === null) return null;
  refuseLoose(`${base}.key`);
  const parsed = parsedCertificate(`${base}.pem`, certificate);
  const named = parsed.subjectAltName === `URI:${subjectOf(authority.pair, holder).uri}`;
  const issuer = new X509Certificate(authority.certificate);
  if (!named || !parsed.checkIssued(issuer) || !parsed.verify(issuer.publicKey)) return null;
  if (!parsed.checkPrivateKey(privateKey(`${base}.key`, key))) return null;
  return Date.parse(parsed.validTo) - nowMs < daysLeft * 86_400_000 ? null : { certificate, key };
}

/** The CA and everything issued, the CA first, then by file name. Needs no key. */
export function listCertificates(folder: string): Listed[] {
  const certFile = join(folder, 'ca.pem');
  const ca = readIfThere(certFile);
  if (ca === null)
    throw failed(`there is no CA in ${folder}`, 'name the directory where pki init ran with --dir');
  const parsed = parsedCertificate(certFile, ca);
  const pair = /^CN=proxyctl CA of (\S+)$/m.exec(parsed.subject)?.[1] ?? '';
  const issued = join(folder, 'issued');
  const files = existsSync(issued) ? readdirSync(issued).sort() : [];
  const leaves = files
    .filter((name) => name.endsWith('.pem'))
    .map((name): Listed => {
      const file = join(issued, name);
      const leaf = parsedCertificate(file, readIfThere(file) ?? '');
      const identity = parseIdentity(leaf.subjectAltName, pair);
      return {
        file,
        kind: identity.kind,
        name: identity.kind === 'node' ? identity.node : identity.name,
        role: identity.kind === 'node' ? null : identity.role,
        notAfterMs: Date.parse(leaf.validTo),
      };
    });
  const root = { file: certFile, kind: 'ca' as const, name: pair, role: null };
  return [{ ...root, notAfterMs: Date.parse(parsed.validTo) }, ...leaves];
}

const subjectOf = (pair: string, holder: Holder): Subject => ({
  commonName: holder.name,
  kind: holder.kind,
  uri:
    holder.kind === 'node'
      ? `proxyctl://${pair}/node/${holder.name}`
      : `proxyctl://${pair}/operator/${holder.name}/${holder.role}`,
});

function parsedCertificate(file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw Object.assign(failed(`${file} is no certificate`, 'put the file back'), { cause });
  }
}

function privateKey(file: string, text: string) {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const failure = failed(`${file} is no private key without a passphrase`, 'put the file back');
    throw Object.assign(failure, { cause });
  }
}

/** A private key that others can read is nobody's any more. */
function refuseLoose(file: string): void {
  const mode = modeOf(file) ?? 0;
  if ((mode & 0o077) === 0) return;
  throw failed(`${file} is open to others`, `chmod 600 ${file}`, `its mode is ${octal(mode)}`);
}
