import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { happening } from '../core/events/events.ts';
import { nodePush, type NodePush } from '../deploy/node.ts';
import { pushJournal } from '../deploy/journal.ts';
import { served } from '../deploy/served.ts';
import type { Haproxy } from '../haproxy/haproxy.ts';
import { listener } from '../haproxy/listener.ts';
import type { Privileges } from '../privilege/privileges.ts';
import type { Clock } from '../sys/clock.ts';
import type { HostFiles } from './host-files.ts';

/** A listener that accepts has so long to answer. */
const KNOCK_MS = 2000;

/** This host's part of a push of HAProxy's configuration. */
export function hostPush(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly privileges: Pick<Privileges, 'deployments' | 'commands'>;
  readonly files: Pick<HostFiles, 'revocations' | 'events'>;
  readonly haproxy: Pick<Haproxy, 'report' | 'applied' | 'reread'>;
  /** VIPs that this host does not have now. */
  readonly elsewhere: () => readonly string[];
}): NodePush {
  const { config, clock, privileges, files, haproxy, elsewhere } = host;
  const { node } = config;
  const listeners = listener({ ...config.haproxy, elsewhere });
  return nodePush({
    node,
    path: config.haproxy.config,
    deployments: privileges.deployments,
    lists: () => files.revocations.text(),
    journal: pushJournal(join(config.state, 'push')),
    served: served({
      node,
      haproxy,
      command: () => privileges.commands.reload(),
      async knock() {
        await listeners.prepare();
        return listeners.ask(KNOCK_MS);
      },
      clock,
    }),
    pushed: ({ number, actor, reason }) =>
      files.events.add([
        happening(
          'haproxy-config-pushed',
          config.haproxy.config,
          `version ${number}, by ${actor}${reason === '' ? '' : `: ${reason}`}`,
          { actor, reason },
        ),
      ]),
  });
}
