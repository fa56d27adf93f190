import { createHash } from 'node:crypto';
import { PREFIX, type Directory } from './contents.ts';

export interface PackageFile {
  /** Absolute, where it is installed. */
  readonly path: string;
  readonly mode: number;
  /** Where a symbolic link leads is its content. */
  readonly content: Buffer | { readonly link: string };
}

export interface Facts {
  readonly version: string;
  /** Null when the tree is no git repository. */
  readonly commit: string | null;
  readonly description: string;
  /** By the event of pkg-message that shows them. */
  readonly messages: readonly { readonly type: string; readonly message: string }[];
  /** Of pkg-script(5), by phase. */
  readonly scripts: Readonly<Record<string, string>>;
}

const COMMENT = 'Agent and command that make HAProxy hosts behind CARP act as one';
/** Depended on with the version of the day the package was tried; pkg(8) takes any later one. */
const NODE_PACKAGE = { name: 'node24', origin: 'www/node24', version: '24.12.0' };

/**
 * +COMPACT_MANIFEST and +MANIFEST, as pkg-create(8) writes them: JSON on one
 * line, the compact one without files, directories and scripts.
 */
export function manifests(
  facts: Facts,
  files: readonly PackageFile[],
  directories: readonly Directory[],
): { readonly compact: string; readonly full: string } {
  const compact = {
    name: 'proxyctl',
    origin: 'net/proxyctl',
    version: facts.version,
    comment: COMMENT,
    maintainer: 'root@localhost',
    www: 'UNKNOWN',
    // Nothing of it depends on the machine: one file for every FreeBSD.
    abi: 'FreeBSD:*',
    arch: 'freebsd:*',
    prefix: PREFIX,
    flatsize: files.reduce((sum, { content }) => sum + bytesOf(content).length, 0),
    licenselogic: 'single',
    licenses: ['BSD2CLAUSE'],
    desc: facts.description,
    deps: {
      [NODE_PACKAGE.name]: { origin: NODE_PACKAGE.origin, version: NODE_PACKAGE.version },
    },
    categories: ['net'],
    users: ['proxyctl'],
    groups: ['proxyctl'],
    ...(facts.commit === null ? {} : { annotations: { commit: facts.commit } }),
    messages: facts.messages,
  };
  const full = {
    ...compact,
    files: Object.fromEntries(
      files.map(({ path, mode, content }) => [
        path,
        { sum: `1$${sha256(bytesOf(content))}`, uname: 'root', gname: 'wheel', perm: perm(mode) },
      ]),
    ),
    directories: Object.fromEntries(
      directories.map(({ path, mode, owner, group }) => [
        path,
        { uname: owner, gname: group, perm: perm(mode) },
      ]),
    ),
    scripts: facts.scripts,
  };
  return { compact: `${JSON.stringify(compact)}\n`, full: `${JSON.stringify(full)}\n` };
}

export const sha256 = (content: Buffer): string =>
  createHash('sha256').update(content).digest('hex');

const bytesOf = (content: PackageFile['content']): Buffer =>
  Buffer.isBuffer(content) ? content : Buffer.from(content.link);

const perm = (mode: number): string => mode.toString(8).padStart(4, '0');
