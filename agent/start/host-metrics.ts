import type { Config } from '../config/config.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import type { startNode } from '../node.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { VERSION } from '../version.ts';
import type { hostPair } from './host-pair.ts';

/** Metrics of this agent, where agent.toml asks for them; null: it does not. */
export async function hostMetrics(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly parts: Pick<ReturnType<typeof hostPair>, 'pair' | 'status'>;
  readonly running: Pick<ReturnType<typeof startNode>, 'loop'>;
  readonly certificates: () => CertificatesSeen;
}): Promise<Metrics | null> {
  const { config, clock, problems, certificates } = host;
  const { pair, status } = host.parts;
  const { loop } = host.running;
  const { listen: addresses } = config.metrics;
  if (addresses.length === 0) return null;
  // Read where it is wanted only; one file with the rest in the package.
  const { startMetrics } = await import('../metrics/metrics.ts');
  const metrics = startMetrics({
    pair: pair.name,
    node: pair.node,
    version: VERSION,
    addresses,
    stored: loop.history(),
    clock,
    problems,
    status,
    peers: loop.peers,
    certificates,
  });
  loop.onLate(metrics.late);
  loop.onRound(() => {
    metrics.round();
    metrics.carries((loop.report()?.addresses ?? []).map(({ address }) => address));
    metrics.history(loop.history());
  });
  return metrics;
}
