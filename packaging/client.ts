import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tar, type Member } from './archive.ts';
import { GUIDE } from './contents.ts';
import { licencesOf } from './licences.ts';
import { completions, zipped } from './package.ts';
import type { Programs } from './programs.ts';

/** Copied from the tree into the client's archive, names below its folder. */
const COPIED: readonly (readonly [from: string, to: string])[] = [
  ['LICENSE', 'LICENSE'],
  ['packaging/client.md', 'README.md'],
  ['packaging/man/proxyctl.1', 'share/man/man1/proxyctl.1'],
  ...GUIDE.map((file) => [`docs/${file}`, `share/doc/proxyctl/${file}`] as const),
];

/** The first line of npm's programs: a laptop has its Node in PATH. */
const SHEBANG = '#!/usr/bin/env node';

/**
 * proxyctl alone, for operators' machines: a package that npm installs without asking any registry,
 * and that works where tar(1) unpacked it. Nothing in it depends on the machine. Throws where a
 * file of the tree is missing.
 */
export function clientArchive(
  root: string,
  { ctlStart, ctl, ctlSetup, ctlPackages }: Programs,
  version: string,
  mtime: number,
): Buffer {
  const files: readonly (readonly [path: string, mode: number, content: Buffer | string])[] = [
    // npm makes no links from an archive, so the program in PATH is a file of its own.
    ['bin/proxyctl', 0o755, `${SHEBANG}\nrequire('../lib/proxyctl.cjs');\n`],
    ['lib/proxyctl.cjs', 0o644, ctlStart.replace(/^#!.*\n/, '')],
    ['lib/proxyctl.js', 0o644, ctl],
    ['lib/proxyctl-setup.cjs', 0o644, ctlSetup],
    ['package.json', 0o644, manifest(root, version)],
    ['third-party-licences.txt', 0o644, licencesOf(root, ctlPackages)],
    ...completions().map(([to, script]) => [to, 0o644, script] as const),
    ...COPIED.map(([from, to]) => [to, 0o644, readFileSync(join(root, from))] as const),
  ];
  const members = files.map(([path, mode, content]): Member => ({
    name: `proxyctl-${version}/${path}`,
    mode,
    // By number, which is root's everywhere: the groups of the systems have other names.
    owner: '',
    group: '',
    content: Buffer.from(content),
  }));
  return zipped(
    tar(
      [...members].sort((a, b) => (a.name < b.name ? -1 : 1)),
      mtime,
    ),
  );
}

/** npm's own manifest: no dependencies and no scripts. */
function manifest(root: string, version: string): string {
  const { description, license, engines } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as {
    readonly description: string;
    readonly license: string;
    readonly engines: { readonly node: string };
  };
  const made = {
    name: 'proxyctl',
    version: version.replace('.dirty', '-dirty'),
    description,
    license,
    private: true,
    // Said, because a program without an ending is read as what stands here.
    type: 'commonjs',
    engines,
    bin: { proxyctl: 'bin/proxyctl' },
    man: ['share/man/man1/proxyctl.1'],
  };
  return `${JSON.stringify(made, null, 2)}\n`;
}
