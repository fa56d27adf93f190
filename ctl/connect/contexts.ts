import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { nearest, sentence } from '../../agent/core/words.ts';
import type { ContextToml } from './config-file.ts';
import { usage } from '../failure.ts';

/** One agent as a context names it. */
export type Target =
  | { readonly kind: 'socket'; readonly node: string | null; readonly path: string }
  | {
      readonly kind: 'tls';
      readonly node: string;
      readonly address: string;
      readonly ca: string;
      readonly cert: string;
      readonly key: string;
    };

export interface Context {
  readonly name: string;
  /** Tried in this order. */
  readonly targets: readonly Target[];
}

const DEFAULT_SOCKET = '/var/run/proxyctl/agent.sock';

export interface ContextChoice {
  /** --config; null: PROXYCTL_CONFIG, then the default. */
  readonly config: string | null;
  /** --context; null: PROXYCTL_CONTEXT, then `current` of the file. */
  readonly context: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where config.toml is looked for. */
export const configPath = ({ config, env }: ContextChoice): string =>
  config ?? env['PROXYCTL_CONFIG'] ?? join(homedir(), '.config/proxyctl/config.toml');

/**
 * The context to work with: the named one, `current`, the only one, or without
 * a file this host's own agent. Rejects with ActFailure 'usage' with every
 * problem of the file, or with the names there are.
 */
export async function chooseContext(choice: ContextChoice): Promise<Context> {
  const path = configPath(choice);
  const named = choice.context ?? choice.env['PROXYCTL_CONTEXT'] ?? null;
  const asked = choice.config !== null || choice.env['PROXYCTL_CONFIG'] !== undefined;
  if (!asked && !existsSync(path)) {
    if ((named === null || named === 'here') && existsSync(DEFAULT_SOCKET))
      return { name: 'here', targets: [{ kind: 'socket', node: null, path: DEFAULT_SOCKET }] };
    throw usage(
      'no context is configured',
      'proxyctl context import FOLDER, with the folder that setup or pki made for you',
      `there is neither ${path} nor ${DEFAULT_SOCKET}`,
    );
  }
  // Loaded only where there is a file: without one proxyctl starts faster.
  const { readConfigFile } = await import('./config-file.ts');
  const { current, contexts } = readConfigFile(path);
  const names = Object.keys(contexts);
  const there = names.length === 0 ? 'it has none yet' : `there are ${names.join(', ')}`;
  const name = named ?? current ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) throw usage('no context is chosen', `--context NAME; ${there}`);
  const found = contexts[name];
  if (found === undefined) {
    const near = nearest(name, names);
    throw usage(`${path} has no context ${name}`, near === null ? there : `did you mean ${near}?`);
  }
  return { name, targets: targetsOf(path, name, found) };
}

function targetsOf(file: string, name: string, context: ContextToml): Target[] {
  const { agents, sockets, socket, ca, cert, key } = context;
  const here = (path: string): string => resolve(dirname(file), path);
  const targets: Target[] = [];
  if (socket !== undefined) targets.push({ kind: 'socket', node: null, path: here(socket) });
  for (const [node, path] of Object.entries(sockets ?? {}))
    targets.push({ kind: 'socket', node, path: here(path) });
  const list = Object.entries(agents ?? {});
  if (list.length > 0) {
    const missing = Object.entries({ ca, cert, key }).flatMap(([word, value]) =>
      value === undefined ? [word] : [],
    );
    if (ca === undefined || cert === undefined || key === undefined)
      throw usage(
        `${file}: contexts.${name} has no ${missing.join(', no ')}`,
        'an agent over TCP needs ca, cert and key',
      );
    const files = { ca: here(ca), cert: here(cert), key: here(key) };
    for (const [word, path] of Object.entries(files))
      refuseUnreadable(`contexts.${name}.${word}`, path);
    refuseOpenKey(files.key);
    for (const [node, where] of list)
      for (const each of [where].flat())
        targets.push({ kind: 'tls', node, address: each, ...files });
  }
  if (targets.length > 0) return targets;
  throw usage(`${file}: contexts.${name} names no agent`, 'set agents, sockets or socket');
}

function refuseUnreadable(key: string, path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw usage(`${path} cannot be read`, `mend ${key} or the file's mode`, sentence(error));
  }
}

/** A private key that others can read is nobody's any more. */
function refuseOpenKey(path: string): void {
  const { mode } = statSync(path);
  if ((mode & 0o077) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  throw usage(`${path} can be read by others`, `chmod 600 ${path}`, `its mode is ${shown}`);
}
