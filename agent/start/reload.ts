import { applyConfig } from '../apply-config.ts';
import type { Config } from '../config/config.ts';
import type { Policy } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import type { Tls } from '../rpc/tls.ts';

/** Moves nothing. */
const RESTART = 'service proxyagent restart';

/**
 * What SIGHUP does: TLS files again (bad ones leave the good in use), and of
 * agent.toml what can change without a restart; the rest is named.
 */
export function reloading(options: {
  readonly running: Config;
  readonly policy: Policy;
  readonly tls: Tls;
  readonly log: Log;
  readonly problems: Problems;
}): (next: Config) => void {
  const { running, policy, tls, log, problems } = options;
  return (next) => {
    try {
      tls.reload();
      problems.clear('tls');
    } catch (error) {
      problems.raise('tls', sentence(error), 'the files before are still in use');
    }
    const { taken, waiting } = applyConfig(running, next, policy);
    if (taken.length > 0)
      log.info('config-reloaded', { keys: taken }, `in force: ${taken.join(', ')}`);
    if (waiting.length === 0) problems.clear('restart-needed');
    else {
      const cause = `${waiting.join(', ')} changed in agent.toml and need a restart`;
      log.warn('config-waits', { keys: waiting }, cause);
      problems.raise('restart-needed', cause, RESTART);
    }
  };
}
