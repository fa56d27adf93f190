import { X509Certificate } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ActFailure } from '../../agent/core/results.ts';
import { putFile, readIfThere } from '../files.ts';
import { createAuthority } from './authority.ts';
import { CA_DAYS, issueFor, LEAF_DAYS, listCertificates } from './store.ts';
import { openAuthority, type Authority, type Holder, type Listed } from './store.ts';

/** The three steps in their order; between them the files go to every host. */
export const STEPS = ['begin', 'issue', 'finish'] as const;
export type Step = (typeof STEPS)[number];

const wrong = (message: string, remediation: string, cause = ''): ActFailure =>
  new ActFailure('conflict', { code: 'pki', message, remediation, cause });

/** The first: a second CA is made and trusted beside the one that issues. Twice is once. */
export async function beginRotation(authority: Authority, nowMs: number): Promise<void> {
  const { folder, certificate, pair } = authority;
  const at = (name: string): string => join(folder, name);
  if (existsSync(at('old.key')))
    throw wrong('the CA is being replaced already', 'proxyctl pki rotate-ca finish');
  let next = readIfThere(at('next.pem'));
  if (next === null || !existsSync(at('next.key'))) {
    const made = await createAuthority(pair, CA_DAYS, nowMs);
    putFile(at('next.key'), made.key, 0o600);
    putFile(at('next.pem'), made.certificate, 0o644);
    next = made.certificate;
  }
  putFile(at('ca.pem'), `${certificate}${next}`, 0o644);
}

/**
 * The second: the new CA issues from now on, and everybody's certificate anew with a new key.
 * Returns what it issued, and those whose key is elsewhere: they enroll again. After an
 * interruption the same again goes on.
 */
export async function issueFromNext(
  authority: Authority,
  nowMs: number,
): Promise<{ readonly issued: readonly Listed[]; readonly elsewhere: readonly Listed[] }> {
  const { folder } = authority;
  const at = (name: string): string => join(folder, name);
  const [nextKey, next] = [readIfThere(at('next.key')), readIfThere(at('next.pem'))];
  if (nextKey !== null && next !== null) {
    putFile(at('old.key'), authority.key, 0o600);
    putFile(at('old.pem'), authority.certificate, 0o644);
    putFile(at('ca.pem'), `${next}${authority.certificate}`, 0o644);
    putFile(at('ca.key'), nextKey, 0o600);
    for (const name of ['next.key', 'next.pem']) rmSync(at(name), { force: true });
  } else if (!existsSync(at('old.key')))
    throw wrong('there is no second CA yet', 'first: proxyctl pki rotate-ca begin');
  const signing = openAuthority(folder, nowMs);
  const issued: Listed[] = [];
  const elsewhere: Listed[] = [];
  for (const one of left(signing)) {
    const holder = holderOf(one);
    const hasKey = existsSync(one.file.replace(/\.pem$/, '.key'));
    if (holder === null || !hasKey) {
      elsewhere.push(one);
      continue;
    }
    await issueFor(signing, holder, { days: LEAF_DAYS, nowMs, newKey: true });
    issued.push(one);
  }
  return { issued, elsewhere };
}

/** The third: the old CA is out. Refused while somebody has a certificate of it, unless `anyway`. */
export function finishRotation(authority: Authority, anyway: boolean): readonly Listed[] {
  const { folder, certificate } = authority;
  const at = (name: string): string => join(folder, name);
  if (!existsSync(at('old.key'))) {
    if (existsSync(at('next.key')))
      throw wrong('nobody has a certificate of the new CA', 'first: proxyctl pki rotate-ca issue');
    throw wrong('no CA is being replaced', 'it begins with proxyctl pki rotate-ca begin');
  }
  const cut = left(authority);
  if (cut.length > 0 && !anyway)
    throw wrong(
      `${cut.map(({ name }) => name).join(', ')}: only the old CA vouches for them`,
      'pki enroll and pki approve for each; or --cut: they are out',
    );
  putFile(at('ca.pem'), certificate, 0o644);
  for (const name of ['old.key', 'old.pem']) rmSync(at(name), { force: true });
  return cut;
}

/** Who is not yet vouched for by the CA that issues now. */
function left({ folder, certificate }: Authority): Listed[] {
  const signing = new X509Certificate(certificate);
  return listCertificates(folder).filter(({ kind, file }) => {
    if (kind === 'ca') return false;
    const leaf = new X509Certificate(readIfThere(file) ?? '');
    return !(leaf.checkIssued(signing) && leaf.verify(signing.publicKey));
  });
}

/** Whom a listed certificate is for; null for a CA. */
function holderOf({ kind, name, role }: Listed): Holder | null {
  if (kind === 'node') return { kind, name };
  return kind === 'operator' && role !== null ? { kind, name, role } : null;
}
