import type { Config } from '../config/config.ts';
import type { Ends } from '../ends.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { hostMetrics } from './host-metrics.ts';
import { hostWeb } from './host-web.ts';

/**
 * What others than operators' commands see of this agent, where agent.toml asks for it: metrics and
 * the page. `ended` counts calls for the metrics; `become` takes another agent.toml.
 */
export async function hostShown(
  host: Parameters<typeof hostMetrics>[0] &
    Parameters<typeof hostWeb>[0] & { readonly config: Config; readonly ends: Ends },
): Promise<{
  readonly ended: Metrics['ended'];
  readonly become: (next: Pick<Config, 'metrics' | 'web'>) => Promise<void>;
}> {
  const metrics = hostMetrics(host);
  host.ends.opened(() => metrics.close());
  const web = hostWeb(host);
  host.ends.opened(() => web.close());
  const become = async (next: Pick<Config, 'metrics' | 'web'>): Promise<void> => {
    await Promise.all([metrics.become(next.metrics), web.become(next.web)]);
  };
  await become(host.config);
  return { ended: metrics.ended, become };
}
