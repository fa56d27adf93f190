import { hostCertificates } from '../certs/host-certificates.ts';
import type { Config } from '../config/config.ts';
import { HAPROXY_SOCKET } from '../core/health.ts';
import type { Intents } from '../core/intents.ts';
import { configReader } from '../haproxy/config-reading.ts';
import { haproxy } from '../haproxy/haproxy.ts';
import { wordsByRoot } from '../haproxy/process-table.ts';
import { driftLine } from '../haproxy/server-drift.ts';
import { startedWith } from '../haproxy/started-with.ts';
import { statsSocket } from '../haproxy/stats-socket.ts';
import type { Log } from '../log.ts';
import type { Latest } from '../loop/latest.ts';
import { vipsElsewhere } from '../loop/observe.ts';
import type { Privileges } from '../privilege/privileges.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import type { HostFiles } from './host-files.ts';

/** HAProxy of this host: its socket, its certificates, and what it runs once `make` is given the wishes. */
export function hostHaproxy(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly privileges: Privileges;
  readonly problems: Problems;
  readonly latest: Latest;
  readonly files: Pick<HostFiles, 'stored' | 'save'>;
  readonly descriptors: Descriptors;
  readonly onChange: () => void;
  /** HAProxy is there, or there again. */
  readonly onUp: () => void;
}) {
  const { config, clock, log, privileges, problems, latest, files, descriptors } = host;
  const { stored, save } = files;
  const elsewhere = (): string[] => vipsElsewhere(latest.report());
  const rootProcesses = (): Promise<string> => privileges.commands.processes();
  const socket = statsSocket({ ...config.haproxy, elsewhere, clock, descriptors, rootProcesses });
  const here = { node: config.node, config, clock, socket };
  const certificates = hostCertificates({
    ...here,
    files: privileges.files,
    reload: () => privileges.commands.reload(),
    rootProcesses,
    elsewhere,
  });
  const make = (intents: () => Intents) =>
    haproxy({
      ...here,
      listCertificates: certificates.list,
      rootProcesses,
      intents,
      servers: stored.servers,
      saveServers: (servers) => save({ servers }).catch(() => undefined),
      onChange: host.onChange,
      onDrift: (drift, restored) => log.warn(...driftLine(drift, restored)),
      onLost: (key, server, why) =>
        log.warn('alert', { id: `server-${server}`, subject: key, state: 'raised' }, why),
      onLiveness(liveness) {
        log.info('haproxy-changed', { ...liveness }, `HAProxy ${liveness.kind}`);
        if (liveness.kind === 'up') host.onUp();
        if (liveness.kind !== 'unknown') problems.clear(HAPROXY_SOCKET);
        else problems.raise(HAPROXY_SOCKET, liveness.cause, liveness.remedy);
      },
    });
  const configuration = configReader({
    ask: socket.ask,
    started: startedWith({
      ask: socket.ask,
      config: config.haproxy.config,
      byRoot: wordsByRoot(rootProcesses),
    }),
    wallMs: () => clock.wallMs(),
  });
  return { socket, certificates, configuration, make };
}
