import { connect, type Socket } from 'node:net';

/**
 * What a listener did: `answers` when its program did anything at all, `silent` when the kernel
 * accepted and nobody did anything, `refused` when nobody listens. `none`: it could not be asked
 * from here, or it is not on this host.
 */
export type Knock = 'answers' | 'silent' | 'refused' | 'none';

/** A listener that is just being closed resets what it had not accepted yet: it is asked once more. */
const RESETS = 3;
/** Errors of connect(2) that speak of this side of the connection. */
const OURS = /^(EMFILE|ENFILE|ENOBUFS|ENOMEM|EADDRNOTAVAIL|ENETUNREACH|EHOSTUNREACH|EACCES|EPERM)$/;

/**
 * A connection to HOST:PORT on this host that is closed from here at once: HAProxy closes it too,
 * or answers, whatever the frontend speaks. A kernel accepts for a program that is frozen as well;
 * that one does neither within `deadlineMs`.
 */
export async function knock(host: string, port: number, deadlineMs: number): Promise<Knock> {
  return untilNoReset(() => once(host, port, deadlineMs));
}

/** Asks again after a reset, a few times; who goes on resetting is there. */
export async function untilNoReset(ask: () => Promise<Knock | 'reset'>): Promise<Knock> {
  for (let tries = 1; ; tries++) {
    const said = await ask();
    if (said !== 'reset') return said;
    if (tries === RESETS) return 'answers';
  }
}

function once(host: string, port: number, deadlineMs: number): Promise<Knock | 'reset'> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const done = (said: Knock | 'reset'): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(said);
    };
    const late = setTimeout(() => done('silent'), deadlineMs);
    socket.on('connect', () => {
      // The address of a VIP that another host has leads there.
      if (isHere(socket)) socket.end();
      else done('none');
    });
    socket.on('data', () => done('answers'));
    socket.on('end', () => done('answers'));
    socket.on('error', (error) => done(ofError(error)));
  });
}

/** Both ends of a connection within one host have one address. */
export const isHere = ({ localAddress, remoteAddress }: Socket): boolean =>
  localAddress !== undefined && localAddress === remoteAddress;

/** What an error of a connection says of the listener. */
export function ofError(error: Error): Knock | 'reset' {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return OURS.test(code) ? 'none' : 'answers';
}
