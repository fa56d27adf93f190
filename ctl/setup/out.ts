import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { usage } from '../failure.ts';
import { modeOf, putFile, readIfThere } from '../files.ts';
import {
  initAuthority,
  issueFor,
  LEAF_DAYS,
  openAuthority,
  stillGood,
  type Authority,
  type Holder,
} from '../pki/store.ts';
import type { Generated, Plan } from './plan.ts';
import { passwordIn } from './rc-conf.ts';
import { hostFiles, operatorFiles, type Credentials } from './tree.ts';

/** A certificate that ends sooner is issued again. */
const RENEW_DAYS = 60;
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
/** All that the kernel reads of a CARP password (CARP_KEY_LEN is 20, with the final zero). */
const PASSWORD_LENGTH = 19;

/** A new CARP password of letters and digits that nobody mistakes for each other. */
export const newPassword = (): string =>
  Array.from({ length: PASSWORD_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** The password that an earlier run gave this pair; null where there was none. */
export function earlierPassword(out: string): string | null {
  if (!existsSync(out)) return null;
  for (const entry of readdirSync(out, { withFileTypes: true })) {
    // The answers lie there too, where they were given on a terminal.
    if (!entry.isDirectory()) continue;
    const text = readIfThere(join(out, entry.name, 'etc/rc.conf'));
    const password = text === null ? null : passwordIn(text);
    if (password !== null) return password;
  }
  return null;
}

/** Files that were written, as they are called below the directory. */
export interface Written {
  readonly path: string;
  readonly what: 'new' | 'changed';
}

/**
 * Writes everything below `out`: a folder for each host and operator, and the
 * pair's CA unless `pki` names another directory. Certificates that are good
 * for two months stay. Only what differs is written, and returned.
 */
export async function writeTree(
  plan: Plan,
  out: string,
  pki: string,
  nowMs: number,
): Promise<Written[]> {
  refuseForeign(plan, out, pki);
  mkdirSync(out, { recursive: true, mode: 0o700 });
  const authority = existsSync(join(pki, 'ca.key'))
    ? openAuthority(pki, nowMs)
    : await initAuthority(pki, plan.pair, nowMs);
  if (authority.pair !== plan.pair)
    throw usage(
      `the CA in ${pki} is of the pair ${authority.pair}`,
      `set pair = "${authority.pair}", or name another --pki`,
    );
  const written: Written[] = [];
  const put = (folder: string, files: readonly Generated[]): void => {
    for (const file of files) {
      const path = join(folder, file.path);
      const whole = join(out, path);
      const before = readIfThere(whole);
      if (before === file.text && modeOf(whole) === file.mode) continue;
      mkdirSync(dirname(whole), { recursive: true, mode: 0o700 });
      putFile(whole, file.text, file.mode);
      written.push({ path, what: before === null ? 'new' : 'changed' });
    }
  };
  for (const host of plan.hosts)
    put(
      host.node,
      hostFiles(plan, host, await credentials(authority, { kind: 'node', name: host.node }, nowMs)),
    );
  for (const operator of plan.operators) {
    const holder = { kind: 'operator', ...operator } as const;
    put(
      join('operators', operator.name),
      operatorFiles(plan, operator, await credentials(authority, holder, nowMs)),
    );
  }
  return written;
}

async function credentials(
  authority: Authority,
  holder: Holder,
  nowMs: number,
): Promise<Credentials> {
  const { certificate, key } =
    stillGood(authority, holder, RENEW_DAYS, nowMs) ??
    (await issueFor(authority, holder, { days: LEAF_DAYS, nowMs, newKey: false }));
  return { ca: authority.bundle, certificate, key };
}

/** A directory with other things in it is not ours to write into. */
function refuseForeign(plan: Plan, out: string, pki: string): void {
  if (!existsSync(out)) return;
  const known = new Set([
    'operators',
    'pki',
    'answers.toml',
    ...plan.hosts.map(({ node }) => node),
  ]);
  const foreign = readdirSync(out).filter((name) => !known.has(name) && join(out, name) !== pki);
  if (foreign.length > 0)
    throw usage(
      `${out} holds other things: ${foreign.slice(0, 3).join(', ')}`,
      'name a new directory, or the one of an earlier run with --out',
    );
}
