import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { scriptOf } from '../ctl/complete/scripts.ts';
import { tar, type Member } from './archive.ts';
import { DIRECTORIES, DOC, ETC, LIBEXEC, PREFIX, SOURCES } from './contents.ts';
import { licencesOf } from './licences.ts';
import { manifests, type Facts, type PackageFile } from './manifest.ts';
import type { Programs } from './programs.ts';

type Made = readonly [path: string, mode: number, content: string | PackageFile['content']];

/**
 * Every file of the package by its path, from the built tree at `root`.
 * Throws when one is missing, naming it. The same tree gives the same bytes
 * wherever it lies.
 */
export function contentsOf(root: string, programs: Programs): readonly PackageFile[] {
  const made: Made[] = [
    // Links, because Node takes a file without .cjs for a module where a
    // package.json above it says so, and it follows links before it looks.
    [`${PREFIX}/bin/proxyctl`, 0o755, { link: '../libexec/proxyctl/proxyctl.cjs' }],
    [`${PREFIX}/sbin/proxyagent`, 0o755, { link: '../libexec/proxyctl/proxyagent' }],
    [`${LIBEXEC}/proxyctl.cjs`, 0o555, programs.ctlStart],
    [`${LIBEXEC}/proxyctl.js`, 0o444, programs.ctl],
    [`${LIBEXEC}/proxyctl-setup.cjs`, 0o444, programs.ctlSetup],
    [`${LIBEXEC}/warm-up.cjs`, 0o555, programs.ctlWarm],
    [`${LIBEXEC}/proxyagent`, 0o555, programs.agentStart],
    [`${LIBEXEC}/proxyagent.mjs`, 0o444, programs.agent],
    [`${DOC}/LICENSE`, 0o444, readFileSync(join(root, 'LICENSE'))],
    [`${DOC}/third-party-licences.txt`, 0o444, licencesOf(root, programs.packages)],
  ];
  for (const [to, script] of completions()) made.push([`${PREFIX}/${to}`, 0o444, script]);
  const absent = SOURCES.filter(({ from }) => !existsSync(join(root, from)));
  if (absent.length > 0)
    throw new Error(`the tree lacks ${absent.map(({ from }) => from).join(', ')}`);
  const copied = SOURCES.map((source) => {
    const content = readFileSync(join(root, source.from));
    return [source.to, source.mode, source.gzip === true ? zipped(content) : content] as const;
  });
  return [...made, ...copied]
    .map(([path, mode, content]) => ({
      path,
      mode,
      content: typeof content === 'string' ? Buffer.from(content) : content,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Where the shells that look for completions by themselves find them, below a prefix. */
export const completions = (): readonly (readonly [path: string, script: string])[] => [
  ['share/bash-completion/completions/proxyctl', scriptOf('bash')],
  ['share/fish/vendor_completions.d/proxyctl.fish', scriptOf('fish')],
  ['share/zsh/site-functions/_proxyctl', scriptOf('zsh')],
];

/** The package: the archive pkg(8) reads, and the same before compression. */
export function packed(
  files: readonly PackageFile[],
  facts: Facts,
  mtime: number,
): { readonly archive: Buffer; readonly plain: Buffer } {
  const { compact, full } = manifests(facts, files, DIRECTORIES);
  const root = { owner: 'root', group: 'wheel' };
  const members: Member[] = [
    { name: '+COMPACT_MANIFEST', mode: 0o644, ...root, content: Buffer.from(compact) },
    { name: '+MANIFEST', mode: 0o644, ...root, content: Buffer.from(full) },
    ...files.map(({ path, mode, content }) => ({ name: path, mode, ...root, content })),
    ...DIRECTORIES.map(({ path, mode, owner, group }) => ({
      name: path,
      mode,
      owner,
      group,
      content: null,
    })),
  ];
  const plain = tar(members, mtime);
  return { archive: zipped(plain), plain };
}

/** What the manifest says of this tree besides its files. */
export function factsOf(root: string, version: string, commit: string | null): Facts {
  const text = (path: string): string => readFileSync(join(root, 'packaging', path), 'utf8');
  const scripts = readdirSync(join(root, 'packaging/scripts')).sort();
  return {
    version,
    commit,
    description: text('port/pkg-descr').trim(),
    messages: messagesOf(text('port/pkg-message')),
    scripts: Object.fromEntries(
      scripts.map((name) => [
        name.replace(/\.sh$/, ''),
        text(`scripts/${name}`).replaceAll('@ETC@', ETC).replaceAll('@LIBEXEC@', LIBEXEC),
      ]),
    ),
  };
}

/** gzip(1) without a time in it: the same bytes from the same Node. */
export const zipped = (content: Buffer): Buffer => gzipSync(content, { level: 9 });

/** The UCL of pkg-message, which the port reads too: a list of objects with a here-document each. */
function messagesOf(ucl: string): { readonly type: string; readonly message: string }[] {
  const found = [...ucl.matchAll(/type: (\w+)\n\s*message: <<EOM\n([\s\S]*?)\nEOM\n/g)];
  return found.map(([, type = '', message = '']) => ({ type, message }));
}
