import { RuntimeError, word, type Runtime } from './runtime.ts';

/** One row of `show stat` by column name. */
export type StatRow = ReadonlyMap<string, string>;

/**
 * Parses the CSV of `show stat`, columns by header (129 on 2.6, 146 on 3.4;
 * the header ends in a comma). Throws RuntimeError for anything else.
 */
export function parseStat(text: string): StatRow[] {
  const [header = '', ...lines] = text.split('\n');
  if (!header.startsWith('# pxname,svname,'))
    throw new RuntimeError('show stat', '', { kind: 'text', text });
  const names = header.slice(2).split(',');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = splitCsv(line);
      // One row short of its columns is a reply that was cut.
      if (cells.length < names.length)
        throw new RuntimeError('show stat', '', { kind: 'text', text: line });
      return new Map(names.map((name, at) => [name, cells[at] ?? '']));
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

/** Rows of one kind. `name` empty: of every proxy. */
export async function readStat(
  runtime: Runtime,
  kind: 'frontend' | 'backend' | 'server',
  name = '',
): Promise<StatRow[]> {
  const type = { frontend: 1, backend: 2, server: 4 }[kind];
  return parseStat(await runtime(`show stat ${name === '' ? '-1' : word(name)} ${type} -1`));
}

/** Frontends and backends of every proxy in one reply. */
export async function readProxies(runtime: Runtime): Promise<StatRow[]> {
  return parseStat(await runtime('show stat -1 3 -1'));
}

/** A column as text; empty where this version does not have it. */
export const cell = (row: StatRow, name: string): string => row.get(name) ?? '';

/** A column as a whole number; 0 where it is empty. */
export const count = (row: StatRow, name: string): number => Number(row.get(name) ?? 0) || 0;
