import type { Config } from '../config/config.ts';
import { happening } from '../core/events/events.ts';
import { watchEvents } from '../events/watch.ts';
import type { startNode } from '../node.ts';
import type { Clock } from '../sys/clock.ts';
import { VERSION } from '../version.ts';
import type { HostFiles } from './host-files.ts';
import type { hostNotify } from './host-notify.ts';
import type { hostPair } from './host-pair.ts';
import type { reloading } from './reload.ts';

type Reloaded = ReturnType<ReturnType<typeof reloading>>;

/** Puts on record what happens on this node from now on. */
export function hostEvents(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly files: Pick<HostFiles, 'events' | 'stored' | 'save'>;
  readonly running: Pick<ReturnType<typeof startNode>, 'loop' | 'gossip' | 'onIntents'>;
  readonly parts: Pick<ReturnType<typeof hostPair>, 'status'>;
  readonly notify: Pick<Awaited<ReturnType<typeof hostNotify>>, 'happened' | 'look' | 'saved'>;
}) {
  const { config, clock, files, running, parts, notify } = host;
  const { node } = config;
  const { events, stored, save } = files;
  const { loop, gossip } = running;
  const watch = watchEvents({
    node,
    clock,
    record: events,
    standing: stored.standing,
    moves: stored.history,
    // After what is to be told of it: at worst an alert is raised once more after a start.
    keep: (standing) =>
      void notify
        .saved()
        .then(() => save({ standing }))
        .catch(() => undefined),
  });
  let waited = '';
  running.onIntents((taken) => watch.decided(taken));
  events.listen(notify.happened);
  loop.onRound(() => {
    watch.look({
      report: loop.report(),
      peers: loop.peers(),
      alerts: parts.status().alerts,
      moves: loop.history(),
      intents: gossip.intents(),
    });
    notify.look(loop.peers(), loop.report()?.joined === true);
  });
  return {
    started: (): void =>
      events.add([happening('agent-started', node, `proxyagent ${VERSION}, pid ${process.pid}`)]),
    /** SIGHUP comes with each turn of a log, too: what it changes is told. */
    reloaded({ taken, waiting, refused }: Reloaded): void {
      if (refused !== '') {
        events.add([happening('config-refused', 'agent.toml and TLS files', refused)]);
        return;
      }
      const waits = waiting.join(', ');
      const isNew = waits !== '' && waits !== waited;
      waited = waits;
      if (taken.length === 0 && !isNew) return;
      const words = [
        ...(taken.length === 0 ? [] : [`in force: ${taken.join(', ')}`]),
        ...(waits === '' ? [] : [`waiting for a restart: ${waits}`]),
      ];
      events.add([happening('config-reloaded', 'agent.toml', words.join('; '))]);
    },
    refused: (cause: string): void =>
      events.add([happening('config-refused', 'agent.toml', cause)]),
  };
}
