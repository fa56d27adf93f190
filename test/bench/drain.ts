import { reach, type Agent } from '../../ctl/connect/client.ts';
import type { AdminState } from '../../agent/core/acts.ts';
import { installedHaproxy, labDown, labUp } from '../lab/lab.ts';
import { quantile, tenth } from './figures.ts';

const RUNS = 50;
/** The goal of the project, ms. */
const LIMIT_MS = 20;

/**
 * Time from the call of `drain` to its result, which comes once both nodes'
 * HAProxys were told and read again: over the unix socket of one node of a lab,
 * with the connection that is there. Beside it `maint`, in turns.
 */
export async function drain(): Promise<unknown> {
  const name = `bd${process.pid}`;
  const lab = await labUp(
    { name, freebsd: 14, preempt: false, haproxy: installedHaproxy(), nodes: 2 },
    true,
  );
  try {
    const path = lab.nodes[0]?.agent_socket ?? '';
    const target = { kind: 'socket', node: 'haproxy01', path } as const;
    const context = { name, targets: [target] };
    const agent = await reach(context, null, () => undefined);
    const taken: Record<'drain' | 'maint', number[]> = { drain: [], maint: [] };
    for (let run = 0; run < RUNS; run++) {
      for (const state of ['drain', 'maint'] as const) {
        taken[state].push(await call(agent, state));
        await call(agent, 'ready');
      }
    }
    agent.close();
    const [median, p95] = [quantile(taken.drain, 0.5), quantile(taken.drain, 0.95)];
    return {
      within: median <= LIMIT_MS,
      limit_ms: LIMIT_MS,
      drain_ms: tenth(median),
      drain_p95_ms: tenth(p95),
      maint_ms: tenth(quantile(taken.maint, 0.5)),
      runs: RUNS,
      node_version: process.versions.node,
    };
  } finally {
    await labDown(name);
  }
}

async function call(agent: Agent, state: AdminState): Promise<number> {
  const header = {
    requestId: `${state}${performance.now()}`,
    actor: 'bench',
    reason: '',
    acceptRisks: [],
    dryRun: false,
    timeoutMs: null,
    seen: null,
  };
  const startMs = performance.now();
  const act = { header, targets: ['WEB/web1'], state, untilMs: null, wait: null };
  const { outcome, error } = await agent.setServers(act, () => undefined);
  if (outcome !== 'reached') throw new Error(`${state}: ${outcome} ${error?.message ?? ''}`);
  return performance.now() - startMs;
}
