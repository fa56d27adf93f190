import { GREETING, frame, headersOf, message } from '../rpc/attacker.ts';
import type { Random } from '../sim/random.ts';
import type { Method } from './real.ts';

/** What one connection says: pieces of bytes, each a frame or message that was damaged or is whole. */
export interface Script {
  readonly pieces: readonly Buffer[];
}

const DATA = 0;
const END_STREAM = 1;
const PING = 6;
/** Real frames of every other type, for stream `id`. */
const OTHERS: readonly ((id: number) => Buffer)[] = [
  (id) => frame(2, 0, id, Buffer.from([0, 0, 0, 0, 16])),
  (id) => frame(3, 0, id, Buffer.from([0, 0, 0, 8])),
  () => frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100, 0, 4, 0, 1, 0, 0])),
  () => frame(PING, 0, 0, Buffer.alloc(8, 1)),
  () => frame(8, 0, 0, Buffer.from([0, 1, 0, 0])),
  (id) => frame(8, 0, id, Buffer.from([0, 0, 1, 0])),
  (id) => frame(0xfe, 0, id, Buffer.from('unknown')),
];
/** A PING whose answer shows that everything before it was read. */
export const LAST = frame(PING, 0, 0, Buffer.from('the last'));

/** Calls with damaged messages; now and then a damaged frame, after which the rest is lost. */
export function script(r: Random, methods: readonly Method[], most: number): Script {
  const pieces: Buffer[] = [r.chance(0.02) ? damaged(r, GREETING) : GREETING];
  let id = 1;
  while (pieces.length < most) {
    const method = r.pick(methods);
    const { path } = method;
    const real = method.request(r);
    const body = r.chance(0.1) ? real : damaged(r, real);
    const end = r.chance(0.85) ? END_STREAM : 0;
    const parts = [
      headersOf(r.chance(0.03) ? `${path}x` : path, id),
      frame(DATA, end, id, framed(r, body)),
    ];
    if (r.chance(0.3)) parts.push(r.pick(OTHERS)(id));
    for (const part of parts) pieces.push(r.chance(0.02) ? broken(r, part) : part);
    id += 2;
  }
  return { pieces: pieces.slice(0, most) };
}

/** Pieces of what a TLS client says before it has shown a certificate. */
export function clientHello(r: Random, real: Buffer): Script {
  const pieces = Array.from({ length: Math.ceil(r.between(1, 6)) }, () => damaged(r, real));
  return { pieces: r.chance(0.2) ? [real, ...pieces] : pieces };
}

/** A gRPC message whose prefix may lie. */
function framed(r: Random, body: Buffer): Buffer {
  const lie = r.next();
  if (lie < 0.7) return message(body);
  if (lie < 0.8) return message(body, Math.floor(r.between(0, 2 ** 32)));
  if (lie < 0.85) return message(body, body.length + 1);
  if (lie < 0.9) return Buffer.concat([message(body), message(body), message(body)]);
  const whole = message(body);
  if (lie < 0.95) whole[0] = Math.floor(r.between(1, 256));
  return lie < 0.95 ? whole : whole.subarray(0, Math.floor(r.between(0, whole.length)));
}

/** A frame with another head, or with damage anywhere. */
function broken(r: Random, real: Buffer): Buffer {
  const copy = Buffer.from(real);
  const what = r.next();
  if (what < 0.2) copy[3] = Math.floor(r.between(0, 256));
  else if (what < 0.4) copy[4] = Math.floor(r.between(0, 256));
  else if (what < 0.6) copy.writeUInt32BE(Math.floor(r.between(0, 2 ** 32)), 5);
  else if (what < 0.8) copy.writeUIntBE(Math.floor(r.between(0, 2 ** 24)), 0, 3);
  else return damaged(r, real);
  return copy;
}

/** Bits flipped, bytes left out, doubled, put in; lengths without end; nesting without end. */
export function damaged(r: Random, real: Buffer): Buffer {
  const copy = Buffer.from(real);
  const at = Math.floor(r.between(0, copy.length));
  const what = r.next();
  if (what < 0.3 && copy.length > 0) {
    for (let flips = r.between(1, 4); flips > 0; flips--) {
      const where = Math.floor(r.between(0, copy.length));
      copy[where] = (copy[where] ?? 0) ^ (1 << Math.floor(r.between(0, 8)));
    }
    return copy;
  }
  if (what < 0.45) return copy.subarray(0, at);
  if (what < 0.6) return Buffer.concat([copy.subarray(0, at), copy]);
  if (what < 0.75) {
    const random = Buffer.from(Array.from({ length: r.between(1, 40) }, () => r.between(0, 256)));
    return Buffer.concat([copy.subarray(0, at), random, copy.subarray(at)]);
  }
  const endless = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
  if (what < 0.9) return Buffer.concat([copy.subarray(0, at), endless, copy.subarray(at)]);
  return Buffer.concat([copy, nested(Math.floor(r.between(2, 60)))]);
}

/** A message in a message, so often. */
function nested(times: number): Buffer {
  let inner = Buffer.from([0x08, 0x01]);
  for (let i = 0; i < times && inner.length < 120; i++)
    inner = Buffer.concat([Buffer.from([0x0a, inner.length]), inner]);
  return inner;
}
