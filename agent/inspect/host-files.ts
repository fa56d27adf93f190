import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Inspection, RcLine } from '../core/doctor/inspection.ts';
import { rcVhids, type RcFile } from '../core/doctor/rc-vhids.ts';
import { isSystemError } from '../sys/files.ts';

type Others = Extract<Inspection['others'], { readonly value: unknown }>['value'];

/** In the order in which rc(8) reads them for the network: the last one counts. */
const RC = ['etc/rc.conf', 'etc/rc.conf.local', 'etc/rc.conf.d/network', 'etc/rc.conf.d/netif'];
const DEVD = ['etc/devd', 'usr/local/etc/devd'];

/** Reads the lines of rc.conf that are asked for here as root does, FILE:LINE:TEXT each. */
type AsRoot = () => Promise<string>;

/** The variables of rc.conf(5) that make a vhid, with the passwords left out. `root` is `/`. */
export async function vhidLines(root: string, asRoot: AsRoot): Promise<RcLine[]> {
  return rcVhids(await rcFiles(root, asRoot));
}

/** Who else on this host acts on CARP: devd(8) hooks of others, ifstated(8), pfsync(4). */
export async function otherAutomations(root: string, asRoot: AsRoot): Promise<Others> {
  const found: Others = [];
  for (const { file, line, text } of await rcLines(root, asRoot))
    for (const what of ['ifstated', 'pfsync'])
      if (new RegExp(`^${what}_enable=["']?(yes|true|on|1)\\b`, 'i').test(text))
        found.push({ what, file, line, text });
  for (const folder of DEVD)
    for (const name of await namesIn(join(root, folder))) {
      if (!name.endsWith('.conf') || name.startsWith('proxyctl')) continue;
      for (const { file, line, text } of await linesOf(root, join(folder, name)))
        if (/^[^#]*\bmatch\s+"system"\s+"[^"]*\bCARP\b/.test(text))
          found.push({ what: 'devd', file, line, text });
    }
  return found;
}

interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** setup makes rc.conf 0600, because it holds the CARP password; then only some lines are known. */
async function rcFiles(root: string, asRoot: AsRoot): Promise<RcFile[]> {
  try {
    return await Promise.all(
      RC.map(async (path) => ({
        path: `/${path}`,
        text: (await ifThere(() => readFile(join(root, path), 'utf8'))) ?? '',
      })),
    );
  } catch (error) {
    if (!isSystemError(error, 'EACCES')) throw error;
  }
  const files = new Map<string, string[]>();
  for (const one of (await asRoot()).split('\n')) {
    const [, path, line, text] = /^([^:]+):(\d+):(.*)$/.exec(one) ?? [];
    if (path === undefined || text === undefined) continue;
    const lines = files.get(path) ?? [];
    while (lines.length < Number(line) - 1) lines.push('');
    lines.push(text);
    files.set(path, lines);
  }
  return [...files].map(([path, lines]) => ({ path, text: `${lines.join('\n')}\n` }));
}

const rcLines = async (root: string, asRoot: AsRoot): Promise<Line[]> =>
  (await rcFiles(root, asRoot)).flatMap(({ path, text }) => linesIn(path, text));

/** Trimmed lines that are no comments; none where the file is not there. */
async function linesOf(root: string, path: string): Promise<Line[]> {
  return linesIn(`/${path}`, (await ifThere(() => readFile(join(root, path), 'utf8'))) ?? '');
}

const linesIn = (file: string, text: string): Line[] =>
  text
    .split('\n')
    .map((one, at) => ({ file, line: at + 1, text: one.trim() }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'));

const namesIn = async (folder: string): Promise<string[]> =>
  ((await ifThere(() => readdir(folder))) ?? []).sort();

async function ifThere<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    // /etc/rc.conf.d/NAME may be a directory.
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].some((code) => isSystemError(error, code))) return null;
    throw error;
  }
}
