import type { proxyctl } from '../../proto/gen/messages.js';
import { boundedEvent, eventLine, eventOf } from '../core/events/event-lines.ts';
import {
  MOST_NOTICES,
  MOST_RAISED,
  MOST_TARGETS,
  MOST_TOLD,
  NO_NOTIFY,
} from '../core/notify/notify.ts';
import type { NotifyReport, NotifyTested } from '../core/notify/notify.ts';
import { each, filled } from './fields.ts';

/** What a report tells of notifications, as it travels. */
export const notifyToWire = ({
  targets,
  notices,
  told,
  raised,
}: NotifyReport): proxyctl.v1.NotifyReport.$Properties => ({
  targets: [...targets],
  notices: notices.map(eventLine),
  told: [...told],
  raised: [...raised],
});

/** The same on arrival, within the bounds of each; an older agent says nothing of it. */
export function notifyFromWire(wire: proxyctl.v1.NotifyReport | null | undefined): NotifyReport {
  if (!wire) return NO_NOTIFY;
  return {
    targets: wire.targets.slice(0, MOST_TARGETS).map(({ name, failing }) => ({ name, failing })),
    notices: wire.notices.slice(0, MOST_NOTICES).flatMap((line) => {
      const event = eventOf(line);
      return event === null ? [] : [boundedEvent(event)];
    }),
    told: wire.told.slice(-MOST_TOLD),
    raised: wire.raised.slice(0, MOST_RAISED),
  };
}

/** What came of a test, as it travels. */
export const notifyTestedToWire = ({
  node,
  nodes,
}: NotifyTested): proxyctl.v1.TestNotifyReply.$Properties => ({
  node,
  nodes: nodes.map((one) => ({ ...one, targets: [...one.targets] })),
});

/** The same on arrival; throws WireError. */
export const notifyTestedFromWire = (wire: proxyctl.v1.TestNotifyReply): NotifyTested => ({
  node: filled('node', wire.node),
  nodes: each('nodes', wire.nodes, ({ node, problem, targets }, at) => ({
    node: filled(`${at}.node`, node),
    problem,
    targets: targets.map((one) => ({
      name: one.name,
      problem: one.problem,
      tookMs: one.tookMs,
    })),
  })),
});
