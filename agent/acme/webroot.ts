import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isKeyAuthorization, isToken } from '../core/certs/challenge.ts';
import type { Member } from '../core/member.ts';
import { PATH } from './ask.ts';

/** What a client leaves in a file is a key authorization of 300 characters at most. */
const LONGEST = 512;
/** Questions for unknown tokens, which anybody may ask, that are passed on at once. */
const MOST = 16;

/**
 * The key authorization in WEBROOT/.well-known/acme-challenge/TOKEN; null where
 * there is none, no webroot, or something else in the file. Follows no link.
 */
export async function challengeInFile(webroot: string, token: string): Promise<string | null> {
  if (webroot === '' || !isToken(token)) return null;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(join(webroot, PATH, token), flags);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(LONGEST), 0, LONGEST, 0);
      const text = buffer.toString('latin1', 0, bytesRead).trim();
      return isKeyAuthorization(token, text) ? text : null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

export interface AnswerSources {
  /** Empty: only what is stored is answered. */
  readonly webroot: string;
  /** What was presented. */
  readonly stored: (token: string) => string | null;
  /** The other nodes, asked for what lies in their webroots. */
  readonly peers: readonly Pick<Member, 'findChallenge'>[];
}

/**
 * What the responder answers for a token: what was presented, else what a
 * client wrote into the webroot of this node, else into a peer's. So a client
 * that knows only webroots works on a pair, whichever host the CA reaches.
 */
export function challengeAnswers({ webroot, stored, peers }: AnswerSources) {
  let asking = 0;
  return async (token: string): Promise<string | null> => {
    const presented = stored(token);
    if (presented !== null || webroot === '') return presented;
    const own = await challengeInFile(webroot, token);
    if (own !== null || asking >= MOST) return own;
    asking++;
    try {
      return await Promise.any(
        peers.map(async (peer) => {
          const text = await peer.findChallenge(token);
          if (!isKeyAuthorization(token, text)) throw new Error('it has none');
          return text;
        }),
      );
    } catch {
      return null;
    } finally {
      asking--;
    }
  };
}
