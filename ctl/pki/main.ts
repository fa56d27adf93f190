import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Role } from '../../agent/core/acts.ts';
import { authorityResult, issuedResult, pkiListResult } from '../json/pki.ts';
import type { AuthorityJson, IssuedJson, PkiListJson } from '../json/pki.ts';
import { sentence } from '../../agent/core/words.ts';
import { usage } from '../failure.ts';
import { askNewPassphrase } from '../connect/passphrase.ts';
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
  type Listed,
} from './store.ts';

/** An answer from the terminal, or a failure as an operator reads it. */
export async function asked(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask();
  } catch (error) {
    throw usage(sentence(error), 'say it again on a terminal, or leave --passphrase out');
  }
}

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
    readonly passphrase?: boolean;
  },
  io: Streams,
  nowMs: number,
): Promise<IssuedJson> {
  const authority = openAuthority(resolve(options.dir), nowMs);
  const holder = holderOf(kind, name, options.role);
  const asks = options.passphrase === true;
  if (asks && kind === 'node')
    throw usage('a node starts without anybody there', 'leave --passphrase out');
  const { certificate, key } = await issueFor(authority, holder, {
    days: options.days ?? LEAF_DAYS,
    nowMs,
    newKey: options.newKey === true,
    passphrase: asks ? await asked(() => askNewPassphrase(`the key of ${name}`)) : null,
  });
  const base = holder.kind === 'node' ? 'node' : name;
  const folder = options.out ?? join(options.dir, 'issued');
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true, mode: 0o700 });
    putFile(join(options.out, 'ca.pem'), authority.bundle, 0o644);
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

/**
 * `proxyctl pki renew`: of one name, or of all, with new keys unless `keepKey`. Those whose key was
 * born elsewhere are not renewed here.
 */
export async function pkiRenew(
  names: readonly string[],
  options: {
    readonly dir: string;
    readonly all?: boolean;
    readonly days?: number;
    readonly keepKey?: boolean;
    readonly kind?: string;
    readonly out?: string;
  },
  io: Streams,
  nowMs: number,
): Promise<PkiListJson> {
  if ((names.length === 0) !== (options.all === true))
    throw usage('whose certificate?', 'pki renew NAME ..., or pki renew --all');
  const here = listCertificates(resolve(options.dir)).filter(({ kind }) => kind !== 'ca');
  const wanted = options.all === true ? here : names.flatMap((name) => theOne(here, name, options));
  if (options.out !== undefined && wanted.length > 1)
    throw usage('--out is for one certificate', 'leave it out, or name one');
  const done: IssuedJson[] = [];
  for (const { kind, name, role, file } of wanted) {
    if (!existsSync(file.replace(/\.pem$/, '.key'))) {
      const remedy = `there: proxyctl pki enroll ${kind} ${name}; here: pki approve`;
      if (options.all !== true) throw usage(`the key of ${name} is not here`, remedy);
      io.err(`${kind} ${name} is not renewed, its key is not here; ${remedy}\n`);
      continue;
    }
    const { dir, days, out } = options;
    const more = { dir, newKey: options.keepKey !== true };
    const asked = { ...more, ...(days && { days }), ...(out && { out }), ...(role && { role }) };
    done.push(await pkiIssue(kind, name, asked, io, nowMs));
  }
  return { certificates: done };
}

function theOne(here: readonly Listed[], name: string, { kind }: { readonly kind?: string }) {
  const found = here.filter((one) => one.name === name && (kind ?? one.kind) === one.kind);
  if (found.length === 0)
    throw usage(`nothing was issued for ${name}`, 'proxyctl pki list shows for whom there is');
  if (found.length > 1)
    throw usage(`a node and an operator are called ${name}`, '--kind node or --kind operator');
  return found;
}

export function holderOf(kind: string, name: string, role: Role | undefined): Holder {
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
