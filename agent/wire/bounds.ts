import { LONGEST_REASON } from '../core/intent-limits.ts';
import { WireError } from './fields.ts';

/** The most characters of each kind of text that anybody may send. */
export const LENGTHS = {
  reason: LONGEST_REASON,
  /** Who asks; a certificate's names are shorter. */
  actor: 128,
  requestId: 128,
  /** A node, an address, a backend, a server, a domain, a token. */
  name: 256,
  /** [INSTANCE:]BACKEND[/SERVER], with patterns. */
  target: 768,
  path: 1024,
  command: 512,
  keyAuthorization: 1024,
} as const;

/** The most elements of each kind of list: more of them there cannot be. */
export const COUNTS = {
  /** 255 vhids on each of a few networks. */
  addresses: 1024,
  nodes: 64,
  kinds: 64,
  risks: 16,
  targets: 20_000,
  /** Paths and server names of certificates. */
  certificates: 4096,
} as const;

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A text of at most `most` characters without control characters, which a terminal would obey. Throws WireError. */
export function short(field: string, text: string, most: number): string {
  if (text.length > most)
    throw new WireError(field, `${text.length} characters, at most ${most} are taken`);
  if (CONTROL.test(text)) throw new WireError(field, 'holds control characters');
  return text;
}

/** The same, for a text that must be there. */
export function named(field: string, text: string, most: number = LENGTHS.name): string {
  if (text === '') throw new WireError(field, 'missing');
  return short(field, text, most);
}

/** Each element once, in its first place; a list longer than `most` is looked at no further. Throws WireError. */
export function listed<T>(
  field: string,
  list: readonly string[],
  most: number,
  convert: (item: string, field: string) => T,
): T[] {
  if (list.length > most)
    throw new WireError(field, `${list.length} elements, at most ${most} are taken`);
  return [...new Set(list)].map((item, place) => convert(item, `${field}[${place}]`));
}
