import { readFileSync } from 'node:fs';

/** docs/json.md. */
export const PAGE = readFileSync(new URL('../../../../docs/json.md', import.meta.url), 'utf8');

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
