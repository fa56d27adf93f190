import type { CertificateReport } from '../core/model.ts';
import { namesOf, readCertificate, rfc3339, sha1Of } from './certificate.ts';
import type { SwapEntry } from './entry.ts';
import { refuse } from './failure.ts';
import type { NodeSwapParts } from './port.ts';
import { servedFor } from './served.ts';
import { several } from './several.ts';

/**
 * HAProxy prints `show ssl cert FILE` into one buffer (tune.bufsize, 16384 bytes). What does not
 * fit is left out, the fingerprint first, and 2.6.12 aborts where it fits to the byte. So such a
 * certificate is never asked for; this leaves room for a subject of the usual length.
 */
const ANSWER_LIMIT = 15_000;
/** A smaller bundle has no such answer: a name takes a quarter less room in PEM at most. */
const NEVER_LONG = 11_000;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** True where HAProxy's answer about this bundle may not fit its buffer. */
export function answerTooLong(path: string, pem: string): boolean {
  if (pem.length < NEVER_LONG) return false;
  try {
    const texts = (pem.match(CERTIFICATE) ?? []).map((text, at) => {
      const { subjectAltName = '', subject, issuer } = readCertificate(text, at + 1).x509;
      return `${at === 0 ? (subjectAltName ?? '') : ''}${subject}${issuer}`.length + 40;
    });
    return texts.reduce((sum, one) => sum + one, 600 + 5 * path.length) > ANSWER_LIMIT;
  } catch {
    // What cannot be read is not what HAProxy has loaded.
    return false;
  }
}

/** What is known of a bundle without HAProxy; its key is not kept. */
interface Known {
  readonly leaf: string;
  readonly long: boolean;
}
type Source = 'disk' | 'staged' | 'old' | 'new';

/**
 * The same parts, with a HAProxy that is never asked for a certificate whose answer would not fit
 * its buffer: that one is known by its file, by what was staged and by the open journal, and which
 * of these HAProxy has is told by a TLS handshake. Fingerprint null: by none of these.
 */
export function careful(parts: NodeSwapParts): NodeSwapParts {
  const { haproxy, files, journal } = parts;
  const known = new Map<string, Map<Source, Known>>();
  const note = (path: string, source: Source, pem: string): void => {
    const [leaf] = CERTIFICATE_ONCE.exec(pem) ?? [];
    const of = known.get(path) ?? new Map<Source, Known>();
    if (leaf === undefined) of.delete(source);
    else of.set(source, { leaf, long: answerTooLong(path, pem) });
    known.set(path, of);
  };
  const noteItems = ({ items }: SwapEntry): void => {
    for (const { path, oldPem, newPem } of items) {
      note(path, 'old', oldPem);
      note(path, 'new', newPem);
    }
  };
  const look = async (path: string): Promise<void> => {
    // One that cannot be read says nothing; whoever needs the file says why.
    await files.read(path).then(
      (pem) => note(path, 'disk', pem),
      () => known.set(path, known.get(path) ?? new Map<Source, Known>()),
    );
  };
  const isLong = (path: string): boolean =>
    [...(known.get(path)?.values() ?? [])].some(({ long }) => long);
  const reports = (path: string): Told[] => {
    const leaves = new Set([...(known.get(path)?.values() ?? [])].map(({ leaf }) => leaf));
    return [...leaves].map((leaf) => told(path, leaf));
  };

  /** As HAProxy would begin its word for it. */
  const kindOfKey = (path: string): string => {
    const [one] = known.get(path)?.values() ?? [];
    if (one === undefined) return '';
    return readCertificate(one.leaf, 1).x509.publicKey.asymmetricKeyType?.toUpperCase() ?? '';
  };

  const byHandshake = async (path: string): Promise<CertificateReport> => {
    const candidates = reports(path);
    for (const { names } of candidates) {
      const served = await servedFor(parts, path, names);
      const found = candidates.find(({ fingerprint }) => fingerprint === served);
      if (found !== undefined) return found;
    }
    return untold(path);
  };
  const untold = (path: string): CertificateReport => {
    const { notAfter = '', names = [] } = reports(path)[0] ?? {};
    return { path, fingerprint: null, notAfter, names };
  };

  const loadedAll = async (
    paths: readonly string[],
    long: (path: string) => Promise<CertificateReport>,
  ): Promise<(CertificateReport | null)[]> => {
    await several(paths, async (path) => {
      if (!known.has(path)) await look(path);
    });
    const short = paths.filter((path) => !isLong(path));
    const asked = await haproxy.loadedAll(short);
    const there = short.length === paths.length ? [] : await haproxy.paths();
    return several(paths, async (path) => {
      const at = short.indexOf(path);
      if (at >= 0) return asked[at] ?? null;
      return there.includes(path) ? long(path) : null;
    });
  };

  return {
    ...parts,
    algorithm: (path) => (isLong(path) ? Promise.resolve(kindOfKey(path)) : parts.algorithm(path)),
    haproxy: {
      ...haproxy,
      loadedAll: (paths) => loadedAll(paths, byHandshake),
      loaded: async (path) => (await loadedAll([path], byHandshake))[0] ?? null,
      async list() {
        const paths = await haproxy.paths();
        // Somebody may have put another file there and reloaded HAProxy.
        await several(paths, look);
        const all = await loadedAll(paths, (path) => byHandshake(path).catch(() => untold(path)));
        return all.filter((one) => one !== null);
      },
      async stage(path, pem) {
        await haproxy.stage(path, pem);
        note(path, 'staged', pem);
      },
      async staged(path) {
        const of = known.get(path);
        const ours = of?.get('staged') ?? of?.get('new');
        return ours?.long === true ? told(path, ours.leaf).fingerprint : haproxy.staged(path);
      },
    },
    files: {
      ...files,
      async read(path) {
        const pem = await files.read(path);
        note(path, 'disk', pem);
        return pem;
      },
      async install(all) {
        await files.install(all);
        for (const { path, pem } of all) note(path, 'disk', pem);
      },
    },
    journal: {
      ...journal,
      async write(entry) {
        noteItems(entry);
        await journal.write(entry);
      },
      async read() {
        const found = await journal.read();
        found.entries.forEach(noteItems);
        return found;
      },
    },
  };
}

const CERTIFICATE_ONCE = new RegExp(CERTIFICATE.source);

interface Told extends CertificateReport {
  readonly fingerprint: string;
}

function told(path: string, leaf: string): Told {
  const certificate = readCertificate(leaf, 1);
  return {
    path,
    fingerprint: sha1Of(certificate),
    notAfter: rfc3339(certificate.notAfterMs),
    names: namesOf(certificate),
  };
}

/** Refuses a swap whose end could not be told: HAProxy is not asked, and no listener shows it. */
export async function refuseUntold(
  parts: NodeSwapParts,
  { path, fingerprint, names }: CertificateReport,
  pem: string,
): Promise<string> {
  const { node } = parts;
  const untold = (message: string) =>
    refuse(
      'failed',
      'too_many_names',
      message,
      'HAProxy has one buffer (16 KB) for what it says of a certificate, and no listener shows it',
      `put the file there and reload HAProxy on ${node}, or take a certificate with fewer names`,
    );
  if (fingerprint === null)
    throw untold(`which certificate HAProxy on ${node} has as ${path} is not known`);
  if (answerTooLong(path, pem) && (await servedFor(parts, path, names)) === null)
    throw untold(`${path} on ${node}: that the new one is served could not be verified`);
  return fingerprint;
}
