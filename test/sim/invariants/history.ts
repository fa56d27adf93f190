import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { addressOf, type Check } from './truth.ts';

/** An agent reads within 3 s even where devd is silent, and its ifconfig may take a second. */
const SEEN_MS = 5000;

interface Watched {
  readonly startedAtMs: number;
  /** Promotions of the kernel during this start of the agent. */
  promotions: number;
  /** Since when it is MASTER without a break, and what was recorded before. */
  sinceMs: number | null;
  recordedBefore: number;
}

/**
 * I9: an address that came to a node and stayed has its record there, written
 * once. Not looked at: an agent that stands still or has just started, and
 * what came and went faster than it was read.
 */
export function history(): Check {
  const all = new Map<string, Watched>();
  const check = (world: World): void => {
    for (const host of world.hosts) {
      const { agent } = host;
      for (const { vhid } of world.options.vhids) {
        const key = `${host.name} ${vhid}`;
        const known = all.get(key);
        if (agent === null || !agent.isJoined() || host.slowMs > 0 || agent.process.stopped) {
          all.delete(key);
          continue;
        }
        const records = (agent.loop?.history() ?? []).filter(
          // That another node kept it is no promotion of this one.
          (one) => one.address === addressOf(vhid) && one.cause !== 'away' && one.to === host.name,
        ).length;
        const isMaster = host.isMaster(vhid);
        if (known === undefined || known.startedAtMs !== agent.startedAtMs) {
          // What it was before this agent was watched is not known: it counts from the next change.
          const { startedAtMs } = agent;
          all.set(key, { startedAtMs, promotions: 0, sinceMs: null, recordedBefore: records });
          if (isMaster) all.delete(key);
          continue;
        }
        if (!isMaster) {
          if (known.sinceMs !== null) known.sinceMs = null;
          continue;
        }
        if (known.sinceMs === null) {
          known.sinceMs = world.nowMs;
          known.promotions++;
        }
        const made = records - known.recordedBefore;
        if (made > known.promotions)
          fail(
            `${host.name} recorded ${made} times that it got vhid ${vhid}: it did ${known.promotions} times`,
          );
        if (world.nowMs - known.sinceMs > SEEN_MS && made === 0)
          fail(`${host.name} has vhid ${vhid} for ${SEEN_MS} ms and no record says why`);
      }
    }
  };
  return { name: 'history', check };
}

function fail(text: string): never {
  throw new Violation('history', text);
}
