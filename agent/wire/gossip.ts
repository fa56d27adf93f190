import type { GossipMessage } from '../core/gossip.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { intentFromWire, intentToWire, seenFromWire, seenToWire } from './intents.ts';
import { reportFromWire, reportToWire } from './reports.ts';
import { WireError, each, filled, present, uint32 } from './fields.ts';

/** Both clocks of this host at the moment a message leaves or arrives. */
export interface Moment {
  /** Monotonic ms. */
  readonly nowMs: number;
  /** Unix ms. */
  readonly wallMs: number;
}

/** A gossip message as it travels, with ages as of `at`. */
export function gossipToWire(
  message: GossipMessage,
  at: Moment,
): proxyctl.v1.GossipMessage.$Properties {
  switch (message.kind) {
    case 'hello': {
      const { kind: _, ...hello } = message;
      return { hello };
    }
    case 'heartbeat': {
      const { kind: _, seen, heard, ...heartbeat } = message;
      const heardFrom = heard.map(({ node, ageMs }) => ({ node, ageMs: uint32(ageMs) }));
      return { heartbeat: { ...heartbeat, seen: seen.map(seenToWire), heard: heardFrom } };
    }
    case 'report': {
      const report = reportToWire(message.report, at.nowMs);
      return { report: { report, ageMs: uint32(message.ageMs) } };
    }
    case 'intents': {
      const intents = message.intents.map((intent) => intentToWire(intent, at.wallMs));
      return { intents: { intents } };
    }
    case 'want-intents':
      return { wantIntents: {} };
    case 'want-report':
      return { wantReport: { node: message.node } };
    case 'goodbye':
      return { goodbye: { reason: message.reason } };
  }
}

/** A gossip message that arrived at `at`; throws WireError. */
export function gossipFromWire(wire: proxyctl.v1.GossipMessage, at: Moment): GossipMessage {
  if (wire.hello) {
    const { node, pair, protocol, agentVersion, epoch, startId } = wire.hello;
    filled('hello.node', node);
    filled('hello.pair', pair);
    if (protocol === 0) throw new WireError('hello.protocol', 'missing');
    return { kind: 'hello', node, pair, protocol, agentVersion, epoch, startId };
  }
  if (wire.heartbeat) {
    const { epoch, startId, sequence, intentsDigest } = wire.heartbeat;
    const seen = each('heartbeat.seen', wire.heartbeat.seen, seenFromWire);
    const heard = each('heartbeat.heard', wire.heartbeat.heard, ({ node, ageMs }, field) => ({
      node: filled(`${field}.node`, node),
      ageMs,
    }));
    return { kind: 'heartbeat', epoch, startId, sequence, intentsDigest, seen, heard };
  }
  if (wire.report) {
    const report = present('report.report', wire.report.report);
    return {
      kind: 'report',
      report: reportFromWire(report, at.nowMs, 'report'),
      ageMs: wire.report.ageMs,
    };
  }
  if (wire.intents) {
    const intents = each('intents', wire.intents.intents, (intent, field) =>
      intentFromWire(intent, at.wallMs, field),
    );
    return { kind: 'intents', intents };
  }
  if (wire.wantIntents) return { kind: 'want-intents' };
  if (wire.wantReport)
    return { kind: 'want-report', node: filled('want_report.node', wire.wantReport.node) };
  if (wire.goodbye) return { kind: 'goodbye', reason: wire.goodbye.reason };
  throw new WireError('body', 'missing, or of a kind this agent does not know');
}
