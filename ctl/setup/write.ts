import { existsSync, mkdirSync, readdirSync, realpathSync, statSync, chownSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ActFailure } from '../../agent/core/results.ts';
import { sentence } from '../../agent/core/words.ts';
import { usage } from '../failure.ts';
import { modeOf, putFile, readIfThere } from '../files.ts';
import { wrapped } from '../render/wrapped.ts';
import { RC_LATER, remarksOnLater } from './rc-later.ts';
import type { Streams } from '../streams.ts';
import { asking } from './ask.ts';
import { changeOf, commandsAfter, diffText, type Change } from './host.ts';
import type { Generated } from './plan.ts';

export interface WriteOptions {
  /** What `setup --out` wrote. */
  readonly tree: string;
  /** Whose files; null: this machine's, by its hostname. */
  readonly host: string | null;
  readonly root: string;
  readonly yes: boolean;
  /** Paths to leave alone, with or without the leading slash. */
  readonly skip: readonly string[];
  /** Whether somebody can be asked. */
  readonly terminal: boolean;
}

export interface WriteResult {
  readonly host: string;
  readonly outcome: 'nothing' | 'written' | 'not-told';
  readonly files: readonly {
    readonly path: string;
    readonly what: 'new' | 'changed';
    readonly backup: string | null;
  }[];
  readonly commands: readonly string[];
}

/**
 * Puts a host's files in place: shows what would change, asks, keeps a copy of
 * what was there, and writes each whole. Restarts nothing. Everything is read
 * before the first file is written.
 */
export async function writeHost(
  options: WriteOptions,
  io: Streams,
  nowMs: number,
): Promise<WriteResult> {
  const { host, folder } = treeOf(options);
  const skip = options.skip.map((path) => path.replace(/^\//, ''));
  const files = filesIn(folder, options.root).filter(({ path }) => !skip.includes(path));
  const changes = files.flatMap((file) => changeOf(file, present(options.root, file.path)) ?? []);
  const result = { host, files: [], commands: [] };
  if (changes.length === 0) return { ...result, outcome: 'nothing' };
  for (const change of changes) {
    io.out(diffText(change));
    const later = change.path === RC_CONF ? laterRemarks(options.root, files) : [];
    for (const remark of [...change.remarks, ...later])
      io.err(`${wrapped(`note: /${change.path} ${remark}`, 6)}\n`);
  }
  if (!options.yes && !(options.terminal && (await agreed(host, changes.length, io))))
    return { ...result, outcome: 'not-told', files: changes.map((one) => fileRow(one, null)) };
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const done: { path: string; what: 'new' | 'changed'; backup: string | null }[] = [];
  for (const change of changes) {
    try {
      done.push(fileRow(change, put(options.root, change, stamp)));
    } catch (error) {
      const path = join(options.root, change.path);
      throw new ActFailure(done.length === 0 ? 'failed' : 'partial', {
        code: 'write',
        message: `${path} could not be written`,
        cause: sentence(error),
        remediation: `mend that and run it again; written so far: ${done.map((one) => `/${one.path}`).join(' ') || 'none'}`,
      });
    }
  }
  const paths = changes.map(({ path }) => path);
  const commands = commandsAfter(paths, files, agentGroup(options.root) !== null);
  return { host, outcome: 'written', files: done, commands };
}

const fileRow = ({ path, before }: Change, backup: string | null) => ({
  path,
  what: before === null ? ('new' as const) : ('changed' as const),
  backup,
});

/** The folder of the wanted host in what `--out` wrote; one host's folder is refused on another. */
function treeOf({ tree, host, root }: WriteOptions): { host: string; folder: string } {
  const here = hostname().split('.')[0] ?? '';
  const own = readIfThere(join(tree, 'etc/rc.conf'));
  if (own !== null) {
    const [, of = ''] = /^hostname="([^".]+)/m.exec(own) ?? [];
    if (of === (host ?? here) || (host === null && root !== '/')) return { host: of, folder: tree };
    throw usage(
      `${tree} holds the files of ${of}, and this is ${host ?? here}`,
      `bring each host its own; --host ${of} if this is to become ${of}`,
    );
  }
  const there = existsSync(tree)
    ? readdirSync(tree).filter((name) => existsSync(join(tree, name, 'etc/rc.conf')))
    : [];
  if (there.length === 0)
    throw usage(`${tree} holds no host's files`, 'proxyctl setup ANSWERS --out DIR writes them');
  const wanted = host ?? here;
  if (there.includes(wanted)) return { host: wanted, folder: join(tree, wanted) };
  throw usage(`${tree} has no files for ${wanted}`, `--host NAME; there are ${there.join(', ')}`);
}

/** Every file of a host's tree, by path; modes as setup gave them. */
function filesIn(folder: string, root: string): Generated[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const whole = join(entry.parentPath, entry.name);
      const path = whole.slice(join(folder, '/').length);
      const mode = modeOf(whole) ?? 0o600;
      // The agent reads its key again on SIGHUP, as the user it runs as.
      const keyMode = agentGroup(root) === null ? 0o600 : 0o640;
      return {
        path,
        text: readIfThere(whole) ?? '',
        mode: path.endsWith('.key') ? keyMode : path === 'etc/rc.conf' ? 0o600 : mode,
      };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The number of the group proxyctl on that host; null before the package is installed. */
function agentGroup(root: string): number | null {
  const digits = /^proxyctl:[^:]*:(\d+):/m.exec(readIfThere(join(root, 'etc/group')) ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

const RC_CONF = 'etc/rc.conf';

function laterRemarks(root: string, files: readonly Generated[]): string[] {
  const made = files.find(({ path }) => path === RC_CONF)?.text ?? '';
  const later = RC_LATER.map((path) => ({ path, text: readIfThere(join(root, path)) ?? '' }));
  return remarksOnLater(made, later);
}

function present(root: string, path: string): Change['before'] {
  const whole = join(root, path);
  const text = readIfThere(whole);
  return text === null ? null : { text, mode: modeOf(whole) ?? 0 };
}

/** Writes one file; the path of the copy of what was there. */
function put(root: string, change: Change, stamp: string): string | null {
  const named = join(root, change.path);
  mkdirSync(dirname(named), { recursive: true, mode: 0o755 });
  // A symbolic link stays one: the file it leads to is written.
  const path = change.before === null ? named : realpathSync(named);
  const backup = change.before === null ? null : `${path}.${stamp}`;
  if (backup !== null && change.before !== null)
    putFile(backup, change.before.text, change.before.mode & change.mode);
  putFile(path, change.text, change.mode);
  const group = change.path.endsWith('.key') ? agentGroup(root) : null;
  if (group !== null && process.getuid?.() === 0) chownSync(path, statSync(path).uid, group);
  return backup;
}

async function agreed(host: string, count: number, io: Streams): Promise<boolean> {
  const terminal = asking('nothing was changed');
  try {
    const answer = await terminal.question(`Write ${count} files of ${host}? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    io.err('\n');
    return false;
  } finally {
    terminal.close();
  }
}
