import { inForce, maintenanceKey, PAUSE_KEY, pinKey } from '../../../agent/core/intents.ts';
import type { Intent } from '../../../agent/core/model.ts';
import type { Host } from '../host.ts';
import { WITNESS } from '../network.ts';
import type { World } from '../world.ts';

/** One invariant. A new one for every world: it remembers since when things are as they are. */
export interface Check {
  readonly name: string;
  readonly check: (world: World) => void;
}

/** Since when each of several things has been so without a break, as far as looked. */
export class Since {
  readonly #at = new Map<string, number>();

  /** For how long `holds` has been true, ms; 0 while it is not. */
  ms(key: string, holds: boolean, nowMs: number): number {
    if (!holds) {
      this.#at.delete(key);
      return 0;
    }
    const sinceMs = this.#at.get(key) ?? nowMs;
    this.#at.set(key, sinceMs);
    return nowMs - sinceMs;
  }
}

export const isRunning = (host: Host): boolean => host.up && !host.paused;

/** Clients reach it: up, linked and not cut off from the LAN. */
export const isAttached = (world: World, host: Host): boolean =>
  isRunning(host) && host.linkUp && world.network.isClean('lan', host.name, WITNESS);

/** Attached, and the witness answers it or another agent may be heard: it is not alone. */
export const hearsSomebody = (world: World, host: Host): boolean =>
  isAttached(world, host) &&
  (world.network.isClean('echo', host.name, WITNESS) ||
    world.hosts.some(
      (other) =>
        other !== host &&
        isRunning(other) &&
        world.network.isClean('gossip', host.name, other.name),
    ));

/** Hosts clients reach that answer for the address. */
export const masters = (world: World, vhid: number): Host[] =>
  world.hosts.filter((host) => isAttached(world, host) && host.isMaster(vhid));

export const serves = (host: Host): boolean => host.up && host.haproxy.state === 'up';

/** A backend is down as seen from here and up as seen from another serving host. */
export const isDegraded = (world: World, host: Host): boolean =>
  [...host.haproxy.backendsDown].some((name) =>
    world.hosts.some(
      (other) => other !== host && serves(other) && !other.haproxy.backendsDown.has(name),
    ),
  );

/** Its agent runs, is not stopped and takes part. */
export const isManaged = (host: Host): boolean =>
  isRunning(host) && host.agent !== null && !host.agent.process.stopped && host.agent.isJoined();

/** Every agent takes part; once all do, a quiet time begins anew. */
export const areManaged = (world: World): boolean => world.hosts.every(isManaged);

/**
 * A text that changes when a wish or a spent budget ends by itself, without
 * anything happening; null while the hosts' clocks disagree on what is in force.
 */
export function circumstances(world: World): string | null {
  const ends = new Map<string, boolean>();
  for (const { agent } of world.hosts) {
    const wallMs = agent?.process.clock.wallMs() ?? 0;
    for (const intent of agent?.intents().values() ?? []) {
      if (intent.untilWallMs === null) continue;
      const { wallMs: stampedMs, count, node } = intent.stamp;
      const key = `${intent.key} ${stampedMs} ${count} ${node}`;
      const holds = inForce(intent, wallMs);
      if ((ends.get(key) ?? holds) !== holds) return null;
      ends.set(key, holds);
    }
  }
  const spent = world.options.vhids.filter(({ vhid }) => isSpent(world, vhid)).length;
  return `${[...ends.values()].filter(Boolean).length} ${spent}`;
}

/** The intent in force under a key as this host's agent has it. */
export function wished(host: Host, key: string): Intent | null {
  const { agent } = host;
  const intent = agent?.intents().get(key);
  if (agent === null || intent === undefined) return null;
  return inForce(intent, agent.process.clock.wallMs()) ? intent : null;
}

export const addressOf = (vhid: number): string => `${vhid}@vtnet0`;
export const pinOf = (host: Host, vhid: number): string | null =>
  wished(host, pinKey(addressOf(vhid)))?.value ?? null;
export const isInMaintenance = (host: Host): boolean =>
  wished(host, maintenanceKey(host.name)) !== null;
export const isPaused = (world: World): boolean =>
  world.hosts.some((host) => wished(host, PAUSE_KEY) !== null);

/** The health moves that every agent's report counts have used the budget up. */
export function isSpent(world: World, vhid: number): boolean {
  const moves = world.hosts.flatMap(
    (host) =>
      host.report()?.addresses.find(({ address }) => address === addressOf(vhid))?.movesAtMs ?? [],
  );
  return moves.length >= world.policy.maxMoves;
}

export const losesAdverts = (world: World): boolean =>
  world.hosts.some((host) => host.agent?.loop?.decision()?.advertsLost === true);

export const names = (hosts: readonly Host[]): string =>
  hosts.length === 0 ? 'nobody' : hosts.map(({ name }) => name).join(' and ');
