import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../sys/clock.ts';
import { othersTurn } from '../sys/turn.ts';
import { arrivals } from './arrivals.ts';
import type { Door } from './bound.ts';
import { readOn } from './http2-server.ts';
import { looks } from './looks.ts';
import { watchSession, type Held, type SessionWatch } from './session-watch.ts';
import { SHARES, keyOf, kindOf, sourceOf, spare, whoGoes } from './shares.ts';
import type { Party, Shares, Sitting } from './shares.ts';
import { strangers, type DoorEvents } from './strangers.ts';

/** From the arrival of a connection over TCP to the end of its TLS handshake, ms. */
export const HANDSHAKE_MS = 5000;
/** What was ended gently, or by the client alone, is cut after this, ms. */
const LINGER_MS = 2000;
/** Turns of the loop in which a connection that ended is read to its end and known as over. */
const HEARD_TURNS = 4;

/** A connection that has a place. */
export interface Seat {
  /** Whose it is, from now on; null: nobody's who is known here. False: there is no room for it, and it was cut. */
  admit(party: Party | null): boolean;
  /** Its HTTP/2 session, right after its beginning. */
  watch(session: ServerHttp2Session): void;
  /** Why it ends by itself, where that is known better than "closed". */
  because(cause: string): void;
}

/** Every connection of an agent, each with its place in a share. */
export interface Doors {
  /**
   * Who has just come, and what to do once there is room: at once, or when those of its kind that
   * are gone have been heard to go. Without room the connection is cut.
   */
  arrive(door: Door, socket: Socket, enter: (seat: Seat) => void): void;
  /**
   * Cuts up to `count` connections that can be spared, for their descriptors: strangers first, then
   * those of operators and of the unix socket on which nothing is asked; never a peer's. Says how many.
   */
  shed(count: number): number;
  /** How many connections there are of each kind. */
  counts(): Readonly<Record<keyof Shares, number>>;
  /** Says what was not said yet, and looks no more. */
  close(): void;
}

interface Sat extends Sitting {
  readonly socket: Socket;
  party: Party | null;
  readonly sinceMs: number;
  /** When it was known whose it is, or that it is nobody's; null: the handshake is not over. */
  enteredMs: number | null;
  session: ServerHttp2Session | null;
  watch: SessionWatch | null;
  /** Since when it is on its way out; null: it is not. */
  endingMs: number | null;
  /** Why it ended, for who counts; '' is nothing to speak of. */
  cause: string | null;
}

/**
 * `peerSources` are the addresses of the configured peers. `refused` hears of a connection of
 * somebody known that was cut for what it did or for want of room.
 */
export function doors(options: {
  readonly clock: Clock;
  readonly events: DoorEvents;
  readonly refused: (who: string, why: string) => void;
  readonly peerSources: readonly string[];
  readonly shares?: Shares;
  /** Descriptors are short: none is given to a source that nobody known comes from. */
  readonly scarce?: () => boolean;
}): Doors {
  const { clock, shares = SHARES, scarce = () => false } = options;
  const seats = new Set<Sat>();
  const told = strangers(clock, options.events);
  const rate = arrivals(clock, options.peerSources.map(sourceOf));

  const cut = (seat: Sat, cause: string): void => {
    seat.cause ??= cause;
    seat.endingMs ??= clock.nowMs();
    seats.delete(seat);
    // Not now: from within a handshake's callback OpenSSL would go on with memory that is freed.
    setImmediate(() => seat.socket.destroy());
  };
  const gone = (seat: Sat): void => {
    seats.delete(seat);
    const fault = seat.watch?.fault() ?? null;
    if (seat.party !== null) {
      const why = seat.cause ?? fault ?? '';
      if (why !== '') options.refused(seat.party.name, why);
      return;
    }
    const left =
      seat.enteredMs === null ? 'left before its TLS handshake was over' : 'is nobody known here';
    const cause = seat.cause ?? fault ?? left;
    if (cause !== '') told.count(seat.source, cause);
  };
  /** Makes room where somebody can be spared; whether there is some. */
  const makesRoom = (newcomer: Sat): boolean => {
    for (;;) {
      const goes = whoGoes(seats, newcomer, shares, rate.known);
      if (goes === 'nobody') return true;
      if (goes === 'newcomer') return false;
      if (goes.party === null && rate.known.has(goes.source) && goes.enteredMs === null)
        told.keptOut(
          `connections from ${goes.source}, where peers or operators come from, were cut before it was known whose they are`,
        );
      cut(goes, newcomer.party === null ? 'made room for other strangers' : '');
    }
  };
  const refuse = (newcomer: Sat): void => {
    const { party } = newcomer;
    const { total, each } = shares[kindOf(newcomer)];
    const why = `there are ${each} connections of it or ${total} of its kind, all in use`;
    if (party !== null) told.keptOut(`a connection of ${party.name} was refused: ${why}`);
    cut(newcomer, `was refused: ${why}`);
  };
  const isFull = (newcomer: Sat): boolean =>
    whoGoes(seats, newcomer, shares, rate.known) !== 'nobody';
  /** The same, once those of its kind that are gone have been heard to go: they go first. */
  const findsRoom = async (newcomer: Sat): Promise<boolean> => {
    for (const seat of seats) if (kindOf(seat) === kindOf(newcomer)) readOn(seat.socket);
    for (let turn = 0; turn < HEARD_TURNS; turn++) await othersTurn();
    return makesRoom(newcomer);
  };

  const end = (seat: Sat, { cause, gently }: { cause: string; gently: boolean }): void => {
    if (!gently) {
      seat.session?.destroy();
      cut(seat, cause);
      return;
    }
    seat.cause ??= '';
    seat.endingMs = clock.nowMs();
    seat.session?.close();
  };
  const look = (): void => {
    const nowMs = clock.nowMs();
    for (const seat of seats) {
      if (seat.endingMs !== null) {
        if (nowMs - seat.endingMs > LINGER_MS) cut(seat, '');
      } else if (seat.enteredMs === null) {
        if (nowMs - seat.sinceMs > HANDSHAKE_MS) cut(seat, 'took too long for its TLS handshake');
      } else if (seat.watch === null) {
        if (nowMs - seat.enteredMs > HANDSHAKE_MS) cut(seat, 'spoke no HTTP/2');
      } else {
        if (!seat.watch.answers()) readOn(seat.socket);
        const over = seat.watch.look(nowMs);
        if (over !== null) end(seat, over);
      }
    }
  };
  const looking = looks(clock, () => seats.size > 0, look);

  const partyHolds = (seat: Sat): Held => {
    let unread = 0;
    let begun = 0;
    for (const other of seats) {
      if (other.watch === null || kindOf(other) !== kindOf(seat)) continue;
      if (keyOf(other) !== keyOf(seat)) continue;
      const held = other.watch.held();
      unread += held.unread;
      begun += held.begun;
    }
    return { unread, begun };
  };

  return {
    arrive(door, socket, enter) {
      const local = door !== 'tls';
      const source = local ? 'unix socket' : sourceOf(socket.remoteAddress ?? '');
      const nowMs = clock.nowMs();
      const seat: Sat = {
        socket,
        source,
        party: LOCAL[door],
        sinceMs: nowMs,
        enteredMs: local ? nowMs : null,
        session: null,
        watch: null,
        endingMs: null,
        cause: null,
        gone: () => socket.readableEnded || socket.destroyed,
        idle: () => seat.watch?.idle() ?? true,
      };
      socket.on('error', () => undefined);
      if (!local && !rate.known.has(source) && scarce()) {
        told.count(source, 'came while no file descriptor was left');
        socket.destroy();
        return;
      }
      if (!local && !rate.take(source)) {
        if (rate.known.has(source))
          told.keptOut(`more connections came from ${source} in a second than are taken`);
        told.count(source, 'more connections in a second than are taken');
        socket.destroy();
        return;
      }
      socket.on('close', () => gone(seat));
      const given: Seat = {
        admit(party) {
          if (socket.destroyed || !seats.delete(seat)) return false;
          seat.party = party;
          seat.enteredMs = clock.nowMs();
          if (!makesRoom(seat)) {
            refuse(seat);
            return false;
          }
          seats.add(seat);
          if (party !== null) rate.giveBack(source);
          return true;
        },
        watch(session) {
          seat.session = session;
          const pings = seat.party?.kind !== 'peer';
          const holds = () => partyHolds(seat);
          const nowMs = () => clock.nowMs();
          seat.watch = watchSession(session, { nowMs, pings, partyHolds: holds });
          session.on('close', () => (seat.endingMs ??= clock.nowMs()));
        },
        because(cause) {
          seat.cause ??= cause;
        },
      };
      const sit = (hasRoom: boolean): void => {
        if (socket.destroyed) return;
        if (!hasRoom) return refuse(seat);
        seats.add(seat);
        looking.begin();
        enter(given);
      };
      if (local && isFull(seat)) void findsRoom(seat).then(sit);
      else sit(makesRoom(seat));
    },
    shed(count) {
      const some = spare(seats, rate.known).slice(0, count);
      for (const seat of some) cut(seat, seat.party === null ? 'made room' : '');
      return some.length;
    },
    counts() {
      const counts = { stranger: 0, operator: 0, peer: 0, socket: 0, root: 0 };
      for (const seat of seats) counts[kindOf(seat)] += 1;
      return counts;
    },
    close() {
      looking.end();
      told.close();
    },
  };
}

/** Whose a connection is that comes by a unix socket. */
const LOCAL: Readonly<Record<Door, Party | null>> = {
  tls: null,
  local: { kind: 'socket', name: 'the unix socket' },
  admin: { kind: 'root', name: 'admin.sock' },
};
