import type { IncomingMessage, ServerResponse } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import type { OwnerChange } from '../core/history.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { httpListeners, listenProblem, sendWhole } from '../sys/http-listeners.ts';
import { counts, processMetrics, type Counts } from './counts.ts';
import { gauges, type GaugeSource } from './gauges.ts';

export interface MetricsOptions extends GaugeSource {
  readonly pair: string;
  readonly node: string;
  readonly version: string;
  /** `[metrics] listen`. */
  readonly addresses: readonly string[];
  /** How addresses came here until now. */
  readonly stored: readonly OwnerChange[];
  readonly clock: Clock;
  readonly problems: Problems;
}

export interface Metrics extends Counts {
  /** Answers on these addresses from now on. */
  readonly move: (addresses: readonly string[]) => void;
  readonly close: () => void;
}

const SUBJECT = 'metrics';
/** A Prometheus or two, and somebody who looks. */
const MOST_CONNECTIONS = 16;

/**
 * Answers GET /metrics on `addresses` in Prometheus' text format, from memory. A scrape asks neither
 * HAProxy nor a peer; what cannot be listened at is a problem of the agent and tried again.
 */
export function startMetrics(options: MetricsOptions): Metrics {
  const { pair, node, version, clock, problems } = options;
  const registry = new Registry();
  registry.setDefaultLabels({ pair, node });
  const build = new Gauge({
    name: 'proxyctl_build_info',
    help: 'Always 1.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  });
  build.set({ version, node_version: process.versions.node }, 1);
  const read = gauges(registry, options);
  const counted = counts(registry, options.stored);
  const readProcess = processMetrics(registry, clock.wallMs());

  async function reply(
    { method = '', url = '' }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const send = (status: number, type: string, body: string): void =>
      sendWhole(method, response, status, { 'content-type': type }, body);
    const plain = 'text/plain; charset=utf-8';
    if (method !== 'GET' && method !== 'HEAD') return send(405, plain, 'GET only\n');
    if (url.split('?', 1)[0] !== '/metrics') return send(404, plain, 'see /metrics\n');
    try {
      read({ nowMs: clock.nowMs(), wallMs: clock.wallMs() });
      readProcess();
      send(200, registry.contentType, await registry.metrics());
    } catch (error) {
      send(500, plain, `${sentence(error)}\n`);
    }
  }

  const listeners = httpListeners({
    addresses: options.addresses,
    clock,
    most: MOST_CONNECTIONS,
    handle: (request, response) => void reply(request, response),
    ...listenProblem(problems, SUBJECT, 'no metrics: it'),
  });
  return { ...counted, move: listeners.move, close: listeners.close };
}
