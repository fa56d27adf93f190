import type { ConfigLine } from '../core/haproxy-config/sections.ts';
import { inDefaultPath } from './default-path.ts';

/** One `load` line of a crt-store section (HAProxy 3.0). */
export interface StoreLoad {
  /** As HAProxy names it: `@STORE/ALIAS`, or `@STORE/CRT` where it has no alias. */
  readonly name: string;
  /** The words of the line, which HAProxy shows as they are; key null: in the certificate's file. */
  readonly crt: string;
  readonly key: string | null;
  /** The files behind them; null: not certain from the configuration alone. */
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
}

/** Of `global`; empty: none. */
interface Bases {
  readonly crtBase: string;
  readonly keyBase: string;
  /** `default-path`; null: not known. */
  readonly directory: string | null;
}

/**
 * The certificates of one crt-store section. Its own `crt-base` and `key-base`, which stand before
 * any `load`, count before those of `global`; a store loads no `FILE.key` by itself.
 */
export function storeLoads(
  lines: readonly ConfigLine[],
  { crtBase, keyBase, directory }: Bases,
): StoreLoad[] {
  const store = lines[0]?.words[1] ?? '';
  const own = (word: string): string | undefined =>
    lines.find(({ words }) => words[0] === word)?.words[1];
  return lines.flatMap(({ words }) => {
    if (words[0] !== 'load') return [];
    const after = (word: string): string | null => {
      const at = words.indexOf(word, 1);
      return at < 0 ? null : (words[at + 1] ?? null);
    };
    const [crt, key] = [after('crt'), after('key')];
    if (crt === null) return [];
    return [
      {
        name: `@${store}/${after('alias') ?? crt.replace(/^\//, '')}`,
        crt,
        key,
        certificateFile: fileOf(crt, own('crt-base') ?? crtBase, directory),
        keyFile: key === null ? null : fileOf(key, own('key-base') ?? keyBase, directory),
      },
    ];
  });
}

/** A variable, or HAProxy's working directory, cannot be known from the text. */
function fileOf(name: string, base: string, directory: string | null): string | null {
  const based = base === '' ? name : `${base}/${name}`;
  const path = name.startsWith('/') ? name : based;
  return path.includes('$') ? null : inDefaultPath(path, directory);
}
