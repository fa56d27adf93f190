import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TREE } from './clones.ts';

export const PAGES = ['proxyctl.1', 'proxyctl-agent.toml.5', 'proxyagent.8'] as const;

export const pagePath = (page: (typeof PAGES)[number]): string => join(TREE, 'packaging/man', page);

/** One `.It` of a list in mdoc(7) source, with the lines up to the next one. */
export interface Item {
  /** Macro and words, as "Cm cert push Ar file". */
  readonly head: string;
  readonly body: string;
}

/** The source between two headings, such as `.Sh VERBS`; to the end without the second. */
export function section(page: (typeof PAGES)[number], from: string, to?: string): string {
  const source = readFileSync(pagePath(page), 'utf8');
  const [, rest] = source.split(`${from}\n`);
  if (rest === undefined) throw new Error(`${page} has no ${from}`);
  const [part = '', ...others] = to === undefined ? [rest] : rest.split(`${to}\n`);
  if (to !== undefined && others.length === 0) throw new Error(`${page} has no ${to}`);
  return part;
}

export const items = (source: string): Item[] =>
  source
    .split(/^\.It /m)
    .slice(1)
    .map((item) => {
      const [head = '', ...body] = item.split('\n');
      return { head, body: body.join('\n') };
    });

/** The long option an item explains, with its dashes; null for any other item. */
export const longOption = ({ head }: Item): string | null => {
  const name = /(?:^|, )Fl -(\S+)/.exec(head)?.[1];
  return name === undefined ? null : `--${name}`;
};
