import type { ActResult } from '../core/results.ts';
import type { ControlVerbs, Report } from '../core/verbs.ts';

/** Hears of every act that came to a result; `act` is its word, as in the audit log. */
export type ActEnded = (act: string, result: ActResult) => void;

/** The same verbs; what acts came to is told. A rehearsal is none, and neither is what was refused unread. */
export function measured(verbs: ControlVerbs, ended: ActEnded): ControlVerbs {
  const told =
    <A>(act: string, verb: (asked: A, report: Report) => Promise<ActResult>) =>
    async (asked: A, report: Report): Promise<ActResult> => {
      const result = await verb(asked, report);
      if (result.outcome !== 'would-change') ended(act, result);
      return result;
    };
  return {
    ...verbs,
    move: told('move', (...act) => verbs.move(...act)),
    setMaintenance: told('maintenance', (...act) => verbs.setMaintenance(...act)),
    setAutomation: told('automation', (...act) => verbs.setAutomation(...act)),
    setServers: told('servers', (...act) => verbs.setServers(...act)),
    setWeights: told('weight', (...act) => verbs.setWeights(...act)),
    setChallenge: told('acme', (...act) => verbs.setChallenge(...act)),
    pushCertificate: told('certificates', (...act) => verbs.pushCertificate(...act)),
    rollbackCertificates: told('certificates', (...act) => verbs.rollbackCertificates(...act)),
    drill: told('drill', (...act) => verbs.drill(...act)),
    publishRevocations: told('revocations', (...act) => verbs.publishRevocations(...act)),
  };
}
