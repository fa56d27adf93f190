import { ActFailure } from '../core/results.ts';
import type { InspectedCertificate } from '../core/answers.ts';
import type { OwnerChange } from '../core/history.ts';
import type { Inspection } from '../core/doctor/inspection.ts';
import type { Intent } from '../core/model.ts';
import type { HostCertificates } from '../certs/host-certificates.ts';
import type { NodeSwap } from '../certs/swap.ts';
import type { HaproxyPart } from '../haproxy/haproxy.ts';
import type { PeerCalls } from '../rpc/peer-calls.ts';
import type { Member } from './pair.ts';

/** How long a peer may take: to write a few bytes to its disk, and to swap a certificate. */
const STORE_MS = 2000;
/** To ask its own responder on every address, each within 2 s. */
const CHALLENGE_MS = 4000;
const SWAP_MS = 10_000;
/** A long reply of HAProxy, after one that was asked for before. */
const SHOW_MS = 9000;
/** Longer than any part of an inspection takes. */
const INSPECT_MS = 12_000;

/** This node as verbs use it. */
export function localMember({
  node,
  haproxy,
  certificates,
  storeIntents,
  history,
  running,
  inspect,
  checkChallenge,
  renewals,
}: {
  readonly node: string;
  readonly haproxy: Pick<HaproxyPart, 'findServers' | 'shutSessions' | 'show' | 'reread'>;
  readonly certificates: Pick<HostCertificates, 'inspect' | 'bundleWith'> & {
    readonly swap: Pick<NodeSwap, 'prepare' | 'commit' | 'abort' | 'finish' | 'state'>;
  };
  readonly storeIntents: (intents: readonly Intent[]) => Promise<readonly Intent[]>;
  readonly history: () => readonly OwnerChange[];
  /** Swaps that this agent carries out now. */
  readonly running: ReadonlySet<string>;
  readonly inspect: () => Promise<Inspection>;
  readonly checkChallenge: (token: string) => Promise<readonly string[]>;
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
    show: (command) => haproxy.show(command),
    checkChallenge,
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

/** Another node as verbs use it: over its agent, each call with a deadline. */
export const peerMember = (node: string, calls: PeerCalls): Member => ({
  node,
  storeIntents: (intents) => calls.storeIntents(intents, STORE_MS),
  findServers: (instance, backend) => calls.findServers(instance, backend, STORE_MS),
  shutSessions: (instance, backend, server) =>
    calls.shutSessions(instance, backend, server, STORE_MS),
  show: (command) => calls.show(command, SHOW_MS),
  checkChallenge: (token) => calls.checkChallenge(token, CHALLENGE_MS),
  history: () => calls.history(STORE_MS),
  swapPrepare: (prepare) => calls.swapPrepare(prepare, SWAP_MS),
  swapCommit: (swapId) => calls.swapCommit(swapId, SWAP_MS),
  swapAbort: (swapId) => calls.swapAbort(swapId, SWAP_MS),
  swapFinish: (swapId) => calls.swapFinish(swapId, SWAP_MS),
  swapState: (swapId) => calls.swapState(swapId, STORE_MS),
  fetchBundle: (name, sha256) => calls.fetchBundle(name, sha256, SWAP_MS),
  inspectCertificates: (served) => calls.inspectCertificates(served, SWAP_MS),
  inspect: () => calls.inspect(INSPECT_MS),
});
