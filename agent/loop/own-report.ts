import type { Decision } from '../core/decide/decision.ts';
import { PROTOCOL } from '../core/gossip.ts';
import { isRead } from '../core/health.ts';
import type { NodeReport, NodeView, Problem } from '../core/model.ts';
import { NO_NOTIFY } from '../core/notify/notify.ts';
import type { Bases } from './observe.ts';
import { joins } from './joining.ts';
import { logChanges } from './log.ts';
import { observeSelf, type CarpObservation, type InterfaceReading } from './observe.ts';
import type { LoopOptions } from './ports.ts';

const NOTHING_READ: CarpObservation = {
  addresses: [],
  preempt: null,
  demotion: 0,
  downFactor: 0,
  allow: null,
  interfaces: [],
};

/** What one round has read before its report can be drafted. */
interface Readings {
  /** Null: CARP cannot be read. */
  readonly carp: CarpObservation | null;
  readonly carpAtMs: number;
  readonly bases: Bases;
  readonly fenceMine: boolean;
  /** Of the loop itself; those of other parts are asked for. */
  readonly problems: readonly (Problem | null)[];
}

/** What this node says of itself: drafted from readings, told to the peers once it was decided on. */
export function ownReport(options: LoopOptions) {
  const { clock, gossip, latest, log, observes = false } = options;
  const startedAtMs = clock.nowMs();
  const joining = joins(startedAtMs);
  let published = { text: '', sequence: 0 };
  let leaving = false;

  return {
    /** The report of the latest round; null before the first. */
    latest: latest.report,
    leave: (): void => void (leaving = true),
    /** The process stood still: it has to meet its peers again. */
    rejoin: (nowMs: number): void => joining.rejoin(nowMs),
    /** When this agent may have joined; Infinity where nothing is waited for. */
    joinsAtMs: (nowMs: number): number => (observes ? Infinity : joining.wakeAtMs(nowMs)),
    draft(
      { carp, carpAtMs, bases, fenceMine, problems }: Readings,
      peers: NodeView[],
      nowMs: number,
    ) {
      const haproxy = options.haproxy();
      const reading = carp ?? NOTHING_READ;
      const own = observeSelf({
        node: options.node,
        carp: reading,
        carpAtMs,
        bases,
        networks: options.networks,
        haproxy,
        peers,
        previous: latest.report(),
        joined: !observes && joining.joined(peers, isRead(haproxy), nowMs),
        fenced: fenceMine && reading.allow === false,
        nowMs,
      });
      return {
        ...own,
        node: options.node,
        epoch: options.epoch,
        startId: options.startId,
        // Nobody has seen this yet; tell() gives the real number.
        sequence: published.sequence + 1,
        protocol: PROTOCOL,
        agentVersion: options.agentVersion,
        leaving,
        problems: problems.filter((one) => one !== null).concat(options.problems()),
        seen: gossip.seen(),
        doubles: peers
          .filter(({ doubleSinceMs }) => doubleSinceMs !== null)
          .map(({ node }) => node),
        applied: options.applied(),
        notify: options.notify?.() ?? NO_NOTIFY,
        icmp: options.icmp,
        carpEvents: options.carpEvents(),
        agentStartedMs: startedAtMs,
        wallMs: clock.wallMs(),
      } satisfies NodeReport;
    },
    /** The draft as the policy is shown it: one with nothing new to tell is what the peers have seen already. */
    asSeen(own: NodeReport, decided: Decision | null, text: Substance, nowMs: number): NodeReport {
      const { addresses } = withVerdicts(own, decided, nowMs);
      return text(addresses) === published.text ? { ...own, sequence: published.sequence } : own;
    },
    /** Makes it the latest report and pushes it to the peers where it tells anything new. */
    tell(next: NodeReport, text: Substance, interfaces: readonly InterfaceReading[]): void {
      const before = latest.report();
      const now = text(next.addresses);
      const changed = now !== published.text;
      const sequence = published.sequence + (changed ? 1 : 0);
      if (before !== null) logChanges(log, before, next);
      const report = { ...next, sequence };
      latest.found(report, interfaces);
      if (!changed) return;
      published = { text: now, sequence };
      gossip.publish(report);
    },
  };
}

/** The report with what the decision says of each address; since-when kept while the reason stays. */
export function withVerdicts(
  own: NodeReport,
  decision: Decision | null,
  nowMs: number,
): NodeReport {
  if (decision === null) return own;
  const { verdicts, advertsLost } = decision;
  return {
    ...own,
    addresses: own.addresses.map((address) => {
      const verdict = verdicts.find((one) => one.address === address.address);
      if (verdict === undefined) return address;
      const reasonSinceMs = address.reason === verdict.reason ? address.reasonSinceMs : nowMs;
      return { ...address, ...verdict, reasonSinceMs, advertsLost };
    }),
  };
}

/** The text of a report with these verdicts on its addresses. */
type Substance = (addresses: NodeReport['addresses']) => string;

/**
 * What of a report is worth telling: everything but what only ages or counts
 * up by itself. Two reports with the same text need not be sent twice. The
 * text is made for `report` with any verdicts on its addresses.
 */
export function substance(report: NodeReport, nowMs: number): Substance {
  const rest = JSON.stringify({
    ...report,
    sequence: 0,
    wallMs: 0,
    agentStartedMs: 0,
    seen: report.seen.map(({ node, epoch, startId }) => ({ node, epoch, startId })),
    addresses: [],
    haproxy: report.haproxy.map((haproxy) => ({ ...haproxy, startedMs: 0 })),
  });
  return (addresses) =>
    rest +
    JSON.stringify(
      addresses.map((address) => ({
        ...address,
        heldAtMs: null,
        readySinceMs: address.readySinceMs === nowMs ? null : address.readySinceMs,
      })),
    );
}
