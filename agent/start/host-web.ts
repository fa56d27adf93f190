import type { Config } from '../config/config.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { events } from '../verbs/events.ts';
import { listServers } from '../verbs/list-servers.ts';
import type { hostPair } from './host-pair.ts';

/** The page of the pair, where agent.toml asks for it; null: it does not. */
export async function hostWeb(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly parts: Pick<ReturnType<typeof hostPair>, 'pair' | 'status'>;
  readonly certificates: () => CertificatesSeen;
}): Promise<{ close(): void } | null> {
  const { config, clock, problems, certificates } = host;
  const { pair, status } = host.parts;
  const { listen: addresses } = config.web;
  if (addresses.length === 0) return null;
  // Read where it is wanted only; one file with the rest in the package.
  const [{ startWeb }, { MOST_EVENTS }] = await Promise.all([
    import('../web/web.ts'),
    import('../web/events.ts'),
  ]);
  const last = { sinceMs: null, untilMs: null, kinds: [], nodes: [], limit: MOST_EVENTS };
  return startWeb({
    addresses,
    clock,
    problems,
    status,
    servers: () => listServers(pair, null),
    events: () => events(pair, last),
    certificates,
  });
}
