/** Answers whose shape nobody has checked, and what is found wrong in them. */

/** Where a value stands: keys, and places in lists from 0. */
export type KeyPath = readonly (string | number)[];

/** One thing found, at its place. */
export interface Finding {
  readonly path: KeyPath;
  readonly message: string;
}
/** What is wrong, and what is only worth a remark. */
export interface Found {
  readonly wrong: Finding[];
  readonly remarks: Finding[];
}
export type Table = Readonly<Record<string, unknown>>;

/** A TOML table. */
export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** The tables of a list; nothing for any other value. */
export const tables = (value: unknown): Table[] =>
  Array.isArray(value) ? value.filter(isTable) : [];
/** The strings of a list; nothing for any other value. */
export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
/** An address without its prefix length. */
export const bare = (address: string): string => address.split('/')[0] ?? address;

/** A value in a sentence. */
export const shown = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
