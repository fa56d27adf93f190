import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { sentence } from '../core/words.ts';
import { isSystemError } from '../sys/files.ts';
import { OrderFailure } from './failure.ts';

/** Signs what goes to the CA, as RFC 8555, 6.2 and RFC 7518 want it. */
export interface AccountKey {
  readonly alg: 'ES256' | 'RS256';
  readonly jwk: Readonly<Record<string, string>>;
  /** RFC 7638, base64url. */
  readonly thumbprint: string;
  sign(text: string): string;
}

/**
 * Reads the key, PEM, EC P-256 or RSA; makes an EC one, 0600, where the file is
 * absent. Throws OrderFailure where it is no such key or others can read it.
 */
export async function accountKey(path: string): Promise<AccountKey> {
  const text = (await existing(path)) ?? (await made(path));
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw wrong(path, 'is no private key in PEM');
  }
  return usable(path, key);
}

async function existing(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) !== 0)
        throw new OrderFailure(
          `the account key ${path} can be read by others`,
          `chmod 600 ${path}`,
          'unreachable',
        );
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    if (isSystemError(error, 'EACCES')) throw notOurs(path);
    throw error instanceof OrderFailure ? error : wrong(path, `cannot be read: ${sentence(error)}`);
  }
}

async function made(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new OrderFailure(
      `the account key ${path} cannot be made: ${sentence(error)}`,
      `a directory that ${user()} may write, in [acme] account_key`,
      'unreachable',
    );
  }
  return text;
}

function usable(path: string, key: KeyObject): AccountKey {
  const { kty = '', crv = '', x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  const isRsa = key.asymmetricKeyType === 'rsa';
  if (!isRsa && crv !== 'P-256') throw wrong(path, 'is neither EC P-256 nor RSA');
  // The order of the members is RFC 7638's: what is hashed is this text.
  const jwk: Record<string, string> = isRsa ? { e, kty, n } : { crv, kty, x, y };
  return {
    alg: isRsa ? 'RS256' : 'ES256',
    jwk,
    thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
    sign: (text) =>
      sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  };
}

/** None of these has reached the CA: it counts nothing for them. */
const wrong = (path: string, what: string): OrderFailure =>
  new OrderFailure(
    `the account key ${path} ${what}`,
    'put the right key there, or move the file away: a new account is made',
    'unreachable',
  );

/** As when root put it there for an agent that gives up root. */
const notOurs = (path: string): OrderFailure =>
  new OrderFailure(
    `the account key ${path} may not be read by ${user()}, as whom the agent runs (EACCES)`,
    `chown ${user()} ${path}; and its directory must let ${user()} pass`,
    'unreachable',
  );

function user(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
