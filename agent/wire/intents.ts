import type { AppliedIntent, Intent, Seen, Stamp } from '../core/model.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { WireError, filled, present, uint32, within, wordOrUnknown } from './fields.ts';

/** The model's stamp from the wire's; throws WireError. */
export function stampFromWire(wire: proxyctl.v1.Stamp | null | undefined, field: string): Stamp {
  const { wallMs, count, node } = present(field, wire);
  return {
    wallMs: within(`${field}.wall_ms`, wallMs, 0, Number.MAX_SAFE_INTEGER),
    count,
    node: filled(`${field}.node`, node),
  };
}

/** `wallMs` is this host's Unix time; until travels as what remains of it, so it ends 49.7 days ahead at most. */
export function intentToWire(intent: Intent, wallMs: number): proxyctl.v1.Intent.$Properties {
  const { key, value, deleted, actor, reason, requestId, untilWallMs, stamp } = intent;
  // Field by field: of thousands, taking the rest of an object costs five times as much.
  return {
    key,
    value,
    deleted,
    actor,
    reason,
    requestId,
    failback: intent.failback ?? false,
    stamp: { wallMs: stamp.wallMs, count: stamp.count, node: stamp.node },
    remainingMs: untilWallMs === null ? null : uint32(untilWallMs - wallMs),
  };
}

/** So many intents are converted and encoded at a time: the event loop turns between two pieces. */
const PIECE = 500;

/** Lists of them as they travel, each a piece of a message that has all. */
export function* intentsInPieces(
  intents: readonly Intent[],
  wallMs: number,
): Generator<proxyctl.v1.Intent.$Properties[]> {
  for (let at = 0; at < intents.length; at += PIECE)
    yield intents.slice(at, at + PIECE).map((intent) => intentToWire(intent, wallMs));
}

/** `wallMs` is this host's Unix time at arrival; throws WireError. */
export function intentFromWire(wire: proxyctl.v1.Intent, wallMs: number, field: string): Intent {
  const { key, value, deleted, actor, reason, requestId, remainingMs, failback } = wire;
  if (deleted !== (value === ''))
    throw new WireError(`${field}.value`, deleted ? 'a tombstone has none' : 'missing');
  return {
    key: filled(`${field}.key`, key),
    value,
    deleted,
    stamp: stampFromWire(wire.stamp, `${field}.stamp`),
    actor,
    reason,
    requestId,
    untilWallMs: remainingMs === null || remainingMs === undefined ? null : wallMs + remainingMs,
    ...(failback ? { failback } : {}),
  };
}

/** Throws WireError. */
export const seenToWire = ({ ageMs, ...seen }: Seen): proxyctl.v1.Seen.$Properties => ({
  ...seen,
  ageMs: ageMs === null ? null : uint32(ageMs),
});

/** Throws WireError. */
export function seenFromWire(wire: proxyctl.v1.Seen, field: string): Seen {
  return {
    node: filled(`${field}.node`, wire.node),
    epoch: wire.epoch,
    startId: wire.startId,
    sequence: wire.sequence,
    ageMs: wire.ageMs ?? null,
  };
}

const LOST = ['gone', 'back'] as const;

/** Throws WireError. */
export function appliedFromWire(wire: proxyctl.v1.AppliedIntent, field: string): AppliedIntent {
  return {
    key: filled(`${field}.key`, wire.key),
    stamp: stampFromWire(wire.stamp, `${field}.stamp`),
    problem: wire.problem,
    ...(wire.server === '' ? {} : { server: wordOrUnknown(wire.server, LOST) }),
  };
}
