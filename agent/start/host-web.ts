import type { Config } from '../config/config.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { events } from '../verbs/events.ts';
import { listServers } from '../verbs/list-servers.ts';
import type { hostPair } from './host-pair.ts';
import { shown, type Shown } from './shown.ts';

/** The page of the pair, from when agent.toml asks for it. */
export function hostWeb(host: {
  readonly clock: Clock;
  readonly problems: Problems;
  readonly parts: Pick<ReturnType<typeof hostPair>, 'pair' | 'status'>;
  readonly certificates: () => CertificatesSeen;
}): Shown<Config['web']> {
  const { clock, problems, certificates } = host;
  const { pair, status } = host.parts;
  // Read where it is wanted only; one file with the rest in the package.
  return shown(async (place) => {
    const [{ startWeb }, { MOST_EVENTS }] = await Promise.all([
      import('../web/web.ts'),
      import('../web/events.ts'),
    ]);
    const last = { sinceMs: null, untilMs: null, kinds: [], nodes: [], limit: MOST_EVENTS };
    return startWeb({
      place,
      clock,
      problems,
      status,
      servers: () => listServers(pair, null),
      events: () => events(pair, last),
      certificates,
    });
  });
}
