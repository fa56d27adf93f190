import type { Alert } from '../core/answers.ts';
import type { Intent } from '../core/model.ts';
import type { Gossip } from '../gossip/gossip.ts';
import type { ControlVerbs } from '../rpc/control-service.ts';
import type { PeerVerbs } from '../rpc/peer-service.ts';
import type { View } from '../core/decide/view.ts';
import { setAutomation, setMaintenance } from './automation.ts';
import { doctor } from './doctor.ts';
import { setChallenge } from './challenge.ts';
import { explain } from './explain.ts';
import { history } from './history.ts';
import { move } from './move.ts';
import type { Member, Pair } from './pair.ts';
import { pushCertificate } from './push.ts';
import { requests } from './requests.ts';
import { listServers } from './list-servers.ts';
import { listCertificates, rollbackCertificates } from './certificates.ts';
import { setServers } from './servers.ts';
import { setWeights } from './weights.ts';
import { show } from './show.ts';
import { status } from './status.ts';

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
