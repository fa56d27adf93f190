import type { Status } from '../core/answers.ts';
import type { View } from '../core/decide/view.ts';
import type { ControlVerbs } from '../core/verbs.ts';
import { audit } from './audit.ts';
import { setAutomation, setMaintenance } from './automation.ts';
import { doctor } from './doctor.ts';
import { configVersions, pushConfig } from './config-push.ts';
import { checkConfig } from './config-check.ts';
import { readConfig } from './config.ts';
import { drills } from './drill.ts';
import { setChallenge } from './challenge.ts';
import { events } from './events.ts';
import { explain } from './explain.ts';
import { history } from './history.ts';
import { move } from './move.ts';
import { testNotify } from './notify.ts';
import type { Pair } from './pair.ts';
import { pushCertificate } from './push.ts';
import { publishRevocations } from './revocations.ts';
import { requests } from './requests.ts';
import { listServers } from './list-servers.ts';
import { listCertificates, rollbackCertificates } from './certificates.ts';
import { setServers } from './servers.ts';
import { setWeights } from './weights.ts';
import { show } from './show.ts';

/** What operators can ask of this agent; `now` is its status from memory. */
export function controlVerbs(
  pair: Pair,
  now: () => Status,
  view: () => View | null,
  /** Days before the end of a certificate at which doctor names it. */
  alarmDays: number,
  tokenTtlMs: number,
): ControlVerbs {
  const once = requests(pair);
  const rehearsals = drills(pair, now);
  return {
    status: () => Promise.resolve(now()),
    move: (act, report) => once(act, (one) => move(pair, one, report, view)),
    explain: (addresses) => explain(pair, view(), addresses),
    history: (addresses, limit) => history(pair, addresses, limit),
    doctor: (ask) => doctor(pair, ask, alarmDays, () => now().alerts),
    setMaintenance: (act, report) => once(act, (one) => setMaintenance(pair, one, report, view)),
    setAutomation: (act, report) => once(act, (one) => setAutomation(pair, one, report, view)),
    setServers: (act, report) => once(act, (one) => setServers(pair, one, report)),
    setWeights: (act, report) => once(act, (one) => setWeights(pair, one, report)),
    servers: (backend) => listServers(pair, backend),
    show: (command) => show(pair, command),
    readConfig: (ask) => readConfig(pair, ask),
    checkConfig: (message) => checkConfig(pair, message),
    pushConfig: (act, report) => once(act, (one) => pushConfig(pair, one, report)),
    configVersions: () => configVersions(pair),
    setChallenge: (act, report) => once(act, (one) => setChallenge(pair, one, tokenTtlMs, report)),
    pushCertificate: (act, report) => once(act, (one) => pushCertificate(pair, one, report)),
    rollbackCertificates: (act, report) =>
      once(act, (one) => rollbackCertificates(pair, one, report)),
    publishRevocations: (act, report) => once(act, (one) => publishRevocations(pair, one, report)),
    audit: (ask) => audit(pair, ask),
    events: (ask) => events(pair, ask),
    testNotify: (target) => testNotify(pair, target),
    certificates: (served) => listCertificates(pair, served),
    drill: (act, report) => once(act, (one) => rehearsals.drill(one, report)),
    drillSeen: async (act) => rehearsals.seen(act),
  };
}
