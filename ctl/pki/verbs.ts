import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Role } from '../../agent/core/acts.ts';
import { usage } from '../failure.ts';
import { putFile, readIfThere } from '../files.ts';
import { enrolledResult, issuedResult, revokedResult, rotationResult } from '../json/pki.ts';
import type { EnrolledJson, IssuedJson, RevokedJson, RotationJson } from '../json/pki.ts';
import { askNewPassphrase } from '../connect/passphrase.ts';
import type { Streams } from '../streams.ts';
import { enroll, readRequest } from './enroll.ts';
import { asked, holderOf } from './main.ts';
import { revoke } from './revoke.ts';
import { beginRotation, finishRotation, issueFromNext, STEPS, type Step } from './rotate.ts';
import { issueForRequest, LEAF_DAYS, listCertificates, openAuthority } from './store.ts';

/** `proxyctl pki enroll`: a key that never leaves this machine, and a request for its certificate. */
export async function pkiEnroll(
  kind: string,
  name: string,
  options: { readonly pair: string; readonly out: string; readonly passphrase?: boolean },
  io: Streams,
): Promise<EnrolledJson> {
  const holder = holderOf(kind, name, kind === 'operator' ? 'viewer' : undefined);
  if (options.passphrase === true && kind === 'node')
    throw usage('a node starts without anybody there', 'leave --passphrase out');
  const file = join(options.out, `${name}.key`);
  const passphrase = options.passphrase === true ? await asked(() => askNewPassphrase(file)) : null;
  const { pair, out } = options;
  const made = await enroll(holder, { pair, out, passphrase });
  const role = kind === 'operator' ? ' --role ROLE' : '';
  io.out(`${made.key} stays here; ${made.file} goes to where the CA is\n`);
  io.out(`token: ${made.token}\n`);
  io.err(`There: proxyctl pki approve ${name}.csr --token ${made.token}${role}\n`);
  io.err('Send the token by another way than the file, and bring back what that writes.\n');
  return enrolledResult(made);
}

/** `proxyctl pki approve`: the certificate for a request whose token was said by another way. */
export async function pkiApprove(
  request: string,
  options: {
    readonly dir: string;
    readonly token: string;
    readonly role?: Role;
    readonly days?: number;
    readonly out?: string;
  },
  io: Streams,
  nowMs: number,
): Promise<IssuedJson> {
  const authority = openAuthority(resolve(options.dir), nowMs);
  const text = readIfThere(request);
  if (text === null) throw usage(`there is no ${request}`, 'pki enroll writes NAME.csr');
  const wanted = await readRequest(text, options.token, authority.pair);
  const holder = holderOf(wanted.kind, wanted.name, options.role);
  const days = options.days ?? LEAF_DAYS;
  const certificate = await issueForRequest(authority, holder, wanted, { days, nowMs });
  const { kind, name } = holder;
  let file = join(options.dir, 'issued', `${kind}-${name}.pem`);
  if (options.out !== undefined) {
    file = join(options.out, `${kind === 'node' ? 'node' : name}.pem`);
    mkdirSync(options.out, { recursive: true, mode: 0o700 });
    putFile(join(options.out, 'ca.pem'), authority.bundle, 0o644);
    putFile(file, certificate, 0o644);
  }
  const listed = listCertificates(authority.folder).find(
    (one) => one.kind === kind && one.name === name,
  );
  const notAfterMs = listed?.notAfterMs ?? nowMs;
  io.out(
    `${file}, for ${kind} ${name}, until ${new Date(notAfterMs).toISOString().slice(0, 10)}\n`,
  );
  return issuedResult({ file, kind, name, role: options.role ?? null, notAfterMs });
}

/** The first half of `proxyctl pki revoke`: the list is written; the caller sends it. */
export async function pkiRevoke(
  name: string,
  options: { readonly dir: string; readonly kind?: string },
  io: Streams,
  nowMs: number,
): Promise<{ readonly list: string; readonly result: RevokedJson }> {
  const authority = openAuthority(resolve(options.dir), nowMs);
  const done = await revoke(authority, name, options.kind ?? null, nowMs);
  const count = done.certificates.length;
  io.err(
    `${count === 0 ? 'no certificate' : count === 1 ? '1 certificate' : `${count} certificates`} ` +
      `of ${name} revoked${count === 0 ? ' that was not' : ''}, list ${done.number} in ${done.file}\n`,
  );
  if (done.since !== null)
    io.err(
      `What was renewed before ${done.since.slice(0, 10)} is not known by number; if an older copy of\n` +
        "that key's certificates may be about: proxyctl pki rotate-ca\n",
    );
  return { list: readIfThere(done.file) ?? '', result: revokedResult(done) };
}

/** `proxyctl pki rotate-ca`: one of its three steps, and what to do before the next. */
export async function pkiRotate(
  step: string,
  options: { readonly dir: string; readonly cut?: boolean },
  io: Streams,
  nowMs: number,
): Promise<RotationJson> {
  const known = STEPS.find((one) => one === step);
  if (known === undefined)
    throw usage(`${JSON.stringify(step)} is no step`, `first begin, then issue, then finish`);
  const authority = openAuthority(resolve(options.dir), nowMs);
  const all = { issued: [] as const, elsewhere: [] as const };
  let done: Awaited<ReturnType<typeof issueFromNext>> = all;
  if (known === 'begin') await beginRotation(authority, nowMs);
  else if (known === 'issue') done = await issueFromNext(authority, nowMs);
  else done = { ...all, elsewhere: finishRotation(authority, options.cut === true) };
  for (const { kind, name } of done.issued)
    io.out(`${kind} ${name} has a new certificate and key\n`);
  for (const { kind, name } of done.elsewhere)
    io.err(`${kind} ${name}: only the old CA vouches for it; pki enroll there, pki approve here\n`);
  io.err(`${NEXT[known].replaceAll('DIR', options.dir)}\n`);
  return rotationResult(known, done);
}

const NEXT: Readonly<Record<Step, string>> = {
  begin: `DIR/ca.pem holds both CAs: copy it to every host and operator, service proxyagent
reload on every host, and then: proxyctl pki rotate-ca issue`,
  issue: `Copy DIR/issued/ to where each belongs, with DIR/ca.pem, service proxyagent
reload on every host, and then: proxyctl pki rotate-ca finish`,
  finish: `DIR/ca.pem holds the new CA alone: copy it to every host and operator, and
service proxyagent reload on every host: what the old one vouched for is cut`,
};
