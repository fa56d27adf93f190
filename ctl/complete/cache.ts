import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Status } from '../../agent/core/answers.ts';
import { configPath } from '../connect/contexts.ts';
import { readIfThere } from '../files.ts';

/** What one node's address was when it was last seen. */
interface SeenAddress {
  readonly address: string;
  readonly vhid: number;
  readonly vips: readonly string[];
  readonly node: string;
  readonly interface: string;
  readonly state: string;
  readonly advskew: number;
  readonly baseAdvskew: number | null;
}

/** What an operator's machine remembers of a pair: names to complete, and how the addresses stood. */
export interface Remembered {
  /** Unix ms. */
  readonly atMs: number;
  /** Of config.toml when it was read, Unix ms; 0: there was none. */
  readonly configMs: number;
  readonly context: string;
  readonly nodes: readonly string[];
  readonly addresses: readonly SeenAddress[];
  /** BACKEND and BACKEND/SERVER; null: not asked for. */
  readonly servers: readonly string[] | null;
  readonly certificates: readonly string[] | null;
}

/** Which pair is meant, before config.toml is read: that would cost more than the answer. */
export interface Which {
  /** As configPath gives it. */
  readonly config: string;
  /** As it was named; null: the current one. */
  readonly context: string | null;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Where it lies: below XDG_CACHE_HOME or ~/.cache, 0700. */
export function cachePath({ config, context }: Which, env: Env): string {
  const base = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache');
  const key = createHash('sha256').update(`${config}\0${context ?? ''}`);
  return join(base, 'proxyctl', `${key.digest('hex').slice(0, 24)}.json`);
}

/** When config.toml was changed, Unix ms; 0: there is none. */
const changedMs = (path: string): number =>
  Math.round(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);

/** What is remembered; null for nothing, and where config.toml has changed since. Never throws. */
export function recall(which: Which, env: Env): Remembered | null {
  try {
    const found = JSON.parse(readIfThere(cachePath(which, env)) ?? 'null') as Remembered | null;
    const whole = Array.isArray(found?.nodes) && Array.isArray(found.addresses);
    return whole && found.configMs === changedMs(which.config) ? found : null;
  } catch {
    return null;
  }
}

/** Names that are whole words of a line: others could change what a terminal shows. */
const isPrintable = (name: string): boolean => name.length <= 255 && !/[\p{Cc}\p{Cf}]/u.test(name);
const MOST = 5000;
const names = (list: readonly string[]): string[] =>
  [...new Set(list)].filter(isPrintable).slice(0, MOST);

/** Keeps what was just seen, 0600. What was not asked for stays as it was. Never throws: it is a convenience. */
export function remember(
  which: Which,
  env: Env,
  context: string,
  status: Status,
  more: { readonly servers?: readonly string[]; readonly certificates?: readonly string[] } = {},
): void {
  const before = recall(which, env);
  const addresses = status.nodes.flatMap(({ node, report }) =>
    (report?.addresses ?? []).map((one) => ({
      address: one.address,
      vhid: one.vhid,
      vips: one.vips,
      node,
      interface: one.interface,
      state: one.state,
      advskew: one.advskew,
      baseAdvskew: one.baseAdvskew,
    })),
  );
  const kept: Remembered = {
    atMs: Date.now(),
    configMs: changedMs(which.config),
    context,
    nodes: names(status.nodes.map(({ node }) => node)),
    addresses: addresses.filter((one) => isPrintable(one.address) && isPrintable(one.interface)),
    servers: more.servers === undefined ? (before?.servers ?? null) : names(more.servers),
    certificates:
      more.certificates === undefined ? (before?.certificates ?? null) : names(more.certificates),
  };
  try {
    // Under the name of the context too, by which it may be asked for next.
    for (const named of new Set([which.context, context])) {
      const path = cachePath({ ...which, context: named }, env);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const beside = `${path}.${process.pid}`;
      writeFileSync(beside, JSON.stringify(kept), { mode: 0o600 });
      renameSync(beside, path);
    }
  } catch {
    // A home that cannot be written to has no completion, and everything else.
  }
}

/** Keeps what a verb has just shown under the words it was asked with. */
export const rememberStatus = (
  options: { readonly config?: string; readonly context?: string },
  context: string,
  status: Status,
): void => remember(whichOf(options, process.env), process.env, context, status);

/** What this machine saw last of the pair a verb means; null: nothing. */
export const recallFor = (options: {
  readonly config?: string;
  readonly context?: string;
}): Remembered | null => recall(whichOf(options, process.env), process.env);

/** Which pair a verb means. */
const whichOf = (
  options: { readonly config?: string; readonly context?: string },
  env: Env,
): Which => ({
  config: configPath({ config: options.config ?? null, context: null, env }),
  context: options.context ?? env['PROXYCTL_CONTEXT'] ?? null,
});
