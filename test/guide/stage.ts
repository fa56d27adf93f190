import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ran, type Ran } from '../lab/client.ts';
import { laptopFolder } from '../lab/from-setup.ts';
import { inside, labEnvironment } from '../lab/lab.ts';
import { CHECKOUT, runtimeOf, SITE } from '../lab/plan.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import type { Typed } from './typed.ts';

// Where the commands of the guide are typed: a laptop in the client's place, and the hosts of a lab
// that runs from what `proxyctl setup` writes. Nothing outside the lab's folder is touched.

/** Why the lab has nothing for a command, by its first words; it is written down and taken for done. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'pkg add': 'no pkg(8) here; the tests of the package try it with a real one where there is one',
  'pkg create': 'no pkg(8) here',
  'pkg install': 'no pkg(8) here',
  'pkg lock': 'no pkg(8) here',
  'pkg upgrade': 'no pkg(8) here',
  'freebsd-update fetch': 'no FreeBSD here',
  'freebsd-version -ku': 'no FreeBSD here',
  'kldload -n': 'the CARP of the lab is loaded',
  'pfctl -nf': 'no pf here; its rules have a grammar of their own in the tests of setup',
  'service pf': 'no pf here',
  'service routing': 'the routes of the lab are those of the namespace',
  'npm install': 'the tests of the archive for operators install it',
  'sh /usr/local/libexec/proxyctl/verify-host.sh': 'it reads FreeBSD; tests run it by itself',
};

/** FreeBSD's programs that stand-ins answer for. */
const PROGRAMS = ['service', 'pkg', 'freebsd-update', 'freebsd-version', 'kldload', 'shutdown'];
/** A runbook's command takes so long at most, ms. */
const LONGEST_MS = 120_000;

/** Where the stand-ins of a host write down what they took for done. */
export const stoodInFile = (lab: string, node: string): string =>
  join(runtimeOf(lab), node, 'stood-in');

const rootOf = (node: LabNode): string => join(dirname(node.log), 'root');
const binOf = (node: LabNode): string => join(dirname(node.log), 'freebsd-bin');

function program(path: string, script: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** What FreeBSD and its packages have made on a host before anybody types. */
export function furnish(node: LabNode): void {
  for (const path of ['etc', 'boot', 'root', 'usr/local/etc/ssl', 'usr/local/etc/proxyctl'])
    mkdirSync(join(rootOf(node), path), { recursive: true });
}

/** Puts FreeBSD's programs on the hosts, and scp(1) and npm(1) on the laptop. */
export function prepare(lab: LabReport): void {
  const standIn = join(CHECKOUT, 'dist/test/guide/freebsd.js');
  for (const node of lab.nodes) {
    furnish(node);
    const root = rootOf(node);
    const call = `exec ${process.execPath} ${standIn} ${lab.name} ${node.name}`;
    for (const name of [...PROGRAMS, 'pfctl'])
      program(join(binOf(node), name), `${call} ${name} "$@"`);
    // Variables of rc.conf(5): sysrc -n NAME.
    program(join(binOf(node), 'sysrc'), `. ${root}/etc/rc.conf; eval "printf '%s\\n' \\"\\$$2\\""`);
  }
  const laptop = join(laptopFolder(lab.runtime), '.bin');
  const written = join(lab.runtime, 'laptop-stood-in');
  program(join(laptop, 'npm'), `echo "npm $*" >> ${written}`);
  // HOST:PATH is a path below the root of that host, of root's home where it does not begin with /.
  program(
    join(laptop, 'scp'),
    `at() {
  case $1 in
  root@*.example.net:/*) host=\${1#root@}; echo "${lab.runtime}/\${host%%.*}/root\${1#*:}" ;;
  root@*.example.net:*) host=\${1#root@}; echo "${lab.runtime}/\${host%%.*}/root/root/\${1#*:}" ;;
  *) echo "$1" ;;
  esac
}
flags=; from=
while [ $# -gt 1 ]; do
  case $1 in -*) flags="$flags $1" ;; *) from="$from $(at "$1")" ;; esac
  shift
done
exec cp $flags $from "$(at "$1")"`,
  );
}

/** Types one command where it belongs. */
export function type(lab: LabReport, { place, line }: Typed): Promise<Ran> {
  const node = lab.nodes.find(({ name }) => name === place);
  const own = labEnvironment(lab, node === undefined ? null : place);
  if (node === undefined) {
    const folder = laptopFolder(lab.runtime);
    const path = `${join(folder, '.bin')}:${own['PATH'] ?? ''}`;
    // An address of the agents alone: no context of the lab, and the files of the laptop's home.
    const env = { ...process.env, PATH: path, HOME: folder, LC_ALL: 'C' };
    const argv = [
      'sh',
      '-c',
      `cd ${folder} && ${line.startsWith('proxyctl ') ? line.replaceAll(SITE, 'site') : line}`,
    ];
    return ran(inside(lab, 'client', argv), env, LONGEST_MS);
  }
  const root = rootOf(node);
  const path = `${binOf(node)}:${own['PATH'] ?? ''}`;
  const env = { ...process.env, ...own, PROXYCTL_CONTEXT: place, PATH: path, LC_ALL: 'C' };
  if (/^sh .*verify-host\.sh$/.test(line))
    return Promise.resolve({ code: 0, stdout: '', stderr: '' });
  const argv = ['sh', '-c', `cd ${root}/root && ${below(root, line)}`];
  return ran(inside(lab, place, argv), env, LONGEST_MS);
}

/** The same command for a host whose files lie below a folder. */
function below(root: string, line: string): string {
  if (line.startsWith('proxyctl setup --write')) return `${line} --root ${root}`;
  if (line.startsWith('proxyctl ') || line.startsWith('pkg ') || line.startsWith('pfctl '))
    return line;
  return line
    .replaceAll(/(?<=^|[\s"'=])\/(?=(?:etc|usr|root|boot|var)\/)/g, `${root}/`)
    .replaceAll(/(?<= -C )\/(?= |$)/g, `${root}/`);
}

/** What clients saw: requests, those that were cut and asked again, those that failed then too; answers by node. */
export interface Seen {
  readonly asked: number;
  readonly cut: number;
  readonly failed: number;
  readonly by: Readonly<Record<string, number>>;
  readonly why: readonly string[];
}

/** Requests at once of `clients`: so many can be on their way when an address moves. */
export const AT_ONCE = 4;

/** Clients that keep asking at an address, patiently, until `end`. */
export function clients(lab: LabReport, address = lab.vip4): { readonly end: () => Promise<Seen> } {
  const script = join(CHECKOUT, 'dist/test/guide/client.js');
  const argv = [process.execPath, script, address, 'www.example.net', '/plain/'];
  const [file = '', ...args] = inside(lab, 'client', argv);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  return {
    end: async () => {
      child.kill('SIGTERM');
      return JSON.parse(await said) as Seen;
    },
  };
}

/** What was taken for done so far, on all hosts and the laptop. */
export const takenForDone = (lab: LabReport): readonly string[] =>
  [
    ...lab.nodes.map(({ name }) => stoodInFile(lab.name, name)),
    join(lab.runtime, 'laptop-stood-in'),
  ].flatMap((path) =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [],
  );
