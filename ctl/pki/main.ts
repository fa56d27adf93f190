import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Role } from '../../agent/core/acts.ts';
import { authorityResult, issuedResult, pkiListResult } from '../json/pki.ts';
import type { AuthorityJson, IssuedJson, PkiListJson } from '../json/pki.ts';
import { usage } from '../failure.ts';
import { putFile } from '../files.ts';
import { table } from '../render/table.ts';
import type { Streams } from '../streams.ts';
import {
  initAuthority,
  issueFor,
  LEAF_DAYS,
  listCertificates,
  openAuthority,
  type Holder,
} from './store.ts';

const DAY_MS = 86_400_000;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** `proxyctl pki init`: the result for JSON; the sentence is printed. */
export async function pkiInit(
  dir: string,
  pair: string,
  io: Streams,
  nowMs: number,
): Promise<AuthorityJson> {
  const { folder } = await initAuthority(resolve(dir), pair, nowMs);
  io.out(`${join(dir, 'ca.pem')} is the CA of ${pair}, for every host and operator\n`);
  io.err(`${join(dir, 'ca.key')} issues; it is needed nowhere else. Keep a copy offline.\n`);
  return authorityResult(pair, folder);
}

/** `proxyctl pki issue`: writes below `dir`, and copies to `out` where that is given. */
export async function pkiIssue(
  kind: string,
  name: string,
  options: {
    readonly dir: string;
    readonly role?: Role;
    readonly days?: number;
    readonly newKey?: boolean;
    readonly out?: string;
  },
  io: Streams,
  nowMs: number,
): Promise<IssuedJson> {
  const authority = openAuthority(resolve(options.dir), nowMs);
  const holder = holderOf(kind, name, options.role);
  const { certificate, key } = await issueFor(authority, holder, {
    days: options.days ?? LEAF_DAYS,
    nowMs,
    newKey: options.newKey === true,
  });
  const base = holder.kind === 'node' ? 'node' : name;
  const folder = options.out ?? join(options.dir, 'issued');
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true, mode: 0o700 });
    putFile(join(options.out, 'ca.pem'), authority.certificate, 0o644);
    putFile(join(options.out, `${base}.key`), key, 0o600);
    putFile(join(options.out, `${base}.pem`), certificate, 0o644);
  }
  const file = options.out === undefined ? `${kind}-${name}` : base;
  const pem = listCertificates(authority.folder).find(
    (one) => one.kind === kind && one.name === name,
  );
  const until = pem?.notAfterMs ?? nowMs;
  io.out(`${join(folder, file)}.pem and .key, for ${kind} ${name}, until ${day(until)}\n`);
  return issuedResult({
    file: `${join(folder, file)}.pem`,
    kind,
    name,
    role: holder.kind === 'operator' ? holder.role : null,
    notAfterMs: until,
  });
}

function holderOf(kind: string, name: string, role: Role | undefined): Holder {
  if (kind === 'node') {
    if (role !== undefined) throw usage('a node has no role', 'leave --role out');
    return { kind, name };
  }
  if (kind !== 'operator')
    throw usage(
      `${JSON.stringify(kind)} is no holder of a certificate`,
      'pki issue node NAME, or pki issue operator NAME --role ROLE',
    );
  if (role === undefined)
    throw usage('an operator needs a role', '--role viewer, --role operator or --role admin');
  return { kind, name, role };
}

/** `proxyctl pki list`: what there is and when it ends, soonest worry marked. */
export function pkiList(dir: string, io: Streams, nowMs: number): PkiListJson {
  const list = listCertificates(resolve(dir));
  const rows = list.map(({ kind, name, role, notAfterMs }) => [
    kind,
    name,
    role ?? '',
    day(notAfterMs),
    left(notAfterMs - nowMs),
  ]);
  io.out(`${table(['KIND', 'NAME', 'ROLE', 'ENDS', 'LEFT'], rows)}\n`);
  return pkiListResult(list);
}

function left(ms: number): string {
  if (ms <= 0) return 'EXPIRED: issue it again';
  const days = Math.floor(ms / DAY_MS);
  return days < 30 ? `${days} d: issue it again` : `${days} d`;
}
