import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { CAUSES, type OwnerChange } from '../core/history.ts';
import type { ActResult } from '../core/results.ts';

const DARK_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3, 10];
const ACT_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300];
/** What operators ask for most; other acts have a series from their first on. */
const ACTS = ['move', 'servers', 'weight', 'certificates', 'maintenance', 'automation'];
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5];

/** What only grows, counted from the moment this agent started. */
export interface Counts {
  /** A round of the loop was done. */
  readonly round: () => void;
  /** A timer of the loop fired so late, ms. */
  readonly late: (ms: number) => void;
  /** Addresses of this host: their series begin at 0, so that a first move is an increase. */
  readonly carries: (addresses: readonly string[]) => void;
  /** How addresses came here, the newest last: what was not there before is counted. */
  readonly history: (changes: readonly OwnerChange[]) => void;
  /** An act ended; `act` is the method's word, as `move` or `certificates`. */
  readonly ended: (
    act: string,
    result: Pick<ActResult, 'outcome' | 'tookMs' | 'addresses'>,
  ) => void;
}

/** Counters and histograms of `registry`; `stored` is the history at the start, which is not counted. */
export function counts(registry: Registry, stored: readonly OwnerChange[]): Counts {
  const registers = [registry];
  const rounds = new Counter({
    name: 'proxyctl_decision_rounds_total',
    help: 'Rounds of observe, decide and act.',
    registers,
  });
  const lag = new Histogram({
    name: 'proxyctl_loop_lag_seconds',
    help: 'How late timers of the loop fired.',
    buckets: LAG_BUCKETS,
    registers,
  });
  const moves = new Counter({
    name: 'proxyctl_moves_total',
    help: 'Addresses that came to this node, by cause: agent, kernel, away.',
    labelNames: ['address', 'cause'],
    registers,
  });
  const dark = new Histogram({
    name: 'proxyctl_move_dark_seconds',
    help: 'Upper bound of the time without MASTER in moves that were asked of this agent.',
    buckets: DARK_BUCKETS,
    registers,
  });
  const took = new Histogram({
    name: 'proxyctl_act_duration_seconds',
    help: 'What operators asked of this agent: moves, drains (act servers), swaps (act certificates).',
    labelNames: ['act', 'outcome'],
    buckets: ACT_BUCKETS,
    registers,
  });
  for (const act of ACTS) took.zero({ act, outcome: 'reached' });
  const carried = new Set<string>();
  let last = stored.at(-1) ?? null;
  return {
    round: () => rounds.inc(),
    late: (ms) => lag.observe(Math.max(0, ms) / 1000),
    carries(addresses) {
      for (const address of addresses.filter((one) => !carried.has(one))) {
        carried.add(address);
        for (const cause of CAUSES) moves.inc({ address, cause }, 0);
      }
    },
    history(changes) {
      // The list is cut at its beginning: what is new stands after the last one counted.
      const from = last === null ? 0 : changes.lastIndexOf(last) + 1;
      for (const { address, cause } of changes.slice(from)) moves.inc({ address, cause });
      last = changes.at(-1) ?? last;
    },
    ended(act, { outcome, tookMs, addresses }) {
      took.observe({ act, outcome }, tookMs / 1000);
      for (const { darkMsMax, outcome: how } of addresses)
        if (how === 'moved' && darkMsMax !== null) dark.observe(darkMsMax / 1000);
    },
  };
}

/** The process itself, by the names that dashboards for Node know; set anew by the returned function. */
export function processMetrics(registry: Registry, startedWallMs: number): () => void {
  const registers = [registry];
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system time of the agent, without its children.',
    registers,
  });
  const resident = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
  });
  const heap = new Gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Heap in use.',
    registers,
  });
  const started = new Gauge({
    name: 'process_start_time_seconds',
    help: 'Unix time of the start.',
    registers,
  });
  started.set(startedWallMs / 1000);
  return () => {
    const { user, system } = process.cpuUsage();
    cpu.reset();
    cpu.inc((user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    resident.set(rss);
    heap.set(heapUsed);
  };
}
