import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sentence } from '../core/words.ts';
import { tlsBinds, type TlsBind } from './tls-binds.ts';
import { scanConfig, type ConfigScan } from './config-scan.ts';
import { sectionsIn, type ConfigText } from '../core/haproxy-config/sections.ts';
import { readSections } from './config-text.ts';
import { wordsByRoot } from './process-table.ts';
import type { Runtime } from './runtime.ts';
import { startedWith, type StartedWith } from './started-with.ts';

/** What the configuration files of HAProxy say together. */
export interface ConfigFiles {
  /** Of all, one after the other as HAProxy reads them: `global` and `defaults` hold for the files behind. */
  readonly scan: ConfigScan;
  readonly binds: readonly TlsBind[];
  /** Those that were read, each by itself. */
  readonly texts: readonly ConfigText[];
  /** What is not known of them, a sentence each. */
  readonly problems: readonly string[];
}

/**
 * Reads the files that HAProxy was started with, again once one of them is another one. One that
 * cannot be read is a problem beside what the others say; rejects where none can be read.
 */
export function configFiles(started: () => Promise<StartedWith>): () => Promise<ConfigFiles> {
  let last: { readonly stamp: string; readonly found: ConfigFiles } | null = null;
  return async () => {
    const { files, problem } = await started();
    const stamps = await Promise.all(files.map(stampOf));
    const stamp = [problem, ...files, ...stamps].join('\n');
    if (last?.stamp === stamp) return last.found;
    const problems = problem === '' ? [] : [problem];
    const read: ConfigText[] = [];
    let failure: unknown = null;
    for (const file of files)
      try {
        read.push({ file, sections: await readSections(file) });
      } catch (error) {
        failure = error;
        problems.push(`${file} cannot be read: ${sentence(error)}`);
      }
    if (read.length === 0 && failure !== null) throw failure;
    const sections = sectionsIn(read);
    const scan = scanConfig(sections, oneOf(read));
    const found = { scan, binds: tlsBinds(sections, scan.crtBase), texts: read, problems };
    last = { stamp, found };
    return found;
  };
}

/**
 * Those of the HAProxy of this host: `ask` is its socket, `config` the file that agent.toml names,
 * `rootProcesses` its processes as root sees them, for where this user does not.
 */
export const hostConfigFiles = ({
  ask,
  config,
  rootProcesses,
}: {
  readonly ask: Runtime;
  readonly config: string;
  readonly rootProcesses: () => Promise<string>;
}): (() => Promise<ConfigFiles>) =>
  configFiles(startedWith({ ask, config, byRoot: wordsByRoot(rootProcesses) }));

/** For `default-path config`, which is of each file by itself: none where they are in several folders. */
const oneOf = ([first, ...others]: readonly ConfigText[]): string =>
  first !== undefined && others.every(({ file }) => dirname(file) === dirname(first.file))
    ? first.file
    : '';

const stampOf = (file: string): Promise<string> =>
  stat(file).then(
    ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(' '),
    () => '',
  );
