import type { AppliedIntent, HaproxyReport } from '../model.ts';
import type { Before } from './push-messages.ts';

/** What has to be the same after a reload, as HAProxy is now. */
export const beforeOf = ({ pid, backends, certificates }: HaproxyReport): Before => ({
  pid,
  up: backends.filter(({ up }) => up).map(({ name }) => name),
  certificates: Object.fromEntries(
    certificates.map(({ path, fingerprint }) => [path, fingerprint ?? '']),
  ),
});

/** What is not yet as it has to be after a reload, as a sentence; empty: nothing. */
export interface Missing {
  /** No new process serves on every required frontend: that does not come by itself. */
  readonly process: string;
  /** What takes some seconds: health checks, wishes that are told again. */
  readonly settling: string;
}

/**
 * What of a node's HAProxy is not as it has to be once it was reloaded. `isNew`: another process
 * than before has to answer. A backend that the new configuration has not is no loss.
 */
export function missingOf(
  before: Before,
  now: HaproxyReport,
  applied: readonly AppliedIntent[],
  isNew: boolean,
): Missing {
  return { process: process(before, now, isNew), settling: settling(before, now, applied) };
}

function process(before: Before, now: HaproxyReport, isNew: boolean): string {
  const why = now.problem === '' ? '' : `: ${now.problem}`;
  if (now.state !== 'up') return `HAProxy is ${now.state}${why}`;
  if (isNew && now.pid === before.pid) return `process ${before.pid} still answers`;
  if (now.frontends.length === 0) return 'it has no frontend';
  const closed = now.frontends.filter(({ required, open }) => required && !open);
  if (closed.length > 0) return `not open: ${listed(closed.map(({ name }) => name))}`;
  const changed = now.certificates.filter(
    ({ path, fingerprint }) =>
      (before.certificates[path] ?? fingerprint ?? '') !== (fingerprint ?? ''),
  );
  if (changed.length === 0) return '';
  return `another certificate than before: ${listed(changed.map(({ path }) => path))}`;
}

function settling(
  before: Before,
  { backends }: HaproxyReport,
  applied: readonly AppliedIntent[],
): string {
  const down = backends.filter(({ name, up }) => !up && before.up.includes(name));
  if (down.length > 0) return `down, and was up before: ${listed(down.map(({ name }) => name))}`;
  // A wish whose server is gone with the configuration is no reason to take it back.
  const open = applied.filter(({ problem, server }) => problem !== '' && server === undefined);
  return open.length === 0 ? '' : `not in force again: ${listed(open.map(({ key }) => key))}`;
}

const listed = (names: readonly string[]): string =>
  names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
