import { basename } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import type { NodeServers } from '../../agent/core/answers.ts';
import { changesBetween, type ConfigChanges } from '../../agent/core/haproxy-config/changes.ts';
import {
  lostObjects,
  lostSessions,
  type LostObject,
  type LostSessions,
} from '../../agent/core/haproxy-config/losses.ts';
import type { Intent } from '../../agent/core/model.ts';
import type { NamedText } from './local.ts';

/** One side of a comparison. */
export interface Side {
  /** A node, or the path of a local file or directory. */
  readonly name: string;
  /** Whether it is a node: then its files are named after it, and it has sessions. */
  readonly isNode: boolean;
  readonly files: readonly NamedText[];
}

/** One configuration against another. */
export interface Comparison {
  readonly from: Side;
  readonly to: Side;
  readonly changes: ConfigChanges;
  /** Whether a line differs, be it a comment. */
  readonly textDiffers: boolean;
  /** The unified diff of all files; empty where no line differs. */
  readonly diff: string;
}

/** What would have no place where the one configuration is put in the place of the other. */
export interface Losses {
  readonly sessions: readonly LostSessions[];
  readonly wishes: readonly LostObject[];
}

/** Two texts that share nothing would be compared for minutes. */
const MOST_EDITS = 20_000;
const LONGEST_MS = 2000;
const CONTEXT = 3;

/** Compares two configurations; names of `nodes` are no difference, as for the doctor. */
export function compared(from: Side, to: Side, nodes: readonly string[]): Comparison {
  const pairs = paired(from, to);
  const parts = pairs
    .filter(([one, other]) => one?.text !== other?.text)
    .map(([one, other]) => {
      const [before, after] = [named(from, one), named(to, other)];
      return unified(before, after, one?.text ?? '', other?.text ?? '');
    });
  const textsOf = ({ files }: Side): string[] => files.map(({ text }) => text);
  return {
    from,
    to,
    changes: changesBetween(textsOf(from), textsOf(to), from.isNode && to.isNode ? nodes : []),
    textDiffers: parts.length > 0,
    diff: parts.join(''),
  };
}

/** What nodes have now at servers, and operators wish of them, that one side has and the other not. */
export function lossesOf(
  { from, to, changes }: Comparison,
  servers: readonly Pick<NodeServers, 'node' | 'servers'>[],
  intents: readonly Intent[],
): Losses {
  const sessionsOf = ({ name, isNode }: Side, gone: readonly string[]): LostSessions[] =>
    servers.filter(({ node }) => isNode && node === name).flatMap((one) => lostSessions(gone, one));
  const { gone, added } = changes;
  // What a file adds has no wishes yet that it could lose.
  const without = to.isNode ? [...gone.servers, ...added.servers] : gone.servers;
  return {
    sessions: [...sessionsOf(from, gone.servers), ...sessionsOf(to, added.servers)],
    wishes: lostObjects(without, intents),
  };
}

type Pair = readonly [NamedText | null, NamedText | null];

/** Files of the same path, then of the same name, then the only ones; others have no counterpart. */
function paired(from: Side, to: Side): Pair[] {
  const left = [...to.files];
  const take = (fits: (file: NamedText) => boolean): NamedText | null => {
    const at = left.findIndex(fits);
    return at < 0 ? null : (left.splice(at, 1)[0] ?? null);
  };
  const isOnly = from.files.length === 1 && to.files.length === 1;
  const pairs = from.files.map((one): Pair => [
    one,
    take(({ path }) => path === one.path) ??
      take(({ path }) => isOnly || basename(path) === basename(one.path)),
  ]);
  return [...pairs, ...left.map((other): Pair => [null, other])];
}

const named = ({ name, isNode }: Side, file: NamedText | null): string =>
  file === null ? '/dev/null' : isNode ? `${name}:${file.path}` : file.path;

function unified(before: string, after: string, one: string, other: string): string {
  const patch = createTwoFilesPatch(before, after, one, other, '', '', {
    context: CONTEXT,
    maxEditLength: MOST_EDITS,
    timeout: LONGEST_MS,
  });
  if (patch === undefined) return `--- ${before}\n+++ ${after}\n${replaced(one, other)}`;
  return patch.slice(Math.max(0, patch.indexOf('--- ')));
}

/** One hunk from the first line that differs to the last: what stays between them is told as new. */
function replaced(one: string, other: string): string {
  const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');
  const [before, after] = [linesOf(one), linesOf(other)];
  const most = Math.min(before.length, after.length);
  let [head, tail] = [0, 0];
  while (head < most && before[head] === after[head]) head += 1;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const from = Math.max(0, head - CONTEXT);
  const left = Math.min(CONTEXT, tail);
  const part = (lines: readonly string[]): string[] => lines.slice(head, lines.length - tail);
  const range = (lines: readonly string[]): string =>
    `${from + 1},${lines.length - tail + left - from}`;
  const rest = before.slice(before.length - tail, before.length - tail + left);
  return [
    `@@ -${range(before)} +${range(after)} @@`,
    ...before.slice(from, head).map((line) => ` ${line}`),
    ...part(before).map((line) => `-${line}`),
    ...part(after).map((line) => `+${line}`),
    ...rest.map((line) => ` ${line}`),
    '',
  ].join('\n');
}
