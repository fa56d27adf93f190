import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ActFailure } from '../core/results.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import type { Calling, Origin } from './access.ts';
import { fullBucket, refilled, type Bucket, type Rate } from './bucket.ts';
import { calledAs } from './called.ts';
import { failureToStatus } from './failures.ts';
import { lanes } from './lanes.ts';

/** What one caller may ask: so many calls at once, so many a second after a burst. */
export interface Share extends Rate {
  readonly atOnce: number;
}

/** By who calls: operators each by their certificate, a unix socket as a whole, peers each. */
export const CALLS: Readonly<Record<'operator' | 'socket' | 'peer', Share>> = {
  operator: { atOnce: 32, perSecond: 50, burst: 200 },
  socket: { atOnce: 128, perSecond: 200, burst: 1000 },
  peer: { atOnce: 128, perSecond: 500, burst: 2000 },
};

/** Requests are looked at only up to so many bytes; what is not named here takes MOST_BYTES. */
export const BYTES: Readonly<Record<string, number>> = {
  status: 1 << 10,
  explain: 64 << 10,
  history: 64 << 10,
  doctor: 64 << 10,
  servers: 4 << 10,
  show: 4 << 10,
  readConfig: 256 << 10,
  audit: 1 << 10,
  fetchAudit: 1 << 10,
  events: 64 << 10,
  fetchEvents: 64 << 10,
  testNotify: 1 << 10,
  certificates: 1 << 10,
  move: 128 << 10,
  setMaintenance: 8 << 10,
  setAutomation: 8 << 10,
  setChallenge: 8 << 10,
  drill: 8 << 10,
  drillSeen: 8 << 10,
};
/** The longest message of all: what grpc-js takes. */
export const MOST_BYTES = 4 << 20;

/** What costs a node much is done one after the other, in the lane of what it costs. */
export const LANES: Readonly<Record<string, string>> = {
  doctor: 'inspection',
  certificates: 'inspection',
  show: 'haproxy',
  readConfig: 'config',
  servers: 'haproxy',
  audit: 'audit',
  fetchAudit: 'audit',
  events: 'events',
  fetchEvents: 'events',
  testNotify: 'notify',
};

/** Who has called lately is known for so long, ms. */
const REMEMBER_MS = 60_000;
/** So many callers are told apart; more are one. */
const MOST_CALLERS = 1000;

interface Caller extends Bucket {
  atOnce: number;
}

interface Call extends Calling {
  readonly request?: unknown;
  readonly cancelled?: boolean;
  on(event: string, listener: () => void): unknown;
  emit(event: 'error', error: unknown): unknown;
}
type Reply = (error: unknown, value?: unknown) => void;
type Handler = (call: Call, reply?: Reply) => void;

/** A request that was not decoded, for it is longer than any that is meant. */
class TooLong {
  readonly bytes: number;
  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

/**
 * One node's limits for calls, whichever listener they come by. What is over one is refused with
 * RESOURCE_EXHAUSTED and a sentence (proxyctl: exit 9), and `counted` hears of it.
 */
export function callLimits(
  clock: Pick<Clock, 'nowMs'>,
  counted: (origin: Origin, call: Calling, what: string, failure: ActFailure) => void,
  shares: Readonly<Record<keyof typeof CALLS, Share>> = CALLS,
) {
  const callers = new Map<string, Caller>();
  const lane = lanes();

  /** The caller's account, with the tokens that time has given back. */
  const account = (name: string, share: Share): Caller => {
    const nowMs = clock.nowMs();
    if (callers.size >= MOST_CALLERS)
      for (const [key, { atOnce, atMs }] of callers)
        if (atOnce === 0 && nowMs - atMs > REMEMBER_MS) callers.delete(key);
    const key = callers.size < MOST_CALLERS || callers.has(name) ? name : 'others';
    const known = callers.get(key) ?? { atOnce: 0, ...fullBucket(share, nowMs) };
    callers.set(key, known);
    return refilled(known, share, nowMs);
  };

  /** Takes one call of the caller, or throws ActFailure; the returned function ends it. */
  const enter = (name: string, share: Share, what: string): (() => void) => {
    const caller = account(name, share);
    if (caller.atOnce >= share.atOnce)
      throw tooMany(what, `${share.atOnce} calls of this caller are under way`);
    if (caller.tokens < 1) throw tooMany(what, `more than ${share.perSecond} calls a second`);
    caller.tokens -= 1;
    caller.atOnce += 1;
    return once(() => {
      caller.atOnce -= 1;
    });
  };

  return {
    /** A service whose handlers are reached within the limits only. */
    guarded(
      definition: ServiceDefinition,
      handlers: UntypedServiceImplementation,
      origin: Origin,
    ): [ServiceDefinition, UntypedServiceImplementation] {
      const bounded: Record<string, ServiceDefinition[string]> = {};
      const guarded: Record<string, Handler> = {};
      for (const [name, method] of Object.entries(definition)) {
        const most = BYTES[name] ?? MOST_BYTES;
        bounded[name] = {
          ...method,
          requestDeserialize: (bytes: Buffer): unknown =>
            bytes.length > most ? new TooLong(bytes.length) : method.requestDeserialize(bytes),
          // What was long was encoded in pieces: see InPieces.
          responseSerialize: (value: unknown): Buffer =>
            Buffer.isBuffer(value) ? value : method.responseSerialize(value),
        };
        // grpc-js has no narrower type for handlers of any method.
        const handle = handlers[name] as unknown as Handler;
        const what = calledAs(name);
        guarded[name] = (call, reply) => {
          const [caller, share] = whose(origin, call, method.path, shares);
          let leave = (): void => undefined;
          const refuse = (error: unknown): void => {
            leave();
            const failure = error instanceof ActFailure ? error : tooMany(what, sentence(error));
            counted(origin, call, what, failure);
            if (reply) reply(failureToStatus(failure));
            else {
              call.on('error', () => undefined);
              call.emit('error', failureToStatus(failure));
            }
          };
          try {
            leave = enter(caller, share, what);
            if (call.request instanceof TooLong) throw tooLong(what, call.request.bytes, most);
          } catch (error) {
            refuse(error);
            return;
          }
          let left = leave;
          const start = (): void =>
            handle(
              call,
              reply &&
                ((...answer) => {
                  left();
                  reply(...answer);
                }),
            );
          if (!reply)
            for (const end of ['close', 'finish', 'cancelled']) call.on(end, () => left());
          const heavy = LANES[name];
          if (heavy === undefined) {
            start();
            return;
          }
          const inTurn = async (): Promise<void> => {
            const done = await lane.take(heavy, caller);
            left = once(() => {
              done();
              leave();
            });
            if (call.cancelled === true && !reply) left();
            else start();
          };
          inTurn().catch(refuse);
        };
      }
      return [bounded, guarded];
    },
  };
}

/** Whom a call counts for. */
function whose(origin: Origin, call: Call, path: string, shares: typeof CALLS): [string, Share] {
  if (origin.kind === 'socket') return [`unix socket, ${origin.role}`, shares.socket];
  const name = call.getAuthContext().sslPeerCertificate?.subjectaltname ?? call.getPeer();
  return [name, path.startsWith('/proxyctl.v1.Peer/') ? shares.peer : shares.operator];
}

const once = (act: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
};

const tooMany = (what: string, why: string): ActFailure =>
  new ActFailure('conflict', {
    code: 'too_many',
    message: `${what} was not taken: ${why}`,
    remediation: 'wait a second and ask again, with fewer at once',
    retryable: true,
  });

const tooLong = (what: string, bytes: number, most: number): ActFailure =>
  new ActFailure('conflict', {
    code: 'too_long',
    message: `${what} was not read: it has ${bytes} bytes, at most ${most} are taken`,
    remediation: 'name less at once',
  });
