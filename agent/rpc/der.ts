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

export const SEQUENCE = 0x30;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const BOOLEAN = 0x01;
