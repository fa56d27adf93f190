import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActFailure } from '../core/results.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import { CrlError, readCrls, type Crl } from '../rpc/crl.ts';
import type { Tls } from '../rpc/tls.ts';
import { isSystemError, replaceFile } from '../sys/files.ts';

/** Whose certificates are no longer good, as this node knows it. */
export interface Revocations {
  /** All lists in force, PEM; '' where there is none. */
  text(): string;
  /** In force at once, on disk once it resolves; false: all of it was known. Rejects with ActFailure. */
  store(list: string): Promise<boolean>;
  /** The CA has changed: of the file, what counts now. */
  reload(): Promise<void>;
}

const REMEDY = 'proxyctl pki publish, where the CA is kept, brings it again';

/**
 * Opens `revoked.pem` below the state. What it says is trusted by its signature alone, so a file
 * that somebody damaged is a problem and no reason not to start: a peer brings the list again.
 */
export async function openRevocations(options: {
  readonly folder: string;
  readonly tls: Pick<Tls, 'issuers' | 'revoke'>;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
  /** Hears of lists that are new in force, with the serials that no list had before. */
  readonly taken?: (
    lists: readonly { readonly number: Crl['number']; readonly serials: readonly string[] }[],
  ) => void;
  /** Hears of all that is in force, PEM, whenever it may have changed. */
  readonly inForce?: (lists: string) => void;
}): Promise<Revocations> {
  const { folder, tls, problems } = options;
  const file = join(folder, 'revoked.pem');
  let known = new Map<string, Crl>();
  let turn: Promise<unknown> = Promise.resolve();

  const textOf = (lists: ReadonlyMap<string, Crl>): string =>
    Array.from(lists.values(), ({ pem }) => pem).join('');
  const put = (lists: ReadonlyMap<string, Crl>): void => {
    known = new Map(lists);
    tls.revoke([...known.values()]);
    options.inForce?.(textOf(known));
  };
  const load = async (): Promise<void> => {
    try {
      const lists = readCrls(await readFile(file, 'utf8'), tls.issuers());
      put(new Map(lists.map((crl) => [crl.issuer, crl])));
      problems.clear('revoked');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return;
      problems.raise('revoked', `${file}: ${sentence(error)}`, REMEDY);
    }
  };
  /** Of `lists` those that are newer than what is known, each with its number. Throws ActFailure for older ones. */
  const newer = (lists: readonly Crl[]): Crl[] =>
    lists.filter((crl) => {
      const before = known.get(crl.issuer);
      if (before === undefined || crl.number > before.number) return true;
      if (crl.pem === before.pem) return false;
      throw new ActFailure('conflict', {
        code: 'older_list',
        message: `a revocation list with the number ${before.number} is in force, this one has ${crl.number}`,
        remediation: 'publish the newest list of the CA',
      });
    });
  const store = async (list: string): Promise<boolean> => {
    const lists = understood(list, tls);
    const fresh = newer(lists);
    if (fresh.length === 0) return false;
    const before = known;
    put(new Map([...known, ...fresh.map((crl) => [crl.issuer, crl] as const)]));
    options.taken?.(
      fresh.map(({ issuer, number, serials }) => ({
        number,
        serials: [...serials].filter((one) => before.get(issuer)?.serials.has(one) !== true),
      })),
    );
    await replaceFile(file, textOf(known), 0o600);
    problems.clear('revoked');
    return true;
  };
  await load();
  return {
    text: () => textOf(known),
    store(list) {
      const stored = turn.then(() => store(list));
      turn = stored.catch(() => undefined);
      return stored;
    },
    reload: load,
  };
}

function understood(list: string, tls: Pick<Tls, 'issuers'>): Crl[] {
  try {
    const lists = readCrls(list, tls.issuers());
    if (lists.length > 0) return lists;
    throw new CrlError('it is signed by no CA that is trusted here');
  } catch (error) {
    if (!(error instanceof CrlError)) throw error;
    const detail = {
      code: 'list_not_trusted',
      message: `the revocation list is not taken: ${error.message}`,
      remediation: 'publish crl.pem of the CA that is tls.ca in agent.toml',
    };
    throw new ActFailure('failed', detail, { cause: error });
  }
}
