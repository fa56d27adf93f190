/**
 * What docs/json.md says of a value: a single one, a list of words, or an object and its keys;
 * `nullable`: it may be null as a whole.
 */
export type Shape =
  | { readonly kind: 'value' }
  | { readonly kind: 'words' }
  | {
      readonly kind: 'object' | 'list';
      readonly nullable: boolean;
      readonly keys: ReadonlyMap<string, Shape>;
      /** Keys that may be absent. */
      readonly optional: ReadonlySet<string>;
    };

/** Reads `{a, b: [], c: [{d}], e: null | {f}, g?}`; throws where the text is none. */
export function shapeOf(text: string): Shape {
  const words = text.match(/[a-z_0-9]+|[{}[\],:?|]/g) ?? [];
  let place = 0;
  const takes = (word: string): boolean => words[place] === word && (place += 1) > 0;
  const must = (word: string): void => {
    if (!takes(word)) throw new Error(`${word} expected at ${words.slice(place).join(' ')}`);
  };
  function object(kind: 'object' | 'list', nullable: boolean): Shape {
    const keys = new Map<string, Shape>();
    const optional = new Set<string>();
    must('{');
    do {
      const key = words[place++] ?? '';
      if (takes('?')) optional.add(key);
      keys.set(key, takes(':') ? typed() : { kind: 'value' });
    } while (takes(','));
    must('}');
    return { kind, nullable, keys, optional };
  }
  function typed(): Shape {
    const nullable = takes('null');
    if (nullable) must('|');
    if (!takes('[')) return object('object', nullable);
    if (!nullable && takes(']')) return { kind: 'words' };
    const list = object('list', nullable);
    must(']');
    return list;
  }
  const shape = object('object', false);
  if (place < words.length) throw new Error(`more after the end: ${words.slice(place).join(' ')}`);
  return shape;
}

/**
 * Where values are not as the shape says, and what of the shape they never show: a key that is
 * missing in either, a list that is always empty, a null that is not foreseen or never seen.
 */
export function mismatches(shape: Shape, values: readonly unknown[], path = ''): string[] {
  if (shape.kind === 'value')
    return values.some((value) => typeof value === 'object' && value !== null)
      ? [`${path} has keys of its own`]
      : [];
  if (shape.kind === 'words')
    return values.every((value) => Array.isArray(value) && value.every(isWord))
      ? []
      : [`${path} is not a list of words`];
  const { kind, nullable, keys, optional } = shape;
  const nulls = values.filter((value) => value === null).length;
  const present = values.filter((value) => value !== null);
  const lists = present.filter((value) => Array.isArray(value));
  const objects = (kind === 'list' ? lists.flat() : present) as Readonly<Record<string, unknown>>[];
  const found = [
    ...(nulls > 0 && !nullable ? [`${path} is null`] : []),
    ...(nulls === 0 && nullable ? [`${path} is never null`] : []),
    ...(lists.length === (kind === 'list' ? present.length : 0) ? [] : [`${path} is no ${kind}`]),
    ...(objects.length === 0 ? [`${path} is in no example`] : []),
  ];
  if (found.length > 0) return found;
  const more = objects.flatMap((one) => Object.keys(one).filter((key) => !keys.has(key)));
  return [
    ...[...new Set(more)].map((key) => `${path}.${key} is not documented`),
    ...[...keys].flatMap(([key, of]) => {
      const having = objects.filter((one) => key in one);
      if (having.length < objects.length && !optional.has(key)) return [`${path}.${key} is absent`];
      return mismatches(
        of,
        having.map((one) => one[key]),
        `${path}.${key}`,
      );
    }),
  ];
}

const isWord = (value: unknown): boolean => typeof value === 'string';
