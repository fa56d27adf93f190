import { othersTurn } from '../sys/turn.ts';

/**
 * An answer that is long for its lists, as several messages of its type: to protobuf their bytes
 * one after the other are the one message that has all of them. The loop turns between two.
 */
export class InPieces<P> {
  readonly #pieces: Iterable<P>;
  readonly #encode: (piece: P) => Buffer;

  constructor(pieces: Iterable<P>, encode: (piece: P) => Buffer) {
    this.#pieces = pieces;
    this.#encode = encode;
  }

  /** The whole message, encoded: what the server's serializers pass on as it is. */
  async whole(): Promise<P> {
    const bytes: Buffer[] = [];
    for (const piece of this.#pieces) {
      bytes.push(this.#encode(piece));
      await othersTurn();
    }
    // grpc-js has one type for what is serialized and what is not.
    return Buffer.concat(bytes) as P;
  }
}
