/** Follows the gRPC messages in the bytes of one stream, without keeping them. */
export interface Framing {
  /** Messages that have arrived whole. */
  readonly whole: number;
  /** Length of the message that has begun and is not whole, as its prefix says; 0: none has. */
  readonly pending: number;
  take(chunk: Uint8Array): void;
}

/** One byte of flags, four of length. */
const PREFIX = 5;

export function framing(): Framing {
  let whole = 0;
  let pending = 0;
  let missing = 0;
  let have = 0;
  let length = 0;
  return {
    get whole() {
      return whole;
    },
    get pending() {
      return pending;
    },
    take(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (missing > 0) {
          const taken = Math.min(missing, chunk.length - at);
          at += taken;
          missing -= taken;
        } else {
          if (have > 0) length = length * 256 + (chunk[at] ?? 0);
          have += 1;
          at += 1;
          if (have < PREFIX) continue;
          pending = length;
          missing = length;
          have = 0;
          length = 0;
        }
        if (missing > 0) continue;
        if (have === 0) whole += 1;
        pending = 0;
      }
    },
  };
}
