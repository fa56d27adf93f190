/** One element of DER: its tag, its content, and itself whole. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/** The elements in `bytes`, one after the other (X.690, 8.1). Throws RangeError where it is none. */
export function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const one = element(bytes, at);
    found.push(one);
    at += one.whole.length;
  }
  return found;
}

/** The content of the one element in `bytes`, which has to have this tag. Throws RangeError. */
export function inside(bytes: Buffer, tag: number): Buffer {
  const one = element(bytes, 0);
  if (one.tag !== tag || one.whole.length !== bytes.length)
    throw new RangeError(`not the one element ${tag} of DER`);
  return one.content;
}

function element(bytes: Buffer, at: number): Element {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  if (first === undefined || (tag & 0x1f) === 0x1f) throw new RangeError('no DER');
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || more > 4 || at + 2 + more > bytes.length) throw new RangeError('no DER');
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  const [from, to] = [at + 2 + more, at + 2 + more + length];
  if (to > bytes.length) throw new RangeError('cut off in the middle');
  return { tag, content: bytes.subarray(from, to), whole: bytes.subarray(at, to) };
}

/** One element of this tag around what stands in it, in DER: the shortest length (X.690, 10.1). */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const hex = length.toString(16);
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | digits.length, ...digits];
  return Buffer.concat([Uint8Array.from(head), ...content]);
}

/** An object identifier from its dotted form (X.690, 8.19). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const bytes = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      bytes.unshift(0x80 | (left & 0x7f));
    return bytes;
  });
  return der(OBJECT_IDENTIFIER, Uint8Array.from(arcs));
}

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const OBJECT_IDENTIFIER = 0x06;
export const NULL = 0x05;
/** `[0]` around something. */
export const CONTEXT_0 = 0xa0;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const BOOLEAN = 0x01;
