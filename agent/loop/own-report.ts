import type { Decision } from '../core/decide/decision.ts';
import type { NodeReport } from '../core/model.ts';

/** The report with what the decision says of each address; since-when kept while the reason stays. */
export function withVerdicts(
  own: NodeReport,
  decision: Decision | null,
  nowMs: number,
): NodeReport {
  return {
    ...own,
    addresses: own.addresses.map((address) => {
      const verdict = decision?.verdicts.find((one) => one.address === address.address);
      if (verdict === undefined) return address;
      const { owner, yieldTo, reason, byHand, cutOff, inTouch, movesAtMs } = verdict;
      const reasonSinceMs = address.reason === reason ? address.reasonSinceMs : nowMs;
      const { advertsLost } = decision ?? { advertsLost: false };
      const said = { owner, yieldTo, reason, reasonSinceMs, byHand, cutOff, inTouch, movesAtMs };
      return { ...address, ...said, advertsLost };
    }),
  };
}

/**
 * What of a report is worth telling: everything but what only ages or counts
 * up by itself. Two reports with the same text need not be sent twice. The
 * text is made for `report` with any verdicts on its addresses.
 */
export function substance(
  report: NodeReport,
  nowMs: number,
): (addresses: NodeReport['addresses']) => string {
  const rest = JSON.stringify({
    ...report,
    sequence: 0,
    wallMs: 0,
    agentStartedMs: 0,
    seen: report.seen.map(({ node, epoch }) => ({ node, epoch })),
    addresses: [],
    haproxy: report.haproxy.map((haproxy) => ({ ...haproxy, startedMs: 0 })),
  });
  return (addresses) =>
    rest +
    JSON.stringify(
      addresses.map((address) => ({
        ...address,
        readySinceMs: address.readySinceMs === nowMs ? null : address.readySinceMs,
      })),
    );
}
