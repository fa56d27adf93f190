import type { ActResult, Progress } from '../../agent/core/results.ts';
import { table } from './table.ts';
import { wrapped } from './wrapped.ts';

/** One line of progress for standard error: what was done, and how long it took. */
export function progressLine({ step, text, tookMs }: Progress): string {
  const left = `${step.padEnd(10)} ${text}`;
  const right = `${tookMs} ms`;
  if (step === 'warning') return wrapped(left, 11);
  return left.length + right.length + 1 <= 80
    ? `${left.padEnd(80 - right.length)}${right}`
    : `${left}  ${right}`;
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

/** Nodes on which it was not done, in their order; none where each says what `error` says already. */
export function nodeFailures({ nodes, error: said }: ActResult): string[] {
  const same = nodes.every(
    ({ error }) => error !== null && error.message === said?.message && error.cause === said.cause,
  );
  if (same) return [];
  return nodes
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
    .flatMap(({ node, ok, error }) =>
      ok || error === null
        ? []
        : [
            wrapped(
              `  ${node}: ${error.message}${error.cause === '' ? '' : ` (${error.cause})`}`,
              4,
            ),
          ],
    );
}
