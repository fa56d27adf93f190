import { createHash } from 'node:crypto';
import type { ConfigPushAct } from '../core/acts.ts';
import type { PushPrepare, PushReading } from '../core/deploy/push-messages.ts';
import type { ConfigVersions, NodeVersions } from '../core/deploy/versions.ts';
import type { Member } from '../core/member.ts';
import { ActFailure, type ActResult } from '../core/results.ts';
import type { Report } from '../core/verbs.ts';
import { askAll } from './ask-all.ts';
import { pushedResult } from './config-push-results.ts';
import { runPush } from './config-push-run.ts';
import { absent, asFailure, failed, present, result, steps, type Pair } from './pair.ts';

/**
 * `config push`: every node checks the configuration before any changes; then BACKUP nodes have it
 * installed first and the MASTER last, each reloaded and seen to serve all that it served before.
 * A node that refuses takes all back; one that is lost after the first has it catches up.
 */
export async function pushConfig(
  pair: Pair,
  act: ConfigPushAct,
  report: Report,
): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header, message, settleMs } = act;
  const said = steps(pair.clock, report);
  const missing = absent(pair);
  if (missing.length > 0)
    throw new ActFailure('unreachable', {
      code: 'agent_unreachable',
      message: `not pushed: the agent on ${missing.join(', ')} does not answer`,
      cause: 'a configuration goes to every node or to none',
      remediation: `on ${missing.join(', ')}: service proxyagent status`,
      retryable: true,
    });
  const members = inOrder(pair);
  const prepare: PushPrepare = {
    pushId: createHash('sha256').update(header.requestId).digest('hex').slice(0, 16),
    message,
    dryRun: header.dryRun,
    acceptRisks: header.acceptRisks,
    coordinator: pair.node,
    members: members.map(({ node }) => node),
    settleMs,
    actor: header.actor,
    reason: header.reason,
  };
  if (header.dryRun) return rehearse(pair, act, startedAtMs, members, prepare);
  const run = await runPush(pair, members, prepare, (order, { state, prepared }) => {
    const [node = ''] = order.nodes;
    if (order.step === 'prepare' && state.broken === null) {
      said('checking', `HAProxy takes it on ${order.nodes.join(', ')}`);
      for (const { node: one, lines } of prepared.values())
        // Beside them it says which version it is, and that it is content.
        for (const text of lines.filter((line) => line.includes('[WARNING]')))
          report({ step: 'warning', text: `${one}: ${text}`, tookMs: 0 });
    } else if (order.step === 'install' && state.done.includes(node)) {
      if (prepared.get(node)?.already !== true) said('installing', `${node}, reloaded and serving`);
    } else if (order.step === 'back' && state.changed) said('restoring', order.nodes.join(', '));
  });
  return pushedResult(pair, header, startedAtMs, run);
}

/** `config history`: what was pushed to each node; one that does not answer says why. */
export async function configVersions(pair: Pair): Promise<ConfigVersions> {
  const none: Pick<NodeVersions, 'state'> = { state: null };
  const nodes = await askAll(pair, pair.members, none, async (member) => ({
    state: await member.deployState(),
  }));
  return { node: pair.node, nodes };
}

/** Every node checks, and nothing of it stays. */
async function rehearse(
  pair: Pair,
  { header }: ConfigPushAct,
  startedAtMs: number,
  members: readonly Member[],
  prepare: PushPrepare,
): Promise<ActResult> {
  const readings: PushReading[] = [];
  const failures = new Map<string, ActFailure>();
  await Promise.all(
    members.map(async (member) => {
      try {
        readings.push(await member.pushPrepare(prepare));
      } catch (error) {
        failures.set(member.node, asFailure(error));
      }
    }),
  );
  const [first] = failures.values();
  const nodes = members.map(({ node }) => {
    const failure = failures.get(node);
    return failure === undefined
      ? { node, ok: true, changed: false, error: null }
      : failed(node, failure);
  });
  if (first !== undefined)
    return result(pair, header, startedAtMs, {
      outcome: first.outcome === 'result-unknown' ? 'failed' : first.outcome,
      error: first.detail,
      nodes,
    });
  const already = readings.every((one) => one.already);
  return result(pair, header, startedAtMs, {
    outcome: already ? 'reached' : 'would-change',
    nodes,
    config: {
      number: readings[0]?.number ?? 0,
      nodes: members.map(({ node }) => ({
        node,
        outcome:
          readings.find((one) => one.node === node)?.already === true ? 'already' : 'would-install',
      })),
    },
  });
}

/** Nodes that are MASTER of nothing first: what clients meet changes last. */
function inOrder(pair: Pair): Member[] {
  const view = pair.view();
  const masterOf = ({ node }: Member): number =>
    view
      .find((one) => one.node === node)
      ?.report?.addresses.filter(({ state }) => state === 'MASTER').length ?? 0;
  return present(pair).sort((a, b) => masterOf(a) - masterOf(b));
}
