import type { Ends } from '../ends.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { hostMetrics } from './host-metrics.ts';
import { hostWeb } from './host-web.ts';

/**
 * What others than operators' commands see of this agent, where agent.toml asks for it: metrics and
 * the page. `ended` counts calls for the metrics; null: none are wanted.
 */
export async function hostShown(
  host: Parameters<typeof hostMetrics>[0] & Parameters<typeof hostWeb>[0] & { readonly ends: Ends },
): Promise<{ readonly ended: Metrics['ended'] | null }> {
  const metrics = await hostMetrics(host);
  host.ends.opened(() => metrics?.close());
  const web = await hostWeb(host);
  host.ends.opened(() => web?.close());
  return { ended: metrics?.ended ?? null };
}
