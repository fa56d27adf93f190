/** Records that every node keeps as lines of JSON in a file of its own: who did what, and what happened. */

/** Lines of one node as they stand in its file, the newest last. */
export interface LinePage {
  readonly lines: readonly string[];
  /** What was not looked at or could not be read, as a sentence; empty: all of it was. */
  readonly leftOut: string;
}

/** The lines of every node. */
export interface LinesAnswer {
  /** The node that was asked. */
  readonly node: string;
  readonly nodes: readonly {
    readonly node: string;
    /** Why its lines are missing; empty: they are here. */
    readonly problem: string;
    readonly leftOut: string;
  }[];
  /** Of all nodes, the newest last. */
  readonly lines: readonly { readonly node: string; readonly line: string }[];
}

/** The most lines that are given at once. */
export const MOST_LINES = 5000;

/** The time of a line without reading the rest of it; empty where it does not begin with one. */
export const timeOfLine = (line: string): string =>
  /^\{"time":"([^"]{20,30})"/.exec(line)?.[1] ?? '';

/** How times stand in lines: RFC 3339 in UTC with milliseconds. */
export const isLineTime = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(text);

/** One line of JSON without its end; whatever a terminal would obey or not show is escaped. */
export const jsonLine = (value: object): string =>
  JSON.stringify(value).replaceAll(UNSEEN, (one) =>
    Array.from({ length: one.length }, (_, at) => {
      const unit = one.charCodeAt(at);
      return `\\u${unit.toString(16).padStart(4, '0')}`;
    }).join(''),
  );

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSEEN = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;

/** What a line of JSON holds; null for one that holds no object: half of one, or of another program. */
export function objectIn(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
