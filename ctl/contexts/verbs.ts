import { mkdirSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { X509Certificate } from 'node:crypto';
import { ActFailure } from '../../agent/core/results.ts';
import { nearest } from '../../agent/core/words.ts';
import { describeIdentity, pairIn, parseIdentity } from '../../agent/wire/identity.ts';
import { splitAddress } from '../../agent/wire/address.ts';
import type { ContextToml } from '../connect/config-file.ts';
import { chooseContext } from '../connect/contexts.ts';
import { usage } from '../failure.ts';
import { putFile, readIfThere } from '../files.ts';
import { changeContexts, openContexts, type Contexts } from './edit.ts';
import { caCertificates, keyWarning, readHanded } from './folder.ts';
import { tryAgents, type Tried } from './try.ts';

/** What a verb on config.toml did. */
export interface Kept {
  readonly file: string;
  readonly name: string;
  readonly current: boolean;
  readonly changed: boolean;
}

export interface Imported extends Kept {
  readonly who: string;
  readonly notAfterMs: number;
  readonly tried: readonly Tried[];
  readonly warnings: readonly string[];
}

const NAME = /^[A-Za-z0-9][\w.@-]{0,62}$/;

/** Agents as `--agent NODE=ADDRESS` names them, an agent's further addresses by saying it again. */
function agentsOf(said: readonly string[]): NonNullable<ContextToml['agents']> {
  const found = new Map<string, string[]>();
  for (const one of said) {
    const [, node, addresses = ''] = /^([^=]+)=(.+)$/.exec(one) ?? [];
    const list = addresses.split(',');
    if (node === undefined || list.some((address) => splitAddress(address) === null))
      throw usage(
        `${JSON.stringify(one)} names no agent`,
        'give --agent haproxy01=10.1.60.201:7660, or [IP]:PORT for IPv6; two with a comma',
      );
    found.set(node, [...(found.get(node) ?? []), ...list]);
  }
  return Object.fromEntries(
    Array.from(found, ([node, list]) => [node, list.length === 1 ? (list[0] ?? '') : list]),
  );
}

/**
 * `proxyctl context import`: copies what was made for an operator beside config.toml, names it there
 * and asks every agent. Of a context that is there already it renews the files, if its CA is the
 * same. Rejects with ActFailure with nothing written where the folder is not whole, or the name is
 * taken by another pair.
 */
export async function importContext(
  file: string,
  folder: string,
  { name: asked, agents: said }: { readonly name?: string; readonly agents: readonly string[] },
  nowMs: number,
): Promise<Imported> {
  const handed = readHanded(folder, nowMs);
  const name = named(asked ?? handed.pair);
  const config = openContexts(file);
  const before = config.said.contexts[name];
  refuseOther(config, name, handed.ca);
  const given = agentsOf(said);
  const agents = Object.keys(given).length > 0 ? given : (handed.agents ?? before?.agents);
  if (agents === undefined)
    throw usage(
      `${folder} does not say where the agents are`,
      'add --agent NODE=IP:PORT for each of them, like --agent haproxy01=10.1.60.201:7660',
    );
  const { base } = handed;
  const files = [
    ['ca', 'ca.pem', handed.ca, 0o644],
    ['cert', `${base}.pem`, handed.certificate, 0o644],
    ['key', `${base}.key`, handed.key, 0o600],
  ] as const;
  const home = join(dirname(file), name);
  const fresh = files.filter(([, path, text]) => readIfThere(join(home, path)) !== text);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const [, path, text, mode] of fresh) putFile(join(home, path), text, mode);
  const paths = Object.fromEntries(files.map(([word, path]) => [word, `${name}/${path}`]));
  const context: ContextToml = { agents, ...paths };
  const current = config.said.current ?? name;
  const same = isDeepStrictEqual(before, context) && current === config.said.current;
  if (!same) changeContexts(config, { name, context, current });
  const chosen = await chooseContext({ config: file, context: name, env: {} });
  const warning = keyWarning(handed);
  return {
    file,
    name,
    current: current === name,
    changed: !same || fresh.length > 0,
    who: handed.who,
    notAfterMs: handed.notAfterMs,
    tried: await tryAgents(chosen),
    warnings: warning === null ? [] : [warning],
  };
}

/** Another pair may have the same name: its agents would be lost without a word. */
function refuseOther({ path, said }: Contexts, name: string, ca: string): void {
  const before = said.contexts[name];
  if (before?.ca === undefined) {
    if (before !== undefined) throw taken(path, name);
    return;
  }
  const text = readIfThere(resolve(dirname(path), before.ca));
  if (text === null) return;
  const prints = (pem: string): string[] =>
    caCertificates(name, pem).map(({ fingerprint256 }) => fingerprint256);
  const own = prints(ca);
  if (!prints(text).some((one) => own.includes(one))) throw taken(path, name);
}

const taken = (path: string, name: string): ActFailure =>
  new ActFailure('conflict', {
    code: 'context_taken',
    message: `${path} has a context ${name} of another CA`,
    remediation: `call this one otherwise: --name OTHER; or first: proxyctl context remove ${name}`,
  });

function named(name: string): string {
  if (NAME.test(name)) return name;
  throw usage(
    `${JSON.stringify(name)} is no name of a context`,
    'letters, digits, dot, dash, underscore or @, at most 63',
  );
}

/** `proxyctl context add`: paths of files are kept relative to config.toml where they lie below it. */
export function addContext(
  file: string,
  name: string,
  options: {
    readonly agent: readonly string[];
    readonly socket?: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  },
): Kept {
  const config = openContexts(file);
  if (config.said.contexts[named(name)] !== undefined)
    throw usage(`${file} has a context ${name} already`, `proxyctl context remove ${name} first`);
  const from = (path: string): string => {
    const below = relative(dirname(resolve(file)), resolve(path));
    return below.startsWith('..') || isAbsolute(below) ? resolve(path) : below;
  };
  const agents = agentsOf(options.agent);
  const files = { ca: options.ca, cert: options.cert, key: options.key };
  const given = Object.entries(files).flatMap(([word, path]) =>
    path === undefined ? [] : [[word, from(path)] as const],
  );
  const tls = Object.keys(agents).length > 0;
  if (tls === (options.socket !== undefined))
    throw usage(
      'a context has agents, or the socket of this host',
      '--agent NODE=IP:PORT with --ca, --cert and --key; or --socket PATH',
    );
  if (given.length !== (tls ? 3 : 0))
    throw usage(
      tls ? 'an agent over TCP needs a CA, a certificate and a key' : 'a socket needs no files',
      tls ? '--ca FILE --cert FILE --key FILE' : 'leave --ca, --cert and --key out',
    );
  const context: ContextToml = {
    ...(options.socket === undefined ? {} : { socket: from(options.socket) }),
    ...(tls ? { agents } : {}),
    ...Object.fromEntries(given),
  };
  const current = config.said.current ?? name;
  changeContexts(config, { name, context, current });
  return { file, name, current: current === name, changed: true };
}

/** `proxyctl context use`. Throws ActFailure 'usage' for a name that is not there. */
export function useContext(file: string, name: string): Kept {
  const config = openContexts(file);
  const context = theOne(config, name);
  const changed = config.said.current !== name;
  if (changed) changeContexts(config, { name, context, current: name });
  return { file, name, current: true, changed };
}

/** `proxyctl context remove`: its files stay, and are named. */
export function removeContext(file: string, name: string): Kept & { files: readonly string[] } {
  const config = openContexts(file);
  const { ca, cert, key } = theOne(config, name);
  const { current } = config.said;
  changeContexts(config, { name, ...(current === name ? {} : { current }) });
  const files = [ca, cert, key].flatMap((one) =>
    one === undefined ? [] : [resolve(dirname(file), one)],
  );
  return { file, name, current: false, changed: true, files };
}

/** What `proxyctl context show` tells. */
export interface Shown extends Kept {
  readonly agents: readonly { readonly node: string; readonly address: string }[];
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string } | null;
  readonly who: string | null;
  readonly notAfterMs: number | null;
}

/** `proxyctl context show`: nobody is asked. Rejects with ActFailure as every use of the context does. */
export async function showContext(
  file: string | null,
  path: string,
  name: string | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Shown> {
  const context = await chooseContext({ config: file, context: name, env });
  const { current } = openContexts(path).said;
  const agents = context.targets.map((target) => ({
    node: target.node ?? '',
    address: target.kind === 'tls' ? target.address : target.path,
  }));
  const tls = context.targets.find((target) => target.kind === 'tls');
  const shown = { file: path, name: context.name, current: current === context.name };
  if (tls === undefined)
    return { ...shown, changed: false, agents, files: null, who: null, notAfterMs: null };
  const leaf = new X509Certificate(readIfThere(tls.cert) ?? '');
  const pair = pairIn(leaf.subjectAltName);
  return {
    ...shown,
    changed: false,
    agents,
    files: { ca: tls.ca, cert: tls.cert, key: tls.key },
    who: pair === null ? null : describeIdentity(parseIdentity(leaf.subjectAltName, pair)),
    notAfterMs: Date.parse(leaf.validTo),
  };
}

function theOne({ path, said }: Contexts, name: string): ContextToml {
  const found = said.contexts[name];
  if (found !== undefined) return found;
  const names = Object.keys(said.contexts);
  const near = nearest(name, names);
  const there = names.length === 0 ? 'it has none yet' : `there are ${names.join(', ')}`;
  throw usage(`${path} has no context ${name}`, near === null ? there : `did you mean ${near}?`);
}
