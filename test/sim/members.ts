import { ActFailure } from '../../agent/core/results.ts';
import type { ServerReading } from '../../agent/core/answers.ts';
import type { Member } from '../../agent/core/member.ts';
import type { Intent } from '../../agent/core/model.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { memberOf, pairOf as scriptedPair } from '../scripted.ts';
import type { Agent, SimNode } from './agent.ts';
import { SERVERS, type Haproxy } from './haproxy.ts';
import type { Process } from './process.ts';

const STORE_MS = 2000;

/** The pair as the real verbs use it, from this agent. */
export function pairOf(agent: Agent, { gossip, loop, view }: SimNode): Pair {
  const { world, name } = agent;
  const { clock } = agent.process;
  const others = world.hosts.filter((host) => host.name !== name);
  return scriptedPair([local(agent), ...others.map((host) => remote(agent, host.name))], {
    name: 'sim',
    clock,
    policy: world.policy,
    view,
    intents: gossip.intents,
    onRound: (listener) => loop.onRound(listener),
  });
}

/** Tells one intent from every other that was ever made. */
export const nameOf = ({ key, stamp }: Intent): string =>
  `${key} ${stamp.wallMs} ${stamp.count} ${stamp.node}`;

/** Certificates are not simulated: what is asked of them fails. */
const local = (agent: Agent): Member =>
  memberOf(agent.name, {
    async storeIntents(intents) {
      // Verbs store on their own node first.
      for (const intent of intents) agent.world.made.set(nameOf(intent), intent);
      return { newer: await agent.storeIntents(agent.name, intents) };
    },
    history: () => Promise.resolve(agent.loop?.history() ?? []),
    findServers: (_instance, backend) => servers(agent.host.haproxy, agent.process, backend),
    shutSessions: () => Promise.resolve(),
  });

/** Over the link this agent has to it: agent/rpc/peer-calls.ts without its wire. */
function remote(agent: Agent, peer: string): Member {
  const call = <T>(work: (there: Agent) => Promise<T>): Promise<T> => {
    const link = agent.links.get(peer);
    if (link === undefined) return Promise.reject(new TypeError(`${peer} is no peer`));
    return link.call(STORE_MS, work);
  };
  return memberOf(peer, {
    storeIntents: (intents) =>
      call(async (there) => {
        // What is left of a limit travels, not the moment: the hosts' clocks differ.
        const aheadMs = there.process.clock.wallMs() - agent.process.clock.wallMs();
        const arrived = intents.map((intent) =>
          intent.untilWallMs === null
            ? intent
            : { ...intent, untilWallMs: intent.untilWallMs + aheadMs },
        );
        return { newer: await there.storeIntents(agent.name, arrived) };
      }),
    history: () => call((there) => Promise.resolve(there.loop?.history() ?? [])),
    findServers: (_instance, backend) =>
      call((there) => servers(there.host.haproxy, there.process, backend)),
    shutSessions: () => Promise.resolve(),
  });
}

function servers(
  haproxy: Haproxy,
  process: Process,
  backend: string,
): Promise<readonly ServerReading[]> {
  return new Promise((resolve, reject) => {
    process.later(2, () => {
      if (haproxy.state !== 'up') {
        reject(new ActFailure('failed', { code: 'haproxy_unreachable', message: 'it is down' }));
        return;
      }
      resolve(
        SERVERS.map((name) => {
          const admin = haproxy.servers.get(`${backend}/${name}`) ?? 'ready';
          const status = admin === 'ready' ? 'UP' : admin === 'drain' ? 'DRAIN' : 'MAINT';
          const adminBits = admin === 'ready' ? 0 : admin === 'drain' ? 8 : 1;
          const unsaid = { connectErrors: null, responseErrors: null, http5xx: null };
          const figures = { ...unsaid, bytesIn: null, bytesOut: null, responseMs: null };
          const none = { sessions: 0, queued: 0, total: 0, older: 0, uncounted: 0 };
          const rest = {
            ...none,
            weight: 1,
            initialWeight: 1,
            agentChecked: false,
            stateFile: false,
            address: '10.1.70.11',
            figures,
          };
          return { backend, name, status, admin, adminBits, ...rest, check: '', backup: false };
        }),
      );
    });
  });
}
