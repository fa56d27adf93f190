import type { Family } from '../kernel/kernel.ts';
import type { Host } from './host.ts';
import type { Rule } from './network.ts';
import { STATE_FILE } from './agent.ts';
import { forgetLost } from './lost.ts';
import type { World } from './world.ts';

/** Something that goes wrong and is mended later. */
export interface Fault {
  readonly name: string;
  readonly start: () => void;
  readonly end: () => void;
}

/** Lets a fault begin now; returns what ends it, once. */
export function begin(world: World, fault: Fault): () => void {
  const id = `${fault.name} #${world.number()}`;
  world.story.say('', `FAULT ${fault.name}`);
  world.faults.add(id);
  world.troubled();
  fault.start();
  let over = false;
  return () => {
    if (over) return;
    over = true;
    world.story.say('', `HEALED ${fault.name}`);
    fault.end();
    world.faults.delete(id);
    world.troubled();
  };
}

/** A fault for so many ms. */
export function during(world: World, ms: number, fault: Fault): void {
  const end = begin(world, fault);
  world.in(ms, end);
}

const rules = (world: World, name: string, list: readonly Rule[]): Fault => ({
  name,
  start: () => {
    for (const rule of list) world.network.rules.add(rule);
  },
  end: () => {
    for (const rule of list) world.network.rules.delete(rule);
  },
});

/** Nothing of the LAN reaches or leaves the host; with one network, gossip neither. */
export const hostCut = (world: World, host: Host): Fault =>
  rules(world, `${host.name} is cut off the LAN`, [
    { traffic: 'lan', from: host.name, to: null, loss: 1 },
    { traffic: 'lan', from: null, to: host.name, loss: 1 },
  ]);

export const gossipCut = (
  world: World,
  from: string | null = null,
  to: string | null = null,
): Fault =>
  rules(world, `gossip from ${from ?? 'all'} to ${to ?? 'all'} is cut`, [
    { traffic: 'gossip', from, to, loss: 1 },
  ]);

/** A filter on one side: what `from` says does not arrive, what it hears goes on. */
export const gossipOneWay = (world: World, from: Host, to: Host): Fault =>
  rules(world, `${from.name} does not reach the agent of ${to.name}`, [
    { traffic: 'port', from: from.name, to: to.name, loss: 1 },
  ]);

/** A filter on both sides: the hosts and their adverts are well. */
export const portClosed = (world: World): Fault =>
  rules(
    world,
    'no agent reaches another',
    world.hosts.flatMap((one) =>
      world.hosts
        .filter((other) => other !== one)
        .map((other) => ({ traffic: 'port', from: one.name, to: other.name, loss: 1 }) as const),
    ),
  );

export const gossipSlow = (world: World, delayMs: number): Fault =>
  rules(world, `gossip takes ${Math.round(delayMs)} ms`, [
    { traffic: 'gossip', from: null, to: null, loss: 0, delayMs },
  ]);

export function advertsLost(
  world: World,
  loss: number,
  change: { readonly family?: Family; readonly from?: string; readonly to?: string } = {},
): Fault {
  const { family, from = null, to = null } = change;
  const which = family === undefined ? 'adverts' : `IPv${family} adverts`;
  const rule: Rule = { traffic: 'advert', from, to, loss, ...(family ? { family } : {}) };
  return rules(
    world,
    `${Math.round(100 * loss)} % of ${which} from ${from ?? 'all'} to ${to ?? 'all'} are lost`,
    [rule],
  );
}

/** Another password is typed on a host; at the end the right one, over all of it. */
export const passwordWrong = (host: Host, wrong: string, right: string): Fault => ({
  name: `${host.name} has another password`,
  start: () => host.typePassword(wrong),
  end: () => host.typePassword(right),
});

export const echoFiltered = (world: World): Fault =>
  rules(world, 'echo is filtered', [{ traffic: 'echo', from: null, to: null, loss: 1 }]);

/** A box in the middle resets every connection between agents; new ones stand. */
export function connectionsReset(world: World, how: 'reset' | 'ended'): void {
  world.story.say('', `every gossip connection is ${how === 'reset' ? 'reset' : 'closed'}`);
  world.troubled();
  for (const { agent } of world.hosts)
    for (const link of agent?.links.values() ?? []) link.cut(how);
}

export const agentKilled = (host: Host, how: 'kill' | 'stop' = 'kill'): Fault => ({
  name: `agent ${how} on ${host.name}`,
  start: () => host.endAgent(how),
  end: () => host.startAgent(),
});

export function agentFrozen(host: Host): Fault {
  const process = host.agent?.process;
  return {
    name: `agent frozen on ${host.name}`,
    start: () => process?.stop(),
    end: () => {
      if (!host.paused) process?.resume();
    },
  };
}

/** The agent gets hardly any processor: it stands still again and again for short. */
export function starved(world: World, host: Host): Fault {
  let over = false;
  const turn = (): void => {
    if (over) return;
    const process = host.agent?.process;
    process?.stop();
    world.in(world.random.between(50, 900), () => {
      if (!host.paused) process?.resume();
      world.in(world.random.between(20, 600), turn);
    });
  };
  return {
    name: `agent starved on ${host.name}`,
    start: turn,
    end: () => {
      over = true;
    },
  };
}

/** `behind`: empty, and the clock stands years back until ntpd(8) has set it. */
export type DiskLoss = 'kept' | 'torn' | 'empty' | 'old' | 'behind';

const BEHIND_MS = 100_000_000_000;

/** Power is lost and comes back: rc.conf again, HAProxy and the agent later. */
export function hostCrashed(world: World, host: Host, disk: DiskLoss = 'kept'): Fault {
  let fell = false;
  return {
    name: `${host.name} crashes`,
    start: () => {
      fell = host.up;
      if (fell) host.crash();
    },
    end: () => {
      // One that lay down already is started by the crash that felled it.
      if (!fell) return;
      if (disk === 'torn') host.disk.tear(STATE_FILE);
      if (disk === 'empty' || disk === 'behind') host.disk.empty();
      if (disk === 'behind') {
        host.clock.wallMs -= BEHIND_MS;
        world.in(world.random.between(10_000, 20_000), () => clockSteps(world, host, BEHIND_MS));
      }
      if (disk === 'old') host.disk.restore(host.backup);
      if (disk !== 'kept') forgetLost(world);
      host.start(world.random.between(200, 6000), world.random.between(500, 8000));
    },
  };
}

export const machinePaused = (host: Host): Fault => ({
  name: `${host.name} stands still`,
  start: () => host.setPaused(true),
  end: () => host.setPaused(false),
});

/** An advert could not be sent while it was MASTER (pf, `block out proto carp`): the kernel adds and never takes back. */
export function sendError(host: Host): Fault {
  let boot = 0;
  return {
    name: `a send error demotes ${host.name}`,
    start() {
      ({ boot } = host);
      host.demote(240);
    },
    // A reboot has taken it back already.
    end() {
      if (host.boot === boot) host.demote(-240);
    },
  };
}

export const linkDown = (host: Host): Fault => ({
  name: `link down on ${host.name}`,
  start: () => host.setLink(false),
  end: () => host.setLink(true),
});

export const haproxyDead = (host: Host): Fault => ({
  name: `HAProxy dead on ${host.name}`,
  start: () => host.haproxy.stop('is killed'),
  end: () => {
    if (host.up) host.haproxy.start();
  },
});

export const haproxyHung = (host: Host): Fault => ({
  name: `HAProxy hangs on ${host.name}`,
  start: () => host.haproxy.hang(),
  end: () => host.haproxy.wake(),
});

export function haproxyRestarted(world: World, host: Host): void {
  world.troubled();
  if (host.up) host.haproxy.start();
}

export const backendDown = (hosts: readonly Host[], name: string): Fault => ({
  name: `backend ${name} down on ${hosts.map((host) => host.name).join(' and ')}`,
  start: () => {
    for (const { haproxy } of hosts) haproxy.setBackend(name, false);
  },
  end: () => {
    for (const { haproxy } of hosts) haproxy.setBackend(name, true);
  },
});

export const slowTools = (host: Host, ms: number): Fault => ({
  name: `tools on ${host.name} take up to ${Math.round(ms)} ms more`,
  start: () => {
    host.slowMs = ms;
  },
  end: () => {
    host.slowMs = 0;
  },
});

export const diskFull = (host: Host): Fault => ({
  name: `disk full on ${host.name}`,
  start: () => {
    host.disk.full = true;
  },
  end: () => {
    host.disk.full = false;
  },
});

export const devdGone = (host: Host): Fault => ({
  name: `devd gone on ${host.name}`,
  start: () => {
    host.deaf = true;
  },
  end: () => {
    host.deaf = false;
    host.agent?.carpChanged();
  },
});

/** The wall clock steps; the monotonic one does not. */
export function clockSteps(world: World, host: Host, ms: number): void {
  world.story.say(host.name, `the clock steps by ${(ms / 1000).toFixed(1)} s`);
  world.troubled();
  host.clock.wallMs += ms;
}
