import type { Config } from '../config/config.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import type { startNode } from '../node.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { VERSION } from '../version.ts';
import type { hostPair } from './host-pair.ts';
import { shown, type Shown } from './shown.ts';

/** Metrics of this agent, from when agent.toml asks for them; they count from then on. */
export function hostMetrics(host: {
  readonly clock: Clock;
  readonly problems: Problems;
  readonly parts: Pick<ReturnType<typeof hostPair>, 'pair' | 'status'>;
  readonly running: Pick<ReturnType<typeof startNode>, 'loop'>;
  readonly certificates: () => CertificatesSeen;
}): Shown<Config['metrics']> & { readonly ended: Metrics['ended'] } {
  const { clock, problems, certificates } = host;
  const { pair, status } = host.parts;
  const { loop } = host.running;
  let metrics: Metrics | null = null;
  const there = shown<Config['metrics']>(async ({ listen: addresses }) => {
    // Read where it is wanted only; one file with the rest in the package.
    const { startMetrics } = await import('../metrics/metrics.ts');
    const started = startMetrics({
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
    metrics = started;
    loop.onLate(started.late);
    loop.onRound(() => {
      started.round();
      started.carries((loop.report()?.addresses ?? []).map(({ address }) => address));
      started.history(loop.history());
    });
    return { become: ({ listen }) => started.move(listen), close: () => started.close() };
  });
  return { ...there, ended: (...end) => metrics?.ended(...end) };
}
