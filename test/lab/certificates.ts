import { webcrypto, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createCrl } from '../../ctl/pki/crl.ts';
import { bundle, issue, type Issued } from '../certs/bundles.ts';
import { SERVERS } from './haproxy-config.ts';
import { HOOK, moreList, type LabPlan } from './plan.ts';

const DAY_MS = 86_400_000;

/** Names the lab's site certificate covers. */
export const SITE_NAMES: readonly string[] = [
  'www.example.net',
  // What setup's answers call TORRENT.
  'transmission.example.net',
  ...new Set(
    SERVERS.filter(({ backend }) => backend !== 'WEB').map(
      ({ backend }) => `${backend.toLowerCase()}.example.net`,
    ),
  ),
];

const validity = (days: number): { notBefore: string; notAfter: string } => ({
  notBefore: new Date(Date.now() - Math.max(2, 2 - days) * DAY_MS).toISOString(),
  notAfter: new Date(Date.now() + days * DAY_MS).toISOString(),
});

/**
 * Writes the lab's certificates: CA, one per node, the operators' (anna is admin, vera looks, gone
 * is on the list gone.crl that nobody has published), the backends' and the site's on every host.
 */
export async function writeCertificates(plan: LabPlan): Promise<void> {
  const { runtime } = plan;
  const ca = await issue({ subject: `CN=${plan.name} lab CA`, ca: true, ...validity(30) });
  const identity = (subject: string, uri: string): Promise<Issued> =>
    issue({ subject: `CN=${subject}`, issuer: ca, names: [{ uri }], ...validity(20) });
  const write = (folder: string, name: string, { certificate, key }: Issued): void => {
    writeFileSync(join(folder, `${name}.pem`), certificate);
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  };
  writeFileSync(join(runtime, 'ca.pem'), ca.certificate);
  const operator = `proxyctl://${plan.name}/operator/anna/admin`;
  write(runtime, 'operator', await identity('anna', operator));
  write(runtime, 'viewer', await identity('vera', `proxyctl://${plan.name}/operator/vera/viewer`));
  const gone = await identity('gone', `proxyctl://${plan.name}/operator/gone/admin`);
  write(runtime, 'gone', gone);
  const { serialNumber } = new X509Certificate(gone.certificate);
  const revoked = await createCrl(ca, [serialNumber], { number: 1, nowMs: Date.now() });
  writeFileSync(join(runtime, 'gone.crl'), revoked);
  const inside = await issue({ subject: 'CN=backends', issuer: ca, ...validity(20) });
  write(runtime, 'backends', inside);
  const hook = { issuer: ca, names: [{ ip: HOOK.address }], ...validity(20) };
  if (plan.channels === true) write(runtime, 'hook', await issue({ subject: 'CN=hook', ...hook }));
  const site = await issueSite(ca, 60);
  const more = new Map<string, string>();
  for (const { servername } of plan.hosts[0]?.more ?? [])
    more.set(servername, await issueSite(ca, 60, [servername]));
  for (const host of plan.hosts) {
    const { node, folder, certPath, more: others } = host;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    mkdirSync(dirname(certPath), { recursive: true, mode: 0o755 });
    write(folder, 'node', await identity(node, `proxyctl://${plan.name}/node/${node}`));
    writeFileSync(certPath, site, { mode: 0o600 });
    for (const { path, servername } of others)
      writeFileSync(path, more.get(servername) ?? '', { mode: 0o600 });
    writeFileSync(moreList(host), others.map(({ path }) => `${path}\n`).join(''));
  }
}

/** SHA-1 of the first certificate in a PEM text, as `served` prints it. */
export const sha1Of = (pem: string): string =>
  new X509Certificate(pem).fingerprint.replaceAll(':', '').toLowerCase();

/** A new certificate for the site, from a CA of its own: leaf and key in one PEM text. `startMs`: Unix ms. */
export async function newSite(days: number, names = SITE_NAMES, startMs?: number): Promise<string> {
  const ca = await issue({ subject: 'CN=another lab CA', ca: true, ...validity(90) });
  return issueSite(ca, days, names, startMs);
}

/** The same with an RSA key of 2048 bits. */
export async function newRsaSite(days: number): Promise<string> {
  const ca = await issue({ subject: 'CN=another lab CA', ca: true, ...validity(90) });
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048 };
  const algorithm = { ...rsa, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = SITE_NAMES;
  return bundle(
    await issue({ subject: 'CN=www.example.net', issuer: ca, names, keys, ...validity(days) }),
  );
}

/** The same with so many intermediate CAs in its chain: larger than HAProxy's runtime API takes below 3.4. */
export async function largeSite(days: number, intermediates: number): Promise<string> {
  const chain: Issued[] = [await issue({ subject: 'CN=a long way CA', ca: true, ...validity(90) })];
  for (let at = 0; at < intermediates; at++) {
    const [issuer] = chain;
    if (issuer !== undefined)
      chain.unshift(await issue({ subject: `CN=way ${at}`, issuer, ca: true, ...validity(90) }));
  }
  const [issuer, ...rest] = chain;
  if (issuer === undefined) throw new TypeError('no CA');
  const names = SITE_NAMES;
  const leaf = await issue({ subject: 'CN=www.example.net', issuer, names, ...validity(days) });
  return bundle(leaf, issuer, ...rest.slice(0, -1));
}

async function issueSite(
  ca: Issued,
  days: number,
  names = SITE_NAMES,
  startMs?: number,
): Promise<string> {
  const times = validity(days);
  const notBefore = startMs === undefined ? times.notBefore : new Date(startMs).toISOString();
  return bundle(
    await issue({ subject: `CN=${names[0] ?? ''}`, issuer: ca, names, ...times, notBefore }),
  );
}
