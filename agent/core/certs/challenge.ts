import { ActFailure } from '../results.ts';
import { CHALLENGE_PREFIX, inForce, type Intents } from '../intents.ts';
import type { Intent } from '../model.ts';

/** Tokens of ACME http-01 (RFC 8555, 8.3) as intents: `acme/TOKEN` = key authorization. */

/** RFC 8555, 8.1: base64url of at least 128 bits; 22 characters. The upper limit is ours. */
const TOKEN = /^[A-Za-z0-9_-]{22,256}$/;
/** A dot and the SHA-256 of the account key, base64url (RFC 7638). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

export const isToken = (text: string): boolean => TOKEN.test(text);

/** True for TOKEN.THUMBPRINT of this token. */
export const isKeyAuthorization = (token: string, text: string): boolean =>
  text.startsWith(`${token}.`) && THUMBPRINT.test(text.slice(token.length + 1));

export const challengeKey = (token: string): string => `${CHALLENGE_PREFIX}${token}`;

/** The token of an intent; null for any other intent. */
export function tokenOf({ key }: Pick<Intent, 'key'>): string | null {
  if (!key.startsWith(CHALLENGE_PREFIX)) return null;
  const token = key.slice(CHALLENGE_PREFIX.length);
  return isToken(token) ? token : null;
}

/** What is to be answered for a token; null when it is unknown, taken back, past its end or not of ACME's form. */
export function keyAuthorization(intents: Intents, token: string, wallMs: number): string | null {
  if (!isToken(token)) return null;
  const intent = intents.get(challengeKey(token));
  if (intent === undefined || !inForce(intent, wallMs)) return null;
  return isKeyAuthorization(token, intent.value) ? intent.value : null;
}

/** The intent for logs and screens: a key authorization is for the CA alone. */
export const withoutKeyAuthorization = (intent: Intent): Intent =>
  intent.key.startsWith(CHALLENGE_PREFIX) && !intent.deleted
    ? { ...intent, value: 'presented' }
    : intent;

/** Throws ActFailure 'usage' with what is wrong with them; `keyAuth` null: only the token counts. */
export function checkChallenge(token: string, keyAuth: string | null): void {
  if (!isToken(token))
    throw wrong(
      'the token is not one of ACME',
      'it has 22 to 256 letters, digits, - or _',
      'give the token of the challenge, without path and without dot',
    );
  if (keyAuth !== null && !isKeyAuthorization(token, keyAuth))
    throw wrong(
      'the key authorization does not belong to the token',
      'it is TOKEN, a dot and the 43 characters of the account key',
      'give what the client hands its hook, such as CERTBOT_VALIDATION',
    );
}

const wrong = (message: string, cause: string, remediation: string): ActFailure =>
  new ActFailure('usage', { code: 'bad_challenge', message, cause, remediation });
