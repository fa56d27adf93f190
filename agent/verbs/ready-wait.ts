import { ActFailure, type NodeOutcome } from '../core/results.ts';
import type { ServerTarget } from '../core/intents.ts';
import type { Report } from '../core/verbs.ts';
import { failed, type Pair } from './pair.ts';
import { look, type Found } from './server-look.ts';
import { isUp, nameOf, readings } from './server-targets.ts';

/** Between two looks, ms. A look costs HAProxy a tenth of a millisecond. */
const LOOK_MS = 100;

/**
 * Waits until servers that were made ready are up: HAProxy takes a checked one
 * in after its first good checks. The rows, with those nodes not ok where one
 * is still down when the time is over.
 */
export async function waitForUp(
  pair: Pair,
  targets: readonly ServerTarget[],
  rows: readonly NodeOutcome[],
  timeoutMs: number,
  report: Report,
): Promise<readonly NodeOutcome[]> {
  const { clock } = pair;
  const nodes = rows.filter(({ ok }) => ok).map(({ node }) => node);
  const backends = targets.map(({ backend }) => backend);
  const startedAtMs = clock.nowMs();
  let told = false;
  for (;;) {
    const down = new Map<string, NodeOutcome>();
    await Promise.all(
      nodes.map(async (node) => {
        const { found, silent } = await look(pair, backends, [node]);
        const names = targets.filter((target) => !allUp(target, found)).map(nameOf);
        const [row] = silent;
        if (row !== undefined) down.set(node, row);
        else if (names.length > 0) down.set(node, failed(node, notUp(names, node)));
      }),
    );
    const leftMs = startedAtMs + timeoutMs - clock.nowMs();
    const tookMs = Math.round(clock.nowMs() - startedAtMs);
    if (down.size === 0) {
      if (told) report({ step: 'checked', text: 'a good health check', tookMs });
      return rows;
    }
    if (leftMs <= 0) return rows.map((row) => down.get(row.node) ?? row);
    if (!told) report({ step: 'waiting', text: 'for a good health check', tookMs });
    told = true;
    await new Promise<void>((resolve) => void clock.after(Math.min(LOOK_MS, leftMs), resolve));
  }
}

/** One that is held by another word than an operator's (DNS, a tracked server) is not waited for. */
const allUp = (target: ServerTarget, found: readonly Found[]): boolean =>
  readings(target, found).every((one) => isUp(one) || !['DOWN', 'NOLB'].includes(one.status));

const notUp = (names: readonly string[], node: string): ActFailure =>
  new ActFailure('partial', {
    code: 'check_not_passed',
    message: `${names.join(', ')} is ready and not up on ${node}: its health check fails`,
    remediation: 'it takes traffic by itself once its check is good: proxyctl servers',
    retryable: true,
  });
