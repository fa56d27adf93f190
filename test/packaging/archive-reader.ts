import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One member of a tar archive as its header says, read without the builder's help. */
export interface Read {
  readonly name: string;
  readonly type: 'file' | 'link' | 'directory';
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly mtime: number;
  /** Of a link, where it leads. */
  readonly content: Buffer;
}

const KINDS: Readonly<Record<string, Read['type']>> = { 0: 'file', 2: 'link', 5: 'directory' };

/** Every member of a gzip-compressed ustar(5) archive, in order. Throws for anything else, a wrong header sum included. */
export function readArchive(archive: Buffer): Read[] {
  const plain = gunzipSync(archive);
  const members: Read[] = [];
  let at = 0;
  for (; plain[at] !== 0;) {
    const header = plain.subarray(at, at + 512);
    const text = (from: number, length: number): string =>
      header
        .subarray(from, from + length)
        .toString('utf8')
        .replace(/\0.*$/s, '');
    const number = (from: number, length: number): number =>
      Number.parseInt(text(from, length).trim(), 8);
    const summed = header.reduce((sum, byte, index) => {
      return sum + (index >= 148 && index < 156 ? 32 : byte);
    }, 0);
    if (text(257, 6) !== 'ustar' || number(148, 8) !== summed)
      throw new Error(`no ustar header at ${at}`);
    const [type, prefix, size] = [text(156, 1), text(345, 155), number(124, 12)];
    const kind = KINDS[type];
    if (kind === undefined) throw new Error(`type ${type} at ${at}`);
    members.push({
      name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`,
      type: kind,
      mode: number(100, 8).toString(8).padStart(4, '0'),
      owner: text(265, 32),
      group: text(297, 32),
      mtime: number(136, 12),
      content:
        kind === 'link' ? Buffer.from(text(157, 100)) : plain.subarray(at + 512, at + 512 + size),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  if (plain.length - at !== 1024 || plain.subarray(at).some((byte) => byte !== 0))
    throw new Error('no two empty blocks at the end');
  return members;
}

/** Puts the package's files under `root` as pkg(8) does, before any script of it has run; whose they are aside. */
export function extract(members: readonly Read[], root: string): void {
  // The first two are the manifests.
  for (const { name, type, mode, content } of members.slice(2)) {
    const path = join(root, name);
    mkdirSync(type === 'directory' ? path : dirname(path), { recursive: true });
    if (type === 'link') symlinkSync(String(content), path);
    if (type === 'file') writeFileSync(path, content, { mode: Number.parseInt(mode, 8) });
  }
}

/** As pkg(8) writes it: version of the form, then SHA-256. */
export const pkgSum = (content: Buffer): string =>
  `1$${createHash('sha256').update(content).digest('hex')}`;
