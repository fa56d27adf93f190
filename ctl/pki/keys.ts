import { KeyObject, createPrivateKey, webcrypto } from 'node:crypto';

/** P-256 with SHA-256: what TLS 1.3 has in every implementation. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A new key pair. */
export const generate = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** A PEM key without a passphrase as webcrypto has it. Rejects for one that is not P-256. */
export async function importKey(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const { d: _secret, ...open } = createPrivateKey(keyPem).export({ format: 'jwk' });
  const pkcs8 = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', open, ALGORITHM, true, ['verify']),
  };
}

/** A key as PKCS #8 in PEM, encrypted where a passphrase is given. */
export function exportKey(key: webcrypto.CryptoKey, passphrase: string | null = null): string {
  const form = { type: 'pkcs8', format: 'pem' } as const;
  const whole = KeyObject.from(key);
  if (passphrase === null) return whole.export(form).toString();
  return whole.export({ ...form, cipher: 'aes-256-cbc', passphrase }).toString();
}
