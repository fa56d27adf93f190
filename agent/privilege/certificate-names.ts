import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { configFiles } from '../haproxy/config-files.ts';
import { crtListPaths, isStoreName } from '../haproxy/crt-list.ts';
import { inDefaultPath } from '../haproxy/default-path.ts';
import { runtime, type Runtime } from '../haproxy/runtime.ts';
import { readSections } from '../haproxy/config-text.ts';
import { socketOf } from '../haproxy/socket-line.ts';
import { startedWith } from '../haproxy/started-with.ts';
import type { Exec } from '../sys/exec.ts';
import { isKeptFrom, plainPath, type MayWrite } from '../sys/trust.ts';
import { doubtOf } from './doubt.ts';

/** The files that the helper may touch, all from what root wrote. */
export interface CertificateNames {
  /** A directory with all below it; with `/.` at its end, only the files in it. */
  readonly directories: readonly string[];
  /** The crt-lists, which no ending tells from other files. */
  readonly lists: readonly string[];
  /** Certificates and keys whose names do not end as such. */
  readonly named: readonly string[];
}

/** What of agent.toml this needs. */
interface HostConfig {
  readonly haproxy: { readonly config: string; readonly socket?: string };
  readonly certificates: { readonly directories: readonly string[] };
}

/** Whom nothing is believed: the account that the agent becomes. */
interface Stranger {
  readonly uid: number;
  readonly mayWrite: MayWrite;
}

const ASK_MS = 1000;
/** Endings that helper.sh takes for a certificate or a key. */
const USUAL = /\.(?:pem|crt|cer|cert|key|rsa|ecdsa|dsa|chain|fullchain|ocsp|issuer|sctl)$/i;

/**
 * The directories of agent.toml, else those where HAProxy's files, as root reads them now, have
 * its certificates. A file that the stranger could have written says nothing, nor does a process
 * of the stranger's that answers in HAProxy's place. Never rejects: what is not known is refused
 * by the helper, and said where it is missed.
 */
export async function certificateNames(
  { certificates, haproxy }: HostConfig,
  stranger: Stranger,
  exec: Exec,
): Promise<CertificateNames> {
  const { directories } = certificates;
  try {
    const { mayWrite } = stranger;
    const ask = await askOf(haproxy, mayWrite);
    const config = plainPath(haproxy.config, mayWrite);
    // Of a HAProxy that does not run yet it is the one file of agent.toml.
    const started = startedWith({
      ask,
      config,
      doubts: (pid, files) => doubtOf({ pid, files, exec, ...stranger }),
    });
    const { scan } = await configFiles(started)();
    const { listeners, crtBase, stores, unknown, directory } = scan;
    const whole = (path: string) => inDefaultPath(path, directory) ?? [];
    const crtLists = scan.crtLists.flatMap(whole).filter((list) => isKeptFrom(list, mayWrite));
    const listed = await Promise.all(
      crtLists.map(async (list) => crtListPaths(await readFile(list, 'utf8'), crtBase)),
    );
    const paths = [
      ...listeners.map(({ crt }) => crt).filter((crt) => !isStoreName(crt)),
      ...unknown.flatMap(({ files }) => files),
      ...listed.flat(),
      ...stores.flatMap((load) => [load.certificateFile, load.keyFile]),
    ]
      .filter((path) => path !== null)
      .flatMap(whole);
    const found = await Promise.all(paths.map(filesAt));
    const folders = [...found.map(({ folder }) => folder), ...crtLists.map((one) => dirname(one))];
    const unusual = found.flatMap(({ files }) => files).filter((file) => !USUAL.test(file));
    return {
      directories:
        directories.length > 0 ? directories : [...new Set(folders)].map((one) => `${one}/.`),
      lists: await plain(crtLists),
      named: (await plain(unusual)).filter((file) => !basename(file).startsWith('.')),
    };
  } catch {
    return { directories, lists: [], named: [] };
  }
}

async function askOf(haproxy: HostConfig['haproxy'], mayWrite: MayWrite): Promise<Runtime> {
  const sections = await readSections(plainPath(haproxy.config, mayWrite));
  const path = haproxy.socket || socketOf(sections).path;
  return path === null
    ? () => Promise.reject(new Error('no stats socket is known'))
    : runtime(path, { deadlineMs: ASK_MS });
}

/** What a `crt` argument names: the files of a directory, or the one. */
const filesAt = async (path: string) => {
  const names = await readdir(path).catch(() => null);
  return names === null
    ? { folder: dirname(path), files: [path] }
    : { folder: path, files: names.map((name) => join(path, name)) };
};

/** As the helper compares them: without links, each once, none that an argument cannot hold. */
const plain = async (paths: readonly string[]): Promise<string[]> => {
  const all = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  return [...new Set(all)].filter((path) => !path.includes('\n'));
};
