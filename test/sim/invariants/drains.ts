import { inForce, parseServerKey } from '../../../agent/core/intents.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { isManaged, type Check } from './truth.ts';

const QUIET_MS = 5000;

/**
 * I7: what operators wished of servers is in force in every HAProxy that runs,
 * restarts included, and nothing else is. Tolerated until nothing was wrong for
 * QUIET_MS.
 */
export function drains(): Check {
  const check = (world: World): void => {
    if (world.quietMs() < QUIET_MS) return;
    for (const host of world.hosts) {
      const { agent, haproxy } = host;
      if (agent === null || !isManaged(host) || haproxy.state !== 'up') continue;
      const wallMs = agent.process.clock.wallMs();
      const wished = new Map<string, string>();
      for (const intent of agent.intents().values()) {
        const target = parseServerKey(intent.key);
        if (target === null || !inForce(intent, wallMs) || intent.value === 'ready') continue;
        wished.set(`${target.backend}/${target.server}`, intent.value);
      }
      for (const key of new Set([...wished.keys(), ...haproxy.servers.keys()])) {
        const is = haproxy.servers.get(key) ?? 'ready';
        const should = wished.get(key) ?? 'ready';
        if (is !== should)
          throw new Violation('drains', `${host.name}: ${key} is ${is} and should be ${should}`);
      }
    }
  };
  return { name: 'drains', check };
}
