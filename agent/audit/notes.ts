import type { AuditNote } from './audit.ts';

/** What the agent does by itself or because of a signal, for the record. */

const AGENT = { how: 'agent' } as const;
/** Who sent it the system does not tell. */
const SIGNAL = { how: 'signal' } as const;

/** Serial numbers that are named; the others are counted. */
const MOST_SERIALS = 20;

export const startedNote = (version: string, user: string): AuditNote => ({
  event: 'started',
  what: 'proxyagent',
  who: AGENT,
  args: { version, user, pid: process.pid },
});

export const stoppedNote = (): AuditNote => ({ event: 'stopped', what: 'proxyagent', who: AGENT });

/** What a reload of agent.toml and the TLS files came to. */
export const reloadNote = (reload: {
  readonly taken: readonly string[];
  /** Keys that differ and need a restart. */
  readonly waiting: readonly string[];
  /** Why the files before stay in use; empty: the new ones are. */
  readonly refused: string;
}): AuditNote => ({
  event: 'reload',
  what: 'agent.toml and TLS files',
  who: SIGNAL,
  objects: reload.taken,
  objectsCount: reload.taken.length,
  args: reload.waiting.length === 0 ? {} : { waiting: reload.waiting.join(', ') },
  outcome: reload.refused === '' ? 'reached' : 'failed',
  message: reload.refused,
});

/** Revocation lists that are in force from now on; `serials` are new on it. */
export const revokedNote = (
  lists: readonly { readonly number: bigint; readonly serials: readonly string[] }[],
): AuditNote => {
  const serials = lists.flatMap((one) => one.serials);
  return {
    event: 'revoked',
    what: 'revocation list',
    who: AGENT,
    objects: serials.slice(0, MOST_SERIALS),
    objectsCount: serials.length,
    args: { list: lists.map(({ number }) => String(number)).join(', ') },
  };
};
