/** A tar archive as pkg(8) reads it: ustar(5) headers, absolute names, one mtime for all. */

export interface Member {
  /** "+MANIFEST" or an absolute path. */
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly content: Content;
}

/** Bytes of a file, where a symbolic link leads, or null for a directory. */
type Content = Buffer | { readonly link: string } | null;

const BLOCK = 512;

/** The members in the given order, all with `mtime` (seconds since 1970). Throws for a name that ustar cannot hold. */
export function tar(members: readonly Member[], mtime: number): Buffer {
  const blocks = members.flatMap((member) => {
    const content = Buffer.isBuffer(member.content) ? member.content : Buffer.alloc(0);
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [header(member, content.length, mtime), content, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(member: Member, size: number, mtime: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const [prefix, name] = split(member.name);
  block.write(name, 0, 'utf8');
  block.write(octal(member.mode, 7), 100);
  // pkg(8) goes by the names; the numbers of another machine would mean nothing.
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(mtime, 11), 136);
  block.write(' '.repeat(8), 148);
  const { content } = member;
  block.write(content === null ? '5' : Buffer.isBuffer(content) ? '0' : '2', 156);
  if (content !== null && 'link' in content) block.write(content.link, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(member.owner, 265);
  block.write(member.group, 297);
  block.write(octal(0, 7), 329);
  block.write(octal(0, 7), 337);
  block.write(prefix, 345, 'utf8');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** ustar keeps 100 bytes of a name, and 155 of the folders before it. */
function split(name: string): readonly [string, string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  for (let at = name.indexOf('/', 1); at > 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest];
  }
  throw new Error(`${name}: too long for a tar archive`);
}
