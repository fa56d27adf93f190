import type { Alert } from './core/acts.ts';
import type { Intent } from './core/model.ts';
import type { Gossip } from './gossip.ts';
import type { ControlVerbs } from './rpc/control.ts';
import type { PeerVerbs } from './rpc/peer.ts';
import type { View } from './core/owner.ts';
import { setAutomation, setMaintenance } from './verbs/automation.ts';
import { doctor } from './verbs/doctor.ts';
import { setChallenge } from './verbs/challenge.ts';
import { explain } from './verbs/explain.ts';
import { history } from './verbs/history.ts';
import { move } from './verbs/move.ts';
import type { Member, Pair } from './verbs/pair.ts';
import { pushCertificate } from './verbs/push.ts';
import { requests } from './verbs/requests.ts';
import { listServers } from './verbs/list-servers.ts';
import { listCertificates, rollbackCertificates } from './verbs/certificates.ts';
import { setServers } from './verbs/servers.ts';
import { setWeights } from './verbs/weights.ts';
import { show } from './verbs/show.ts';
import { status } from './verbs/status.ts';

/** What operators can ask of this agent. `silence`: why a peer is not heard. */
export function controlVerbs(
  pair: Pair,
  alerts: () => readonly Alert[],
  view: () => View | null,
  silence: (peer: string) => string,
  /** Days before the end of a certificate at which doctor names it. */
  alarmDays: number,
  tokenTtlMs: number,
): ControlVerbs {
  const once = requests(pair);
  return {
    status: () => Promise.resolve(status({ pair, alerts, silence })),
    move: (act, _caller, report) => once(act, (one) => move(pair, one, report)),
    explain: (addresses) => Promise.resolve().then(() => explain(pair, view(), addresses)),
    history: (addresses, limit) => history(pair, addresses, limit),
    doctor: (ask) => doctor(pair, ask, alarmDays),
    setMaintenance: (act, _caller, report) => once(act, (one) => setMaintenance(pair, one, report)),
    setAutomation: (act, _caller, report) => once(act, (one) => setAutomation(pair, one, report)),
    setServers: (act, _caller, report) => once(act, (one) => setServers(pair, one, report)),
    setWeights: (act, _caller, report) => once(act, (one) => setWeights(pair, one, report)),
    servers: (backend) => listServers(pair, backend),
    show: (command) => show(pair, command),
    setChallenge: (act, _caller, report) =>
      once(act, (one) => setChallenge(pair, one, tokenTtlMs, report)),
    pushCertificate: (act, _caller, report) =>
      once(act, (one) => pushCertificate(pair, one, report)),
    rollbackCertificates: (act, _caller, report) =>
      once(act, (one) => rollbackCertificates(pair, one, report)),
    certificates: (served) => listCertificates(pair, served),
  };
}

/** What the other agents can ask of this one. */
export function peerVerbs(
  gossip: Gossip,
  local: Member,
  storeIntents: (from: string, intents: readonly Intent[]) => Promise<readonly Intent[]>,
  appeared: (peer: string) => void,
  findChallenge: (token: string) => Promise<string>,
): PeerVerbs {
  return {
    hello: gossip.hello,
    receive: gossip.receive,
    gossipOpened(from, hello) {
      appeared(from);
      gossip.receive(from, hello);
    },
    gossipClosed: (from, how) =>
      gossip.gone(from, how === 'ended' ? 'it closed its connection' : 'its connection was cut'),
    storeIntents: async (from, intents) => ({ newer: await storeIntents(from, intents) }),
    findServers: (instance, backend) => local.findServers(instance, backend),
    shutSessions: (instance, backend, server) => local.shutSessions(instance, backend, server),
    show: (command) => local.show(command),
    findChallenge,
    checkChallenge: (token) => local.checkChallenge(token),
    history: () => local.history(),
    swapPrepare: (_from, prepare) => local.swapPrepare(prepare),
    swapCommit: (_from, swapId) => local.swapCommit(swapId),
    swapAbort: (_from, swapId) => local.swapAbort(swapId),
    swapFinish: (_from, swapId) => local.swapFinish(swapId),
    swapState: (_from, swapId) => local.swapState(swapId),
    fetchBundle: (_from, name, sha256) => local.fetchBundle(name, sha256),
    inspectCertificates: (_from, served) => local.inspectCertificates(served),
    inspect: () => local.inspect(),
  };
}
