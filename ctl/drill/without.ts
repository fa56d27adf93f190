import { setTimeout as sleep } from 'node:timers/promises';
import { homesOf, lastDrills, type DrillAct } from '../../agent/core/drill.ts';
import type { Status } from '../../agent/core/answers.ts';
import { isHeard } from '../../agent/core/heard.ts';
import { ActFailure, type ActResult } from '../../agent/core/results.ts';
import type { Agent } from '../connect/client.ts';

/** How long it is watched whether a drill without its agent comes to an end, ms. */
const WATCH_MS = 15_000;
/** Between two looks, ms. */
const LOOK_MS = 250;

/**
 * What became of a drill whose agent is no longer there: that agent ends it once it is back, and
 * any agent tells. The failure itself where that is not seen within 15 s.
 */
export async function endedWithout(
  act: DrillAct,
  failure: ActFailure,
  again: () => Promise<Agent>,
): Promise<ActResult> {
  const untilMs = performance.now() + WATCH_MS;
  while (performance.now() < untilMs) {
    const status = await statusOf(again);
    const found =
      status === null
        ? undefined
        : lastDrills(status.intents, Date.now()).find(
            ({ requestId }) => requestId === act.header.requestId,
          );
    if (status !== null && found !== undefined && found.state !== 'running') {
      const isBack = [...homesOf(found)].every(([id, home]) => isOn(status, id, home));
      return ended(act, status.node, isBack, found.why);
    }
    await sleep(LOOK_MS);
  }
  return {
    ...ended(act, '', false, failure.detail.message),
    error: {
      ...failure.detail,
      remediation: 'proxyctl status says where the addresses are, and what became of the drill',
    },
  };
}

async function statusOf(again: () => Promise<Agent>): Promise<Status | null> {
  try {
    const agent = await again();
    return await agent.status().finally(() => agent.close());
  } catch {
    return null;
  }
}

/** That node alone has it. */
const isOn = ({ nodes }: Status, id: string, home: string): boolean => {
  const masters = nodes.filter(
    (one) =>
      isHeard(one) &&
      one.report?.addresses.some(({ address, state }) => address === id && state === 'MASTER') ===
        true,
  );
  return masters.length === 1 && masters[0]?.node === home;
};

const ended = ({ header }: DrillAct, node: string, isBack: boolean, why: string): ActResult => ({
  outcome: isBack ? 'failed' : 'result-unknown',
  changed: !isBack,
  requestId: header.requestId,
  node,
  tookMs: 0,
  nodes: [],
  error: {
    code: 'cut_short',
    message: `the drill was cut short: ${why}`,
    cause: '',
    remediation: isBack ? '' : 'proxyctl status says where the addresses are',
    retryable: true,
  },
  addresses: [],
  servers: [],
  certificates: [],
});
