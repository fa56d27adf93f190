import { ActFailure } from '../core/results.ts';
import type { InspectedCertificate } from '../core/answers.ts';
import type { OwnerChange } from '../core/history.ts';
import type { Inspection } from '../core/doctor/inspection.ts';
import type { Member } from '../core/member.ts';
import type { Intent } from '../core/model.ts';
import type { DrillKind, LastDrill } from '../core/drill.ts';
import type { HostCertificates } from '../certs/host-certificates.ts';
import type { NodePush } from '../deploy/node.ts';
import type { NodeSwap } from '../certs/swap.ts';
import type { Haproxy } from '../haproxy/haproxy.ts';

/** This node as verbs use it. */
export function localMember({
  node,
  haproxy,
  certificates,
  storeIntents,
  history,
  running,
  inspect,
  readConfig,
  checkChallenge,
  findChallenge,
  renewals,
  storeRevocations,
  checkConfig,
  push,
  runningPushes,
  deployState,
  audit,
  events,
  testNotify,
  drill,
  endAgent,
}: {
  readonly node: string;
  readonly haproxy: Pick<
    Haproxy,
    'findServers' | 'shutSessions' | 'show' | 'reread' | 'closeFrontends' | 'openFrontends'
  >;
  /** The drill that goes on now. */
  readonly drill: () => LastDrill | null;
  /** Ends this process a moment later; null: nobody starts it again. */
  readonly endAgent: (() => void) | null;
  readonly certificates: Pick<HostCertificates, 'inspect' | 'bundleWith'> & {
    readonly swap: Pick<NodeSwap, 'prepare' | 'commit' | 'abort' | 'finish' | 'state'>;
  };
  readonly storeIntents: (intents: readonly Intent[]) => Promise<readonly Intent[]>;
  readonly history: () => readonly OwnerChange[];
  /** Swaps that this agent carries out now. */
  readonly running: ReadonlySet<string>;
  readonly inspect: () => Promise<Inspection>;
  readonly readConfig: Member['readConfig'];
  readonly checkChallenge: Member['checkChallenge'];
  readonly findChallenge: Member['findChallenge'];
  readonly storeRevocations: Member['storeRevocations'];
  readonly checkConfig: Member['checkConfig'];
  readonly push: Pick<NodePush, 'prepare' | 'install' | 'keep' | 'back' | 'state'>;
  /** Pushes that this agent carries out now. */
  readonly runningPushes: ReadonlySet<string>;
  readonly deployState: Member['deployState'];
  readonly audit: Member['audit'];
  readonly events: Member['events'];
  readonly testNotify: Member['testNotify'];
  /** The same with when each is ordered anew. */
  readonly renewals: (found: readonly InspectedCertificate[]) => readonly InspectedCertificate[];
}): Member {
  const { swap } = certificates;
  const gone = (swapId: string): ActFailure =>
    new ActFailure('not-found', {
      code: 'swap_unknown',
      message: `no swap ${swapId} is open on ${node}`,
    });
  return {
    node,
    storeIntents: async (intents) => ({ newer: await storeIntents(intents) }),
    inspect,
    findServers: (_instance, backend) => haproxy.findServers(backend === '' ? null : backend),
    shutSessions: (_instance, backend, server) => haproxy.shutSessions(backend, server),
    show: haproxy.show,
    readConfig,
    closeFrontends: async (means, leaseMs) => {
      refuseUnrecorded(node, 'haproxy', drill());
      return haproxy.closeFrontends(means, leaseMs);
    },
    openFrontends: haproxy.openFrontends,
    endAgent: async () => {
      refuseUnrecorded(node, 'agent', drill());
      if (endAgent === null)
        throw new ActFailure('conflict', {
          code: 'not_supervised',
          message: `nobody starts the agent on ${node} again once it has ended`,
          remediation: `on ${node}: start it with service proxyagent start`,
        });
      endAgent();
    },
    checkChallenge,
    findChallenge,
    storeRevocations,
    checkConfig,
    deployState,
    pushPrepare: (prepare) => push.prepare(prepare),
    async pushStep(pushId, step) {
      await push[step](pushId);
      await haproxy.reread();
    },
    async pushState(pushId, number) {
      // Not in the queue behind the push itself: whoever asks wants to know that it goes on.
      if (runningPushes.has(pushId)) return { phase: 'prepared', running: true };
      return { ...(await push.state(pushId, number)), running: false };
    },
    audit,
    events,
    testNotify,
    history: () => Promise.resolve(history()),
    swapPrepare: (prepare) => swap.prepare(prepare),
    async swapCommit(swapId) {
      const reading = await swap.commit(swapId);
      await haproxy.reread();
      return reading;
    },
    async swapAbort(swapId) {
      const reading = await swap.abort(swapId);
      await haproxy.reread();
      if (reading === null) throw gone(swapId);
      return reading;
    },
    async swapFinish(swapId) {
      const reading = await swap.finish(swapId);
      if (reading === null) throw gone(swapId);
      return reading;
    },
    async swapState(swapId) {
      // Not in the queue behind the swap itself: whoever asks wants to know that it goes on.
      if (running.has(swapId)) return { phase: 'prepared', running: true };
      return { ...(await swap.state(swapId)), running: false };
    },
    fetchBundle: (name, sha256) => certificates.bundleWith(name, sha256),
    inspectCertificates: async (served) => renewals(await certificates.inspect(served)),
  };
}

/** Throws ActFailure where no drill of this kind is on record for this node: nobody has agreed to it. */
function refuseUnrecorded(node: string, kind: DrillKind, drill: LastDrill | null): void {
  if (drill?.kind === kind && drill.node === node) return;
  throw new ActFailure('conflict', {
    code: 'no_drill',
    message: `no drill (${kind}) of ${node} is on record`,
    remediation: `proxyctl drill ${kind} --node ${node}`,
  });
}
