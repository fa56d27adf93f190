import type { GossipMessage } from '../core/gossip.ts';
import type { Member } from '../core/member.ts';
import type { Clock } from '../sys/clock.ts';
import { dial } from './dial.ts';
import type { Connection, LinkTiming } from './dial.ts';
import type { Hello } from './hello.ts';
import type { LinkEnd, LinkHow } from './link-end.ts';
import { peerCalls } from './peer-calls.ts';
import type { Tls } from './tls.ts';

export interface LinksOptions {
  /** IP literals with ports, tried in turn. */
  readonly peers: readonly { readonly node: string; readonly address: readonly string[] }[];
  readonly tls: Tls;
  readonly clock: Clock;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  readonly timing?: Partial<LinkTiming>;
}

/** Who is at this end of the links. */
export interface LinkHandlers {
  readonly hello: () => Hello;
  readonly onConnected: (node: string, theirs: Hello) => void;
  /**
   * An open link ended, or every address was tried once more in vain: then it is
   * the most telling end of those. `tcpAnswered`: the peer's kernel accepted the connection.
   */
  readonly onClosed: (node: string, how: LinkHow, cause: string, tcpAnswered: boolean) => void;
  /** What the other side says on the stream we opened, its hello excepted. */
  readonly onReply: (node: string, message: GossipMessage) => void;
}

export interface Links {
  /** Dials every peer, and from now on for ever. Throws TypeError for a malformed address. */
  open(handlers: LinkHandlers): void;
  /** False: not connected, and the message is gone; onConnected says when to say it all again. */
  send(node: string, message: GossipMessage): boolean;
  /** Throws for a node that is no peer. */
  peerCalls(node: string): Member;
  /** The peer was just heard of: a link that waits for its next try dials now. */
  hurry(node: string): void;
  /**
   * The TLS files have changed: every open link is dialled once more and takes the place of the
   * one that stands, so that nothing is interrupted. Where that fails the old one stays.
   */
  renew(): void;
  /** Writes what waits (a goodbye), ends every stream and dials no more. */
  close(): Promise<void>;
}

const TIMING: LinkTiming = { dialMs: 2000, pingMs: 1000, silenceMs: 4000, stallMs: 5000 };
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
/** A link that stood for so long starts again with the shortest wait. */
const STEADY_MS = 5000;
/** Which of several ends says most about the peer's host. */
const TELLING: readonly LinkHow[] = [
  'rejected',
  'tls',
  'reset',
  'ended',
  'refused',
  'timeout',
  'unreachable',
  'exhausted',
];

/**
 * One gossip stream to every peer, kept for ever once it is opened: made first, so that whoever
 * sends over it need not wait for those who answer.
 */
export function makeLinks(options: LinksOptions): Links {
  const links = new Map(options.peers.map((peer) => [peer.node, makeLink(peer, options)]));
  return {
    open(handlers) {
      for (const link of links.values()) link.open(handlers);
    },
    send: (node, message) => links.get(node)?.send(message) ?? false,
    peerCalls(node) {
      const link = links.get(node);
      if (link === undefined) throw new TypeError(`${node} is no configured peer`);
      return link.calls;
    },
    hurry: (node) => links.get(node)?.hurry(),
    renew() {
      for (const link of links.values()) link.renew();
    },
    async close() {
      await Promise.all(Array.from(links.values(), (link) => link.close()));
    },
  };
}

function makeLink(peer: LinksOptions['peers'][number], options: LinksOptions) {
  const { clock } = options;
  const { node } = peer;
  let handlers: LinkHandlers | null = null;
  let connection: Connection | null = null;
  /** Dialled to take the place of `connection`. */
  let next: Connection | null = null;
  let openedAtMs: number | null = null;
  let why = 'not connected yet';
  let place = 0;
  let fruitless: LinkEnd[] = [];
  let retries = 0;
  let cancelRetry: () => void = () => undefined;
  let closed = false;

  const dialPlace = (
    { hello, onReply }: LinkHandlers,
    opened: (theirs: Hello) => void,
    ended: (end: LinkEnd) => void,
  ): Connection => {
    const address = peer.address[place];
    if (address === undefined) throw new TypeError(`${node} has no address`);
    return dial({
      node,
      address,
      tls: options.tls,
      clock,
      timing: { ...TIMING, ...options.timing },
      hello,
      opened,
      reply: (message) => onReply(node, message),
      ended,
    });
  };

  const connect = (): void => {
    if (handlers === null) return;
    const { onConnected } = handlers;
    const opened = (theirs: Hello): void => {
      openedAtMs = clock.nowMs();
      fruitless = [];
      onConnected(node, theirs);
    };
    connection = dialPlace(handlers, opened, ended);
  };

  const renew = (): void => {
    if (handlers === null || connection === null || openedAtMs === null || closed) return;
    const { onConnected } = handlers;
    next?.close(() => undefined);
    const one: Connection = dialPlace(
      handlers,
      (theirs) => {
        next = null;
        cancelRetry();
        connection?.retire();
        connection = one;
        openedAtMs = clock.nowMs();
        onConnected(node, theirs);
      },
      (end) => {
        if (connection === one) ended(end);
        else if (next === one) next = null;
      },
    );
    next = one;
  };

  const ended = (end: LinkEnd) => {
    connection = null;
    why = end.cause;
    const wasOpen = openedAtMs !== null;
    if (openedAtMs !== null && clock.nowMs() - openedAtMs >= STEADY_MS) retries = 0;
    openedAtMs = null;
    // A link that stood is dialled again where it stood; an address that did not answer gives way to the next.
    if (!wasOpen) {
      fruitless.push(end);
      place = (place + 1) % peer.address.length;
      if (fruitless.length < peer.address.length) {
        connect();
        return;
      }
    }
    const ends = wasOpen ? [end] : fruitless;
    fruitless = [];
    const rank = ({ how }: LinkEnd) => TELLING.indexOf(how);
    const telling = ends.reduce((best, one) => (rank(one) < rank(best) ? one : best), end);
    const backoffMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** retries++);
    cancelRetry = clock.after(backoffMs * (1 - options.random() / 2), connect);
    handlers?.onClosed(node, telling.how, telling.cause, telling.tcpAnswered);
  };

  return {
    open(given: LinkHandlers): void {
      handlers = given;
      connect();
    },
    send(message: GossipMessage): boolean {
      if (connection === null || openedAtMs === null || closed) return false;
      connection.send(message);
      return true;
    },
    calls: peerCalls(
      node,
      () => (connection !== null && openedAtMs !== null && !closed ? connection.client : why),
      clock,
    ),
    hurry() {
      if (connection !== null || closed) return;
      cancelRetry();
      retries = 0;
      connect();
    },
    renew,
    close: () =>
      new Promise<void>((resolve) => {
        closed = true;
        next?.close(() => undefined);
        why = 'this agent is stopping';
        cancelRetry();
        if (connection === null) resolve();
        else connection.close(resolve);
      }),
  };
}
