import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { blocksOf } from '../certs/blocks.ts';
import { namesOf, readCertificate, rfc3339 } from '../certs/certificate.ts';
import { filePlace } from '../certs/places.ts';
import { readPlace } from '../certs/disk.ts';
import type { CertificateFiles, Place } from '../certs/port.ts';
import { parseBundle } from '../certs/pem.ts';
import { refusedOnDisk } from '../certs/pem-causes.ts';
import { PemError } from '../certs/pem-error.ts';
import { several } from '../certs/several.ts';
import { tooLargeFor } from '../certs/size.ts';
import type { CertificateFacts } from '../core/doctor/inspection.ts';
import { sentence } from '../core/words.ts';
import type { ConfigScan } from '../haproxy/config-scan.ts';
import { crtListEntries, isStoreName } from '../haproxy/crt-list.ts';
import { inDefaultPath } from '../haproxy/default-path.ts';
import { isSystemError } from '../sys/files.ts';
import { isCertificate } from '../certs/mend.ts';

/** How certificate files are looked at; the agent itself may not be allowed to. */
export interface CertificateLook {
  readonly read: CertificateFiles['read'];
  /** Paths in HAProxy's memory. */
  readonly loaded: () => Promise<readonly string[]>;
  /** HAProxy's; empty: not known. */
  readonly version: string;
  readonly wallMs: number;
  /** haproxy.conf of agent.toml, and what is not known of the files that HAProxy was started with. */
  readonly config?: string;
  readonly problems?: readonly string[];
}

/**
 * The certificate files behind `crt` and `crt-list`: files, the entries of lists, and what HAProxy
 * loads of a directory. A list that cannot be read stands there itself, with its problem.
 */
export async function inspectCertificates(
  { listeners, crtLists, crtBase, extra, stores, directory, unknown }: CertificateScan,
  look: CertificateLook,
): Promise<CertificateFacts[]> {
  const listed = await Promise.all(
    crtLists
      .flatMap((list) => inDefaultPath(list, directory) ?? [])
      .map(async (list) => {
        try {
          return crtListEntries(await look.read(list), crtBase).map(({ path }) => path);
        } catch {
          // inspectFile() says what is wrong with it.
          return [list];
        }
      }),
  );
  const paths = new Set([...listeners.map(({ crt }) => crt), ...listed.flat()]);
  const named = [...paths].flatMap((path) =>
    isStoreName(path) ? [] : (inDefaultPath(path, directory) ?? []),
  );
  const files = await Promise.all(named.map((path) => filesOf(path, look)));
  const places = [...new Set(files.flat())].map((path) => filePlace(path, extra));
  const stored = stores.flatMap(({ name, certificateFile: certificate, keyFile: key }) =>
    paths.has(name) && certificate !== null ? [{ certificate, key }] : [],
  );
  const all = [...places, ...stored];
  const looked = await several(all.slice(0, MANY), (place) => inspectFile(place, look), AT_ONCE);
  const others = (
    await unnamedOf(
      new Set([...paths, ...named, ...unknown.flatMap((bind) => bind.files)]),
      all.map(({ certificate }) => certificate),
      look,
    )
  ).map((path) => filePlace(path, extra));
  const found = await several(others.slice(0, MANY), (place) => inspectFile(place, look), AT_ONCE);
  return [
    ...looked,
    ...found.map((one) => ({ ...one, unnamed: true })),
    ...(all.length > MANY
      ? [notLooked(crtBase, `${all.length} certificate files, only ${MANY} were looked at`)]
      : []),
    ...(look.problems ?? []).map((why) => notLooked(look.config ?? '', why)),
  ];
}

/** Reading and parsing a thousand takes about a second; the answer is one message to the other agent. */
const MANY = 2000;
/** A certificate and its key are parsed in 1 ms or two, and what is read together in one go. */
const AT_ONCE = 4;

/** Certificates that HAProxy has loaded from elsewhere than what its files name; none where it does not say. */
async function unnamedOf(
  named: ReadonlySet<string>,
  files: readonly string[],
  { loaded }: CertificateLook,
): Promise<string[]> {
  const all = await loaded().catch(() => []);
  const known = new Set(files);
  return all.filter(
    (path) =>
      path.startsWith('/') &&
      !known.has(path) &&
      !named.has(path) &&
      !named.has(dirname(path)) &&
      !named.has(path.replace(/\.(?:rsa|ecdsa|dsa)$/, '')),
  );
}

const notLooked = (path: string, why: string): CertificateFacts => ({
  path,
  keyFile: path,
  mode: 0,
  names: [],
  notAfter: '',
  endsInMs: null,
  warnings: [],
  tooLarge: null,
  problem: { code: 'not_read', why, remedy: 'ps -ww -o args= -p $(pgrep -x haproxy)' },
});

type CertificateScan = Pick<
  ConfigScan,
  'listeners' | 'crtLists' | 'crtBase' | 'extra' | 'stores' | 'directory' | 'unknown'
>;

/** HAProxy leaves out names that begin with a dot, and loads keys and the like with their leaf. */
async function filesOf(path: string, { loaded }: CertificateLook): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await namesIn(path, loaded);
    return names
      .filter((name) => !name.startsWith('.') && !/\.(key|issuer|ocsp|sctl)$/.test(name))
      .map((name) => join(path, name));
  } catch {
    // HAProxy's choice for a file that is not there: one certificate for each kind of key.
    const kinds = ['dsa', 'ecdsa', 'rsa'].map((kind) => `${path}.${kind}`);
    const there = await Promise.all(kinds.map((one) => stat(one).then(isFile, () => false)));
    const found = kinds.filter((_, at) => there[at] === true);
    // inspectFile() says what is wrong with it.
    return found.length > 0 ? found : [path];
  }
}

const isFile = (found: { isFile(): boolean }): boolean => found.isFile();

/** Of a directory that this agent may not list: those that HAProxy has in its memory. */
async function namesIn(path: string, loaded: CertificateLook['loaded']): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (!isSystemError(error, 'EACCES')) throw error;
    const inside = (await loaded()).filter((one) => dirname(one) === dirname(join(path, 'x')));
    if (inside.length === 0) throw error;
    return inside.map((one) => one.slice(dirname(one).length + 1)).sort();
  }
}

async function inspectFile(
  place: Pick<Place, 'certificate' | 'key'>,
  look: CertificateLook,
): Promise<CertificateFacts> {
  const { certificate: path, key } = place;
  const { version, wallMs } = look;
  const nothing = {
    names: [],
    notAfter: '',
    endsInMs: null,
    warnings: [],
    tooLarge: null,
  };
  try {
    const { text, keyText } = await readPlace(look, place);
    const keyFile = keyText === null || key === null ? path : key;
    return { path, keyFile, mode: await modeOf(keyFile), ...content(text, path, version, wallMs) };
  } catch (error) {
    const missing = isSystemError(error, 'ENOENT');
    const why = missing ? 'no such file' : sentence(error);
    const problem = {
      code: missing ? 'missing' : 'not_read',
      why,
      remedy: `ls -l ${path}`,
    };
    return { path, keyFile: path, mode: 0, ...nothing, problem };
  }
}

/** Permission bits; 0 where the directory keeps this agent out, and so everybody else. */
async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (isSystemError(error, 'EACCES')) return 0;
    throw error;
  }
}

type Content = Omit<CertificateFacts, 'path' | 'keyFile' | 'mode'>;

function content(text: string, path: string, version: string, wallMs: number): Content {
  try {
    const unread = refusedOnDisk(text);
    if (unread !== null) throw unread;
    const { names, notAfter, warnings, mends, pem } = parseBundle(text, wallMs);
    return {
      names: [...names],
      notAfter,
      endsInMs: Date.parse(notAfter) - wallMs,
      problem: null,
      warnings: [...warnings, ...mends.map(({ seen }) => seen)],
      tooLarge: version === '' ? null : tooLargeFor(version, path, pem),
    };
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    const problem = { code: error.code, why: error.why, remedy: error.remedy };
    return { ...leafOf(text, wallMs), problem, warnings: [], tooLarge: null };
  }
}

/** What can be said of the first certificate when the bundle as a whole is not right. */
function leafOf(text: string, wallMs: number): Pick<Content, 'names' | 'notAfter' | 'endsInMs'> {
  try {
    const block = blocksOf(text).find(isCertificate);
    const leaf = readCertificate(block?.text ?? '', 1);
    const { notAfterMs } = leaf;
    return {
      names: [...namesOf(leaf)],
      notAfter: rfc3339(notAfterMs),
      endsInMs: notAfterMs - wallMs,
    };
  } catch {
    return { names: [], notAfter: '', endsInMs: null };
  }
}
