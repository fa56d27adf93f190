import type { ActError, ActResult, Progress } from '../../agent/core/results.ts';
import { table } from './table.ts';
import { displayWidth, padded, proseColumns } from './width.ts';
import { wrapped } from './wrapped.ts';

/** One line of progress for standard error: what was done, and how long it took. */
export function progressLine({ step, text, tookMs }: Progress): string {
  const left = `${step.padEnd(10)} ${text}`;
  const right = `${tookMs} ms`;
  if (step === 'warning') return wrapped(left, 11);
  const room = proseColumns() - right.length;
  return displayWidth(left) < room
    ? `${padded(left, room)}${right}`
    : wrapped(`${left}  ${right}`, 11);
}

/** The table of a finished move. */
export function moveTable({ addresses }: ActResult, cause: string): string {
  const rows = addresses.map(({ address, from, to, outcome, darkMsMax }) => [
    address,
    from === '' ? '-' : from,
    to,
    outcome,
    darkMsMax === null ? '-' : `${darkMsMax} ms`,
    cause,
  ]);
  return table(['ADDRESS', 'FROM', 'TO', 'RESULT', 'DARK AT MOST', 'CAUSE'], rows, { right: [4] });
}

/** The table of servers after drain, ready or maint. */
export function serversTable({ servers }: ActResult): string {
  const rows = servers.map(({ backend, server, node, before, after, sessions }) => [
    `${backend}/${server}`,
    node,
    before,
    after,
    String(sessions),
  ]);
  return table(['SERVER', 'NODE', 'BEFORE', 'NOW', 'SESSIONS'], rows, { right: [4] });
}

/** The table of certificates after a push. */
export function certificatesTable({ certificates }: ActResult): string {
  const rows = certificates.map(({ node, path, outcome, fingerprint, notAfter }) => [
    node,
    outcome,
    fingerprint.slice(0, 12),
    notAfter.slice(0, 10),
    path,
  ]);
  return table(['NODE', 'RESULT', 'SHA-1', 'ENDS', 'PATH'], rows);
}

const isSaid = (error: ActError, said: ActError | null): boolean =>
  error.message === said?.message && error.cause === said.cause;

/** What an act ended with: its error, else that of its first node; with the nodes where it does not name one. */
export function saidOnce({ nodes, error }: ActResult): ActError | null {
  const said = error ?? nodes.find((one) => !one.ok && one.error !== null)?.error ?? null;
  if (said === null) return null;
  const same = nodes
    .filter((one) => !one.ok && one.error !== null && isSaid(one.error, said))
    .map(({ node }) => node)
    .sort();
  const named = same.some((node) => `${said.message} ${said.cause}`.includes(node));
  return named || same.length === 0 || same.length === nodes.length
    ? said
    : { ...said, message: `${same.join(', ')}: ${said.message}` };
}

/** Nodes on which it was not done for another reason than what is said of the whole, in their order. */
export function nodeFailures(result: ActResult): string[] {
  const said = saidOnce(result);
  const whole = result.error ?? result.nodes.find(({ ok, error }) => !ok && error !== null)?.error;
  return result.nodes
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
    .flatMap(({ node, ok, error }) => {
      if (ok || error === null || isSaid(error, said) || isSaid(error, whole ?? null)) return [];
      const why = error.cause === '' ? '' : ` (${error.cause})`;
      return [wrapped(`  ${node}: ${error.message}${why}`, 4)];
    });
}
