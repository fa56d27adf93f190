import { eachLine } from './lines.ts';
import { RuntimeError, type Runtime } from './runtime.ts';

/** One row of `show stat` by column name. */
export type StatRow = ReadonlyMap<string, string>;

/**
 * Parses the CSV of `show stat`, columns by header (129 on 2.6, 146 on 3.4;
 * the header ends in a comma); `only` some of them. Throws RuntimeError for anything else.
 */
export function parseStat(text: string, only: readonly string[] | null = null): StatRow[] {
  const [header = '', ...lines] = text.split('\n');
  if (!header.startsWith('# pxname,svname,'))
    throw new RuntimeError('show stat', '', { kind: 'text', text });
  const names = header.slice(2).split(',');
  const wanted = [...names.entries()].filter(([, name]) => only?.includes(name) ?? true);
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = splitCsv(line);
      // One row short of its columns is a reply that was cut.
      if (cells.length < names.length)
        throw new RuntimeError('show stat', '', { kind: 'text', text: line });
      return new Map(wanted.map(([at, name]) => [name, cells[at] ?? '']));
    });
}

/** Fields of one CSV line; HAProxy quotes those with commas or quotes (RFC 4180). */
function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  // Each field with the comma before it, so that none is counted twice at the end.
  return Array.from(`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}

/**
 * What `take` makes of the named columns of each row a `show stat` command
 * gives, '' where this version does not have one. For long replies: other
 * columns cost nothing, and the event loop turns meanwhile. Rejects with
 * RuntimeError for anything else.
 */
export async function readCells<T>(
  runtime: Runtime,
  command: string,
  columns: readonly string[],
  take: (cells: readonly string[]) => T,
): Promise<T[]> {
  const rows: T[] = [];
  let places: number[] | null = null;
  let limit = 0;
  const text = await runtime(command);
  await eachLine(text, (line) => {
    if (places === null) {
      if (!line.startsWith('# pxname,svname,'))
        throw new RuntimeError('show stat', '', { kind: 'text', text });
      const names = line.slice(2).split(',');
      places = columns.map((column) => names.indexOf(column));
      limit = Math.max(...places) + 1;
      return;
    }
    let cells = line.split(',', limit);
    if (cells.some((cell) => cell.includes('"'))) cells = splitCsv(line);
    if (cells.length < limit) throw new RuntimeError('show stat', '', { kind: 'text', text: line });
    rows.push(take(places.map((at) => cells[at] ?? '')));
  });
  if (places === null) throw new RuntimeError('show stat', '', { kind: 'text', text });
  return rows;
}

/** What the picture of a HAProxy needs of its frontends and backends. */
const PROXY_CELLS = ['pxname', 'svname', 'status', 'act', 'bck', 'srv'];

/** Frontends and backends of every proxy in one reply, which `parseProxies` reads. */
export const PROXIES = 'show stat -1 3 -1';

/** Throws RuntimeError for anything else. */
export const parseProxies = (text: string): StatRow[] => parseStat(text, PROXY_CELLS);

/** A column as text; empty where this version does not have it. */
export const cell = (row: StatRow, name: string): string => row.get(name) ?? '';

/** A column as a whole number; 0 where it is empty. */
export const count = (row: StatRow, name: string): number => Number(row.get(name) ?? 0) || 0;
