import type { Alert, Status } from '../core/answers.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import type { Moment } from './gossip.ts';
import { intentFromWire, intentToWire, intentsInPieces, stampFromWire } from './intents.ts';
import { reportFromWire, reportToWire } from './reports.ts';
import { ageMs, each, enumOrUnknown, enumValue, filled, orNull, uint32 } from './fields.ts';

const PEER_CLASSES = [
  'alive',
  'suspect',
  'agent-down',
  'frozen',
  'dead',
  'isolated',
  'never-seen',
] as const;

const SEVERITIES: readonly Alert['severity'][] = ['fail', 'warn'];

/** A status as it travels, with ages as of `at`: pieces that are one message together. */
export function* statusToWire(
  status: Status,
  at: Moment,
): Generator<proxyctl.v1.StatusReply.$Properties> {
  const { nodes, verdicts, intents, alerts, newest, ...rest } = status;
  yield {
    ...rest,
    verdicts: verdicts.map(({ owner, sinceMs, pin, ...verdict }) => ({
      ...verdict,
      owner: owner ?? '',
      ageMs: ageMs(at.nowMs, sinceMs),
      ...(pin === null ? {} : { pin: intentToWire(pin, at.wallMs) }),
    })),
    alerts: alerts.map(({ sinceMs, ...alert }) => ({
      ...alert,
      sinceMs: sinceMs === null ? null : ageMs(at.nowMs, sinceMs),
    })),
    ...(newest === null ? {} : { newest: { ...newest } }),
  };
  for (const { peerClass, ageMs, report, ...node } of nodes)
    yield {
      nodes: [
        {
          ...node,
          peerClass: enumValue(peerClass, PEER_CLASSES),
          ageMs: ageMs === null ? null : uint32(ageMs),
          ...(report === null ? {} : { report: reportToWire(report, at.nowMs) }),
        },
      ],
    };
  for (const some of intentsInPieces(intents, at.wallMs)) yield { intents: some };
}

/** A status on arrival at `at`; throws WireError. */
export function statusFromWire(wire: proxyctl.v1.StatusReply, at: Moment): Status {
  return {
    pair: filled('pair', wire.pair),
    node: filled('node', wire.node),
    paused: wire.paused,
    nodes: each('nodes', wire.nodes, (one, field) => ({
      node: filled(`${field}.node`, one.node),
      peerClass: enumOrUnknown(one.peerClass, PEER_CLASSES),
      ageMs: one.ageMs ?? null,
      report: one.report ? reportFromWire(one.report, at.nowMs, `${field}.report`) : null,
      problem: one.problem,
    })),
    verdicts: each('verdicts', wire.verdicts, (one, field) => ({
      address: filled(`${field}.address`, one.address),
      owner: orNull(one.owner),
      reason: one.reason,
      sinceMs: at.nowMs - one.ageMs,
      pin: one.pin ? intentFromWire(one.pin, at.wallMs, `${field}.pin`) : null,
    })),
    intents: each('intents', wire.intents, (one, field) => intentFromWire(one, at.wallMs, field)),
    alerts: each('alerts', wire.alerts, (one, field) => ({
      id: filled(`${field}.id`, one.id),
      // An agent that names nobody speaks of its own decision.
      node: one.node || wire.node,
      subject: one.subject,
      severity: SEVERITIES.find((word) => word === one.severity) ?? 'unknown',
      text: one.text,
      remedy: one.remedy,
      sinceMs: typeof one.sinceMs === 'number' ? at.nowMs - one.sinceMs : null,
    })),
    newest: wire.newest ? stampFromWire(wire.newest, 'newest') : null,
  };
}
