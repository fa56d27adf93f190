import type { proxyctl } from '../../proto/gen/messages.js';
import { CAUSES, type History, type OwnerChange } from '../core/history.ts';
import { each, filled, orNull, wordOrUnknown } from './fields.ts';

/** A record as it travels at `wallMs`: when, by its writer's clock, and for an older reader its age. */
export const changeToWire = (
  { from, atWallMs, ...rest }: OwnerChange,
  wallMs: number,
): proxyctl.v1.OwnerChange.$Properties => ({
  ...rest,
  from: from ?? '',
  ageMs: Math.max(0, wallMs - atWallMs),
  atWallMs,
});

/** A record on arrival; of an older agent, which tells its age, by this host's clock. Throws WireError. */
export const changeFromWire = (
  wire: proxyctl.v1.OwnerChange,
  wallMs: number,
  field: string,
): OwnerChange => ({
  address: filled(`${field}.address`, wire.address),
  from: orNull(wire.from),
  to: filled(`${field}.to`, wire.to),
  cause: wordOrUnknown(wire.cause, CAUSES),
  reason: wire.reason,
  atWallMs: wire.atWallMs === 0 ? wallMs - wire.ageMs : wire.atWallMs,
});

/** The answer as it travels at `wallMs`. */
export const historyToWire = (
  { node, changes, missing }: History,
  wallMs: number,
): proxyctl.v1.HistoryReply.$Properties => ({
  node,
  changes: changes.map((one) => changeToWire(one, wallMs)),
  missing: [...missing],
});

/** The answer on arrival; throws WireError. */
export const historyFromWire = (wire: proxyctl.v1.HistoryReply, wallMs: number): History => ({
  node: filled('node', wire.node),
  changes: each('changes', wire.changes, (one, at) => changeFromWire(one, wallMs, at)),
  missing: each('missing', wire.missing, ({ node, cause }, at) => ({
    node: filled(`${at}.node`, node),
    cause,
  })),
});
