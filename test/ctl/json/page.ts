import { readFileSync } from 'node:fs';

/** docs/json.md. */
const PAGE = readFileSync(new URL('../../../../docs/json.md', import.meta.url), 'utf8');

/** The text of a `## ` section, without its heading. */
export function section(title: string): string {
  const [, ...parts] = `\n${PAGE}`.split(/\n## /);
  const found = parts.find((part) => part.startsWith(`${title}\n`));
  if (found === undefined) throw new Error(`docs/json.md has no section ${title}`);
  return found.slice(title.length + 1);
}

/** The rows of a section's first table, cell by cell. */
export const rowsOf = (title: string): string[][] =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

/** The first block of a text: the keys of what it describes. */
export const blockOf = (text: string): string => /```text\n([^`]*)```/.exec(text)?.[1] ?? '';

/** The block of keys below each heading of the results. */
export function verbBlocks(): ReadonlyMap<string, string> {
  const [, ...parts] = section('Results').split(/\n### /);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), blockOf(part)] as const));
}
