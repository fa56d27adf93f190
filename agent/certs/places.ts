import type { NodeSwapParts, Place } from './port.ts';
import { refuse } from './failure.ts';
import type { ActFailure } from '../core/results.ts';
import type { CertificateDetails } from '../haproxy/certificate-details.ts';
import type { ConfigScan, ExtraFiles } from '../haproxy/config-scan.ts';
import { inDefaultPath } from '../haproxy/default-path.ts';
import { isStoreName } from '../haproxy/crt-list.ts';

export interface PlaceSources {
  readonly node: string;
  /** haproxy.conf as it is now. */
  readonly scan: () => Promise<Pick<ConfigScan, 'extra' | 'stores' | 'directory'>>;
  /** What HAProxy says of a loaded certificate. */
  readonly details: (path: string) => Promise<CertificateDetails | null>;
}

/** One place at a time, or many with one reading of haproxy.conf; as placeOf(). */
export const placesBy = (sources: PlaceSources): Pick<NodeSwapParts, 'placeOf' | 'placing'> => ({
  placeOf: (path) => placeOf(sources, path),
  placing() {
    const now = sources.scan();
    // Where nobody asks for a place nobody needs to know.
    now.catch(() => undefined);
    return (path) => placeOf({ ...sources, scan: () => now }, path);
  },
});

/**
 * The files from which HAProxy loads the certificate that it calls `path`. Rejects with ActFailure
 * where haproxy.conf and HAProxy together do not make that certain.
 */
export async function placeOf(sources: PlaceSources, path: string): Promise<Place> {
  if (isStoreName(path)) return storePlace(sources, path);
  // A bundle that is one file needs no haproxy.conf, and most keys lie where HAProxy's default is.
  const { extra, directory } = await sources
    .scan()
    .catch(() => ({ extra: unread(path), directory: null }));
  const file = inDefaultPath(path, directory);
  if (file !== null) return filePlace(file, extra);
  throw unclear(
    sources,
    path,
    'it is neither an absolute path nor a name of a crt-store, and no default-path says where it is',
    'give the certificate an absolute path in haproxy.conf, or set crt-base, and reload HAProxy',
  );
}

/** Whether `.crt` stays or gives way stands in haproxy.conf: nothing is guessed then. */
const unread = (path: string): ExtraFiles => {
  const all = !path.endsWith('.crt');
  return { key: all, ocsp: all, issuer: all, sctl: all, insteadOfCrt: false };
};

/** Of a certificate that is named by its file (configuration manual, `ssl-load-extra-files`). */
export function filePlace(path: string, extra: ExtraFiles): Place {
  const beside = extra.insteadOfCrt ? path.replace(/\.crt$/, '') : path;
  const named = (wanted: boolean, ending: string) => (wanted ? `${beside}.${ending}` : null);
  return {
    certificate: path,
    key: named(extra.key, 'key'),
    ocsp: named(extra.ocsp, 'ocsp'),
    issuer: named(extra.issuer, 'issuer'),
    sctl: named(extra.sctl, 'sctl'),
  };
}

/**
 * Of one of a crt-store. HAProxy shows the words of the `load` line, without the base: only where
 * they are the ones of haproxy.conf is that the line which it has loaded.
 */
async function storePlace(sources: PlaceSources, path: string): Promise<Place> {
  const { stores } = await sources.scan();
  const [load, ...more] = stores.filter(({ name }) => name === path);
  const fix = `name its files by absolute paths on one load line of haproxy.conf, and reload HAProxy`;
  if (load === undefined)
    throw unclear(sources, path, 'haproxy.conf has no such line in a crt-store section', fix);
  if (more.length > 0)
    throw unclear(sources, path, `haproxy.conf has ${more.length + 1} load lines for it`, fix);
  const shown = await sources.details(path);
  if (shown !== null && (shown.crt !== load.crt || (shown.key !== '' && shown.key !== load.key)))
    throw unclear(
      sources,
      path,
      `HAProxy has loaded it from ${[shown.crt, shown.key].join(' ').trim()}, haproxy.conf says ` +
        [load.crt, load.key ?? ''].join(' ').trim(),
      'reload HAProxy, then push again',
    );
  const { certificateFile, keyFile } = load;
  if (certificateFile === null || (load.key !== null && keyFile === null))
    throw unclear(
      sources,
      path,
      'its load line has a path that is not absolute, and no crt-base, key-base or default-path makes it so',
      fix,
    );
  return { certificate: certificateFile, key: keyFile, ocsp: null, issuer: null, sctl: null };
}

const unclear = ({ node }: PlaceSources, path: string, cause: string, remedy: string): ActFailure =>
  refuse(
    'failed',
    'path_unsupported',
    `it is not certain in which files HAProxy on ${node} has ${path}`,
    cause,
    remedy,
  );
