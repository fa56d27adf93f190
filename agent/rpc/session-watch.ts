import { constants } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { fullBucket, refilled } from './bucket.ts';
import { framing, type Framing } from './framing.ts';

/** What one HTTP/2 session may take of time and memory; times in ms. */
export const SESSION = {
  /** From admission to the client's preface and SETTINGS. */
  greetMs: 5000,
  /** Without a stream. */
  idleMs: 60_000,
  /** So often a client that is no peer is asked whether it is there ... */
  pingMs: 2000,
  /** ... and so long it may take to say so. */
  pongMs: 20_000,
  /** Where room is needed, one that has not said so for this long is not waited for. */
  owedMs: 1000,
  /** From a stream's opening to its first whole message. */
  messageMs: 30_000,
  /** A client takes a piece of an answer within this and a second for each `slowest` bytes of it. */
  stallMs: 5000,
  slowest: 64 << 10,
  /** Of one party: bytes of answers that wait for it, bytes of messages it has begun. */
  unread: 8 << 20,
  begun: 8 << 20,
  /** Streams a second, after a burst. */
  streams: { perSecond: 1000, burst: 4000 },
} as const;

/** Bytes that a party, or a connection of it, makes an agent hold. */
export interface Held {
  /** Of answers that were not read. */
  readonly unread: number;
  /** Of messages that have begun and are not whole. */
  readonly begun: number;
}

export interface SessionWatch {
  /** No stream is open, or nobody seems to be there any more who waits for one. */
  idle(): boolean;
  /** It has answered the latest question whether it is there. */
  answers(): boolean;
  held(): Held;
  /** What the client did against the protocol, or null. */
  fault(): string | null;
  /** Ends streams that take too long; says why the session is to end, or null. */
  look(nowMs: number): { readonly cause: string; readonly gently: boolean } | null;
}

interface Open {
  readonly sinceMs: number;
  readonly framing: Framing;
  /** How much of answers waited at the last look, and since when it has been so. */
  waiting: number;
  waitingSinceMs: number;
}

/**
 * Watches a session from its beginning. `partyHolds` is what all connections of its party hold; a
 * stream above the bounds is closed with ENHANCE_YOUR_CALM, which clients see as RESOURCE_EXHAUSTED.
 */
export function watchSession(
  session: ServerHttp2Session,
  options: {
    readonly nowMs: () => number;
    /** Peers are not asked whether they are there: gossip tells. */
    readonly pings: boolean;
    readonly partyHolds: () => Held;
  },
): SessionWatch {
  const { nowMs, partyHolds } = options;
  const streams = new Map<ServerHttp2Stream, Open>();
  const startedMs = nowMs();
  let idleSinceMs = startedMs;
  let greeted = false;
  let fault: string | null = null;
  const opened = fullBucket(SESSION.streams, startedMs);
  let pingMs = startedMs;
  let unanswered = false;

  session.on('remoteSettings', () => (greeted = true));
  session.on('error', (error: { readonly code?: string }) => {
    if (error.code === 'ERR_HTTP2_ERROR') fault ??= 'sent what is not HTTP/2';
  });
  session.on('stream', (stream: ServerHttp2Stream) => {
    const atMs = nowMs();
    refilled(opened, SESSION.streams, atMs).tokens -= 1;
    if (opened.tokens < 0) {
      fault ??= 'opened too many streams';
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    if (partyHolds().unread > SESSION.unread) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const open: Open = { sinceMs: atMs, framing: framing(), waiting: 0, waitingSinceMs: atMs };
    streams.set(stream, open);
    stream.on('close', () => {
      streams.delete(stream);
      idleSinceMs = nowMs();
    });
    // grpc-js has paused it, so that this listener hears what grpc-js takes and makes nothing flow.
    stream.on('data', (chunk: Uint8Array) => {
      const before = open.framing.pending;
      open.framing.take(chunk);
      if (open.framing.pending > before && partyHolds().begun > SESSION.begun)
        stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  });

  /** Why a stream is not to go on. */
  const late = (stream: ServerHttp2Stream, open: Open, atMs: number): boolean => {
    const { writableLength } = stream;
    if (writableLength === 0 || writableLength !== open.waiting) {
      open.waiting = writableLength;
      open.waitingSinceMs = atMs;
    }
    const patienceMs = SESSION.stallMs + (1000 * open.waiting) / SESSION.slowest;
    if (open.waiting > 0 && atMs - open.waitingSinceMs > patienceMs) return true;
    return open.framing.whole === 0 && atMs - open.sinceMs > SESSION.messageMs;
  };
  const ping = (atMs: number): void => {
    if (!options.pings || unanswered || session.destroyed || atMs - pingMs < SESSION.pingMs) return;
    pingMs = atMs;
    unanswered = session.ping((error) => {
      if (error === null) unanswered = false;
    });
  };

  return {
    idle: () => streams.size === 0 || (unanswered && nowMs() - pingMs > SESSION.owedMs),
    answers: () => !unanswered,
    held() {
      let unread = 0;
      let begun = 0;
      for (const [stream, open] of streams) {
        unread += stream.writableLength;
        begun += open.framing.pending;
      }
      return { unread, begun };
    },
    fault: () => fault,
    look(atMs) {
      if (fault !== null) return { cause: fault, gently: false };
      if (!greeted && atMs - startedMs > SESSION.greetMs)
        return { cause: 'sent no HTTP/2 in time', gently: false };
      if (streams.size === 0 && atMs - idleSinceMs > SESSION.idleMs)
        return { cause: 'was idle', gently: true };
      if (unanswered && atMs - pingMs > SESSION.pongMs)
        return { cause: 'no longer answers', gently: false };
      for (const [stream, open] of streams)
        if (late(stream, open, atMs)) stream.close(constants.NGHTTP2_CANCEL);
      ping(atMs);
      return null;
    },
  };
}
