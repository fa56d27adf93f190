import { parseTOML, type AST } from 'toml-eslint-parser';
import type { Path } from './issues.ts';

/** Where something stands in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds where a key stands in TOML text: the key itself, or the nearest part
 * of its path that is written down (a missing key has its table's place; a
 * missing table the end of the text). Loaded only when there is something to
 * explain.
 */
export function positionsIn(text: string): (path: Path) => Position {
  const places = new Map<string, Position>();
  const note = (path: Path, node: AST.TOMLNode): void => {
    const { line, column } = node.loc.start;
    // A dotted key is where its first parts begin as well.
    for (let length = path.length; length > 0; length--) {
      const key = JSON.stringify(path.slice(0, length));
      if (!places.has(key)) places.set(key, { line, column: column + 1 });
    }
  };
  const readPair = (base: Path, pair: AST.TOMLKeyValue): void => {
    const path = [...base, ...pair.key.keys.map(nameOf)];
    note(path, pair.key);
    readValue(path, pair.value);
  };
  const readValue = (path: Path, value: AST.TOMLContentNode): void => {
    if (value.type === 'TOMLInlineTable') for (const pair of value.body) readPair(path, pair);
    if (value.type !== 'TOMLArray') return;
    for (const [at, element] of value.elements.entries()) {
      note([...path, at], element);
      readValue([...path, at], element);
    }
  };
  for (const item of parseTOML(text).body[0].body) {
    if (item.type === 'TOMLKeyValue') readPair([], item);
    else {
      note(item.resolvedKey, item.key);
      for (const pair of item.body) readPair(item.resolvedKey, pair);
    }
  }
  const end = text.split('\n').length;
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { line: end, column: 1 };
  };
}

const nameOf = (key: AST.TOMLBare | AST.TOMLQuoted): string =>
  key.type === 'TOMLBare' ? key.name : key.value;
