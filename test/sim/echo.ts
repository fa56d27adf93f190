import type { Echo } from '../../agent/witness/echo.ts';
import type { Agent } from './agent.ts';
import { WITNESS } from './network.ts';

/** The gateway on the LAN. */
export const WITNESS_ADDRESS = '192.0.2.1';

/** Echo over the simulated LAN: a host answers whatever its agent does. */
export function simEcho(agent: Agent, answered: (address: string) => void): Echo {
  const { world, name, process } = agent;
  const hosts = new Map(world.hosts.map((host) => [host.address, host.name]));
  return {
    kind: 'raw-socket',
    calmMs: 500,
    hastyMs: 30,
    send(address) {
      const to = address === WITNESS_ADDRESS ? WITNESS : hosts.get(address);
      if (to === undefined) return;
      world.network.echo(name, to, () => process.deliver(() => answered(address)));
    },
    close: () => undefined,
  };
}
