import type { InspectedCertificate } from '../core/answers.ts';
import type { CertificateReport } from '../core/model.ts';
import { nameOf } from './names.ts';
import { describe } from './describe.ts';
import { readDisk } from './disk.ts';
import type { SwapEntry, SwapItem } from './entry.ts';
import { refuse } from './failure.ts';
import type { NodeSwapParts } from './port.ts';
import { lookAt } from './served.ts';
import { several } from './several.ts';

/**
 * What disk, memory and, if asked, a TLS client say of every certificate HAProxy has loaded. Of
 * those that ALL_MS are not enough for it says so, and what is in memory.
 */
export async function inspect(
  parts: NodeSwapParts,
  kept: readonly SwapEntry[],
  served: boolean,
): Promise<InspectedCertificate[]> {
  const all = await parts.haproxy.list();
  const listeners = served ? await parts.listeners() : [];
  const known = new Map(all.map(({ path, fingerprint }) => [fingerprint ?? '', path]));
  const endMs = performance.now() + ALL_MS;
  const inTime = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    performance.now() > endMs
      ? Promise.reject(new Error(`there was no time left to ${what}`))
      : act();
  const ask: NodeSwapParts['ask'] = (...question) => inTime('ask it', () => parts.ask(...question));
  // A reading of haproxy.conf is a question to HAProxy, and files that are looked at.
  const place = parts.placing();
  const placed: NodeSwapParts = {
    ...parts,
    placeOf: (path) => inTime('read its file', () => place(path)),
  };
  const one = (found: CertificateReport): Promise<InspectedCertificate> => {
    const look = served
      ? (names: readonly string[]) =>
          lookAt({ ...parts, ask }, listeners, { ...found, names, known })
      : null;
    return inspectOne(placed, found, kept, look);
  };
  return several(all, one, AT_ONCE);
}

/** Files and handshakes of thousands of certificates, ms: a peer waits ten seconds. */
const ALL_MS = 6000;
const AT_ONCE = 8;

const UNTOLD =
  'it has too many names for HAProxy to say which one it has in memory, and no listener shows it';

async function inspectOne(
  parts: NodeSwapParts,
  { path, fingerprint, notAfter, names }: CertificateReport,
  kept: readonly SwapEntry[],
  look: ((names: readonly string[]) => ReturnType<typeof lookAt>) | null,
): Promise<InspectedCertificate> {
  const { map } = parts;
  const name = nameOf(map, path);
  const problems: string[] = [];
  const tried = async <T>(what: () => Promise<T | null>): Promise<T | null> => {
    try {
      return await what();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : 'it cannot be read');
      return null;
    }
  };
  if (fingerprint === null) problems.push(UNTOLD);
  const disk = await tried(async () => describe((await readDisk(parts, path)).text));
  const shown = look === null ? null : await tried(() => look(names));
  return {
    name,
    path,
    memory: fingerprint,
    disk: disk?.sha1 ?? null,
    served: shown?.served ?? null,
    sha256: disk?.sha256 ?? null,
    notAfter,
    names,
    problem: problems.join('; '),
    // Empty: it was new, there is nothing to go back to.
    previous: previousOf(kept, name)?.fingerprintOld || null,
    renewal: '',
    ...(disk === null || disk.issuer === '' ? {} : { issuer: disk.issuer }),
    ...(shown === null ? {} : { checks: shown.checks }),
  };
}

/** What the newest kept swap of a certificate replaced; null where none is kept. */
export const previousOf = (kept: readonly SwapEntry[], name: string): SwapItem | null =>
  kept
    .flatMap(({ items }) => items)
    .find((item) => item.name === name && !item.already && item.newPem !== item.oldPem) ?? null;

/**
 * The bundle of a loaded certificate with this SHA-256, for a node that was away. Throws
 * ActFailure 'not-found' where this node has another one.
 */
export async function bundleWith(
  parts: NodeSwapParts,
  entries: readonly SwapEntry[],
  name: string,
  sha256: string,
): Promise<string> {
  const { haproxy, map, node } = parts;
  const path = map[name] ?? name;
  if ((await haproxy.loaded(path)) !== null) {
    const disk = describe((await readDisk(parts, path)).text);
    if (disk?.sha256 === sha256) return disk.pem;
    const item = entries.flatMap(({ items }) => items).find((one) => one.sha256 === sha256);
    if (item?.name === name) return item.newPem;
  }
  throw refuse('not-found', 'bundle_unknown', `${node} has not the wanted bundle of ${name}`);
}
