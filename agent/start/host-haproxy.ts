import type { Config } from '../config/config.ts';
import { haproxyPart, type HaproxyPart, type HaproxyPartOptions } from '../haproxy/haproxy.ts';
import { driftLine } from '../haproxy/server-drift.ts';
import type { Log } from '../log.ts';
import type { Latest } from '../loop/latest.ts';
import type { Privileges } from '../privilege/privileges.ts';
import type { Problems } from '../problems.ts';
import type { Store } from '../store/state.ts';

const STATS_GROUP = 'stats socket ... mode 660 level admin group proxyctl, in haproxy.conf';

/** The HAProxy of this host, with what the agent lends it and who is told. */
export function hostHaproxy(
  lent: Pick<HaproxyPartOptions, 'config' | 'clock' | 'intents'> & {
    readonly config: Config;
    readonly log: Log;
    readonly privileges: Privileges;
    readonly problems: Problems;
    readonly latest: Latest;
    readonly save: Store['save'];
  },
  { state }: Store,
  tell: { readonly changed: () => void; readonly up: () => void },
): HaproxyPart {
  const { config, clock, log, privileges, problems, latest, save, intents } = lent;
  return haproxyPart({
    node: config.node,
    config,
    clock,
    files: privileges.files,
    reload: () => privileges.commands.reload(),
    intents,
    servers: state.servers,
    saveServers: (servers) => save({ servers }).catch(() => undefined),
    elsewhere: () =>
      (latest.report()?.addresses ?? [])
        .filter((address) => address.state !== 'MASTER')
        .flatMap(({ vips }) => vips),
    onChange: tell.changed,
    onDrift: (drift, restored) => log.warn(...driftLine(drift, restored)),
    onLiveness(liveness) {
      log.info('haproxy-changed', { ...liveness }, `HAProxy ${liveness.kind}`);
      if (liveness.kind === 'up') tell.up();
      if (liveness.kind !== 'barred') problems.clear('haproxy-socket');
      else problems.raise('haproxy-socket', liveness.cause, STATS_GROUP);
    },
  });
}
