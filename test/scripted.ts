import type { Audit } from '../agent/core/audit/audit.ts';
import type { Member } from '../agent/core/member.ts';
import type { ControlVerbs } from '../agent/core/verbs.ts';
import type { Pair } from '../agent/verbs/pair.ts';
import { POLICY } from './core/builders.ts';

const no = (): Promise<never> => Promise.reject(new Error('not expected'));

/** A node that answers as a test says; anything else that it is asked fails. */
export const memberOf = (node: string, answers: Partial<Member> = {}): Member => ({
  node,
  storeIntents: no,
  findServers: no,
  shutSessions: no,
  show: no,
  readConfig: no,
  checkConfig: no,
  pushPrepare: no,
  pushStep: no,
  pushState: no,
  deployState: no,
  checkChallenge: no,
  findChallenge: no,
  history: no,
  swapPrepare: no,
  swapCommit: no,
  swapAbort: no,
  swapFinish: no,
  swapState: no,
  fetchBundle: no,
  inspectCertificates: no,
  inspect: no,
  storeRevocations: no,
  audit: no,
  events: no,
  testNotify: no,
  closeFrontends: no,
  openFrontends: no,
  endAgent: no,
  ...answers,
});

/** Writes nothing down. */
export const NO_AUDIT: Audit = {
  act: () => () => undefined,
  peerCall: () => () => undefined,
  refused: () => true,
  read: () => undefined,
  handshakesRefused: () => undefined,
};

/** An agent that carries out what a test says; anything else that it is asked fails. */
export const verbsOf = (answers: Partial<ControlVerbs> = {}): ControlVerbs => ({
  status: no,
  explain: no,
  history: no,
  doctor: no,
  move: no,
  setMaintenance: no,
  setAutomation: no,
  setServers: no,
  setWeights: no,
  servers: no,
  show: no,
  checkConfig: no,
  pushConfig: no,
  configVersions: no,
  readConfig: no,
  setChallenge: no,
  pushCertificate: no,
  rollbackCertificates: no,
  certificates: no,
  publishRevocations: no,
  audit: no,
  events: no,
  testNotify: no,
  drill: no,
  drillSeen: no,
  ...answers,
});

/** The pair `web` of these members, as its first one sees it: all in touch, nothing wished. */
export function pairOf(
  members: readonly Member[],
  given: Partial<Pair> & Pick<Pair, 'clock'>,
): Pair {
  return {
    node: members[0]?.node ?? '',
    name: 'web',
    policy: POLICY,
    members,
    view: () =>
      members.map(({ node }) => ({
        node,
        peerClass: 'alive',
        fresh: true,
        heardAtMs: 0,
        report: null,
        clockOffMs: null,
        oneWay: null,
        doubleSinceMs: null,
      })),
    intents: () => new Map(),
    onRound: () => () => undefined,
    runningSwaps: new Set(),
    runningPushes: new Set(),
    forgetPush: () => Promise.resolve(),
    runningDrills: new Set(),
    forgetSwap: () => Promise.resolve(),
    certificateName: (path) => path,
    previousBundle: () => Promise.resolve(null),
    clientPlaces: () => Promise.resolve([]),
    ...given,
  };
}
