import type { NodeReport } from '../core/model.ts';
import { hostSessions } from '../core/older.ts';
import type { Pair } from './pair.ts';

/**
 * Established sessions of a host, those of older processes of its HAProxy too: what a move of all
 * its addresses cuts at most. Null: not known.
 */
export function sessionsOn(pair: Pick<Pair, 'view'>, name: string): number | null {
  const report = reportOf(pair, name);
  if (report === null || report.haproxy.some(({ state }) => state === 'unknown')) return null;
  return hostSessions(report);
}

/** What a planned move cuts, as the operator reads it before it begins; empty: it leaves no host. */
export function cutText(pair: Pick<Pair, 'view'>, from: readonly string[]): string {
  const hosts = [...new Set(from)].filter((name) => name !== '');
  return hosts
    .map((name) => {
      const sessions = sessionsOn(pair, name);
      const mute = (reportOf(pair, name)?.haproxy ?? []).some(({ older }) => older.uncounted > 0);
      if (sessions === null) return `cuts the sessions of ${name}; how many is not known`;
      const left = `cuts up to ${sessions} ${sessions === 1 ? 'session' : 'sessions'} of ${name}`;
      return mute ? `${left}, and what older HAProxy processes there serve` : left;
    })
    .join('; ');
}

const reportOf = ({ view }: Pick<Pair, 'view'>, name: string): NodeReport | null =>
  view().find(({ node, fresh }) => node === name && fresh)?.report ?? null;
