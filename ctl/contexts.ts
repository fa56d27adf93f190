import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { nearest, sentence } from '../agent/core/words.ts';
import { splitAddress } from '../agent/rpc/address.ts';
import { usage } from './failure.ts';

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
const text = v.pipe(v.string('must be text'), v.minLength(1, 'must not be empty'));
const address = v.pipe(
  text,
  v.check((value) => splitAddress(value) !== null, 'must be IP:PORT or [IP]:PORT'),
);
const contextSchema = v.strictObject({
  agents: v.optional(v.record(text, address)),
  sockets: v.optional(v.record(text, text)),
  socket: v.optional(text),
  ca: v.optional(text),
  cert: v.optional(text),
  key: v.optional(text),
});
const fileSchema = v.strictObject({
  current: v.optional(text),
  contexts: v.optional(v.record(text, contextSchema), {}),
});
type ContextToml = v.InferOutput<typeof contextSchema>;

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
 * a file this host's own agent. Throws ActFailure 'usage' with every problem
 * of the file, or with the names there are.
 */
export function chooseContext(choice: ContextChoice): Context {
  const path = configPath(choice);
  const named = choice.context ?? choice.env['PROXYCTL_CONTEXT'] ?? null;
  const asked = choice.config !== null || choice.env['PROXYCTL_CONFIG'] !== undefined;
  if (!asked && !existsSync(path)) {
    if (named === null && existsSync(DEFAULT_SOCKET))
      return { name: 'here', targets: [{ kind: 'socket', node: null, path: DEFAULT_SOCKET }] };
    throw usage(
      'no context is configured',
      `write ${path}, see proxyctl(1)`,
      `there is neither ${path} nor ${DEFAULT_SOCKET}`,
    );
  }
  const { current, contexts } = readContexts(path);
  const names = Object.keys(contexts);
  const name = named ?? current ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined)
    throw usage('no context is chosen', `--context NAME; there are ${names.join(', ')}`);
  const found = contexts[name];
  if (found === undefined) {
    const near = nearest(name, names);
    throw usage(
      `${path} has no context ${name}`,
      near === null ? `there are ${names.join(', ')}` : `did you mean ${near}?`,
    );
  }
  return { name, targets: targetsOf(path, name, found) };
}

/** Every context of config.toml with its targets; throws ActFailure 'usage' with all problems. */
export function readContexts(path: string): {
  readonly current: string | undefined;
  readonly contexts: Readonly<Record<string, ContextToml>>;
} {
  let raw: unknown;
  try {
    raw = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const remedy = 'name another with --config or PROXYCTL_CONFIG';
    if (!(error instanceof TomlError))
      throw usage(`${path} cannot be read`, remedy, sentence(error));
    const cause = `line ${error.line}: ${(error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '')}`;
    throw usage(`${path} is no TOML`, 'mend that line', cause);
  }
  const checked = v.safeParse(fileSchema, raw);
  if (checked.success) return { current: checked.output.current, ...checked.output };
  const problems = checked.issues.map((issue) => {
    const key = v.getDotPath(issue) ?? '';
    return `${key}: ${issue.expected === 'never' ? 'no such key' : issue.message}`;
  });
  throw usage(`${path} has ${problems.length} mistakes`, 'see proxyctl(1)', problems.join('; '));
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
    refuseOpenKey(files.key);
    for (const [node, where] of list) targets.push({ kind: 'tls', node, address: where, ...files });
  }
  if (targets.length > 0) return targets;
  throw usage(`${file}: contexts.${name} names no agent`, 'set agents, sockets or socket');
}

/** A private key that others can read is nobody's any more. */
function refuseOpenKey(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) throw usage(`${path} does not exist`, 'set key to where the key is');
  if ((mode & 0o077) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  throw usage(`${path} can be read by others`, `chmod 600 ${path}`, `its mode is ${shown}`);
}
