import { execFileSync, spawnSync } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  verify,
} from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { accountKey } from '../../agent/acme/account-key.ts';
import { certificateRequest } from '../../agent/acme/csr.ts';
import { OrderFailure } from '../../agent/acme/failure.ts';
import { shortFolder } from '../haproxy/haproxy.ts';

const openssl = spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;

for (const count of [1, 2, 100])
  (openssl ? test : test.skip)(
    `openssl verifies a request for ${count} names and reads them all`,
    (t) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = Array.from({ length: count }, (_, at) => `host${at}.example.net`);
      const input = certificateRequest(privateKey, names);
      const options = ['req', '-inform', 'DER', '-verify', '-noout', '-text'];
      const text = execFileSync('openssl', options, { input, encoding: 'utf8', stdio: 'pipe' });
      t.deepEqual(
        [...text.matchAll(/DNS:([^,\s]+)/g)].map(([, name]) => name),
        names,
      );
      t.regex(text, /Signature Algorithm: ecdsa-with-SHA256/);
    },
  );

test('an absent account key is made once, for its owner alone, and signs what its JWK verifies', async (t) => {
  const path = join(shortFolder(t), 'account.key');
  const made = await accountKey(path);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is((await accountKey(path)).thumbprint, made.thumbprint);
  const key = createPublicKey({ key: { ...made.jwk }, format: 'jwk' });
  const signature = Buffer.from(made.sign('a.b'), 'base64url');
  t.true(verify('sha256', Buffer.from('a.b'), { key, dsaEncoding: 'ieee-p1363' }, signature));
  t.is(made.alg, 'ES256');
});

test("an RSA key of another client is used; its thumbprint is RFC 7638's", async (t) => {
  const path = join(shortFolder(t), 'account.key');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const { alg, thumbprint } = await accountKey(path);
  const { n, e } = createPrivateKey(readFileSync(path)).export({ format: 'jwk' });
  const text = `{"e":"${e}","kty":"RSA","n":"${n}"}`;
  t.deepEqual([alg, thumbprint], ['RS256', createHash('sha256').update(text).digest('base64url')]);
});

test('a key that others can read, or that is none, is refused with what to do', async (t) => {
  const path = join(shortFolder(t), 'account.key');
  const refused = async (): Promise<string[]> => {
    const error = await t.throwsAsync(accountKey(path), { instanceOf: OrderFailure });
    return [error.message.replace(path, 'KEY'), error.remedy.replace(path, 'KEY')];
  };
  const other = 'put the right key there, or move the file away: a new account is made';
  writeFileSync(path, 'nothing\n', { mode: 0o600 });
  t.deepEqual(await refused(), ['the account key KEY is no private key in PEM', other]);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  t.deepEqual(await refused(), ['the account key KEY is neither EC P-256 nor RSA', other]);
  chmodSync(path, 0o640);
  t.deepEqual(await refused(), ['the account key KEY can be read by others', 'chmod 600 KEY']);
});
