import type { NodeServers } from '../answers.ts';
import { parseServerKey, parseWeightKey } from '../intents.ts';
import type { Intent } from '../model.ts';

/** A server with sessions that has no place in another configuration. */
export interface LostSessions {
  readonly node: string;
  /** BACKEND/SERVER. */
  readonly server: string;
  readonly sessions: number;
}

/** A wish of an operator whose server has no place in another configuration. */
export interface LostObject {
  readonly server: string;
  /** "drain", "maint", "weight 20%". */
  readonly wish: string;
  /** Who asked for it. */
  readonly actor: string;
}

/** Sessions that a node has now at servers that are gone (BACKEND/SERVER): most first. */
export function lostSessions(
  gone: readonly string[],
  { node, servers }: Pick<NodeServers, 'node' | 'servers'>,
): LostSessions[] {
  const names = new Set(gone);
  return servers
    .map(({ backend, name, sessions }) => ({ node, server: `${backend}/${name}`, sessions }))
    .filter(({ server, sessions }) => sessions > 0 && names.has(server))
    .toSorted((a, b) => b.sessions - a.sessions);
}

/** The wishes in force for servers that are gone. */
export function lostObjects(gone: readonly string[], intents: readonly Intent[]): LostObject[] {
  const names = new Set(gone);
  return intents.flatMap(({ key, value, deleted, actor }) => {
    const state = parseServerKey(key);
    const weight = parseWeightKey(key);
    const target = state ?? weight;
    if (target === null || deleted) return [];
    const server = `${target.backend}/${target.server}`;
    if (!names.has(server)) return [];
    return [{ server, wish: weight === null ? value : `weight ${value}`, actor }];
  });
}
