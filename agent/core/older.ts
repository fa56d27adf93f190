import type { NodeReport, OlderReport } from './model.ts';

/** Established sessions of a host that are known: those of older processes of its HAProxy too. */
export const hostSessions = ({ haproxy }: Pick<NodeReport, 'haproxy'>): number =>
  haproxy.reduce((sum, { sessions, older }) => sum + sessions + older.sessions, 0);

/** "2 older HAProxy processes still serve 3 sessions; 1 of them cannot be asked"; empty: there is none. */
export function olderText({ processes, sessions, uncounted }: OlderReport): string {
  if (processes === 0) return '';
  const who = `${processes} older HAProxy ${processes === 1 ? 'process' : 'processes'}`;
  if (uncounted >= processes) return `${who} still there, and cannot be asked for sessions`;
  const serves = processes === 1 ? 'serves' : 'serve';
  const what = `${who} still ${serves} ${sessions} ${sessions === 1 ? 'session' : 'sessions'}`;
  return uncounted === 0 ? what : `${what}; ${uncounted} of them cannot be asked`;
}

/** How the process table is said to hide HAProxy from the agent's user. */
export const HIDDEN = 'is not in the process table as this user sees it';

/** What to do where older processes cannot be looked for, by the cause. */
export const lookRemedy = (cause: string): string =>
  cause.includes(HIDDEN)
    ? 'sysctl security.bsd.see_other_uids=1 security.bsd.see_other_gids=1 (0 hides HAProxy from the ' +
      'agent; /etc/sysctl.conf keeps it), or look as root: ps -axo pid,lstart,command | grep haproxy'
    : 'ps -ax | grep haproxy; a reload may have left processes with sessions';
