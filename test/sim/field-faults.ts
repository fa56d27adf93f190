import type { NodeReport } from '../../agent/core/model.ts';
import { hostCrashed, type Fault } from './faults.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/** SIGUSR1: nobody accepts any more, and the process lives on with its sessions. */
export const haproxySoftStopped = (host: Host): Fault => ({
  name: `HAProxy of ${host.name} is stopped softly`,
  start: () => host.haproxy.stopSoftly(),
  end: () => {
    if (host.up) host.haproxy.start();
  },
});

/** A new process takes the listeners over without a gap; the old one keeps its sessions. */
export function haproxyReloaded(world: World, host: Host): void {
  world.troubled();
  if (host.up) host.haproxy.reload();
}

/** It serves, and its agent may not ask it. */
export const haproxyUnknown = (host: Host): Fault => ({
  name: `HAProxy of ${host.name} cannot be asked`,
  start: () => host.haproxy.bar(true),
  end: () => host.haproxy.bar(false),
});

/** reboot(8): every process ends at once, the kernel answers on for ten seconds. */
export function rebooted(world: World, host: Host): Fault {
  const crash = hostCrashed(world, host);
  let felled: ReturnType<World['in']> | null = null;
  return {
    name: `${host.name} reboots`,
    start() {
      host.endAgent('kill');
      host.haproxy.stop('is ended by reboot(8)');
      felled = world.in(10_000, crash.start);
    },
    end() {
      if (felled !== null) felled.cancelled = true;
      if (host.up) crash.start();
      crash.end();
    },
  };
}

/**
 * A copy of the host runs with its name and certificate, as it was when it was copied, and tells
 * every other agent so. It does not reach the LAN. `later`: it counts one start more; `alike`: the
 * same, as after a disk was copied and both were started within a second.
 */
export function cloned(world: World, host: Host, how: 'later' | 'alike' = 'later'): Fault {
  const startId = world.start();
  let over = false;
  let sequence = 0;
  const told = new Map<Host, NodeReport>();
  const speak = (): void => {
    if (over) return;
    sequence++;
    for (const [other, report] of told)
      other.agent?.process.deliver(() =>
        other.agent?.gossip?.receive(host.name, {
          kind: 'report',
          report: { ...report, epoch: report.epoch + Number(how === 'later'), startId, sequence },
          ageMs: 0,
        }),
      );
    world.in(world.random.between(100, 700), speak);
  };
  return {
    name: `a copy of ${host.name} runs`,
    start() {
      world.copied.add(host);
      for (const other of world.hosts) {
        const known = other.agent?.loop?.peers().find(({ node }) => node === host.name)?.report;
        if (other !== host && known) told.set(other, known);
      }
      speak();
    },
    end: () => {
      over = true;
      world.copied.delete(host);
    },
  };
}
