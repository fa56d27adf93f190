import { BECAUSES, type ExplainAnswer } from '../core/answers.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { ageMs, each, filled, orNull, wordOrUnknown } from './fields.ts';

const HEALTHS = ['serving', 'degraded', 'down', 'partly'] as const;

/** An answer as it travels, ages as of `nowMs`. */
export function explainToWire(
  answer: ExplainAnswer,
  nowMs: number,
): proxyctl.v1.ExplainReply.$Properties {
  return {
    node: answer.node,
    paused: answer.paused,
    addresses: answer.addresses.map(({ standings, flips, owner, absent, ...rest }) => ({
      ...rest,
      owner: owner ?? '',
      absent: [...absent],
      standings: standings.map(({ healthSinceMs, ...one }) => ({
        ...one,
        healthAgeMs: ageMs(nowMs, healthSinceMs),
      })),
      flips: flips.map((flip) => ({ text: flip.text, owner: flip.owner ?? '' })),
    })),
  };
}

/** An answer on arrival at `nowMs`; throws WireError. */
export function explainFromWire(wire: proxyctl.v1.ExplainReply, nowMs: number): ExplainAnswer {
  return {
    node: filled('node', wire.node),
    paused: wire.paused,
    addresses: each('addresses', wire.addresses, (one, at) => ({
      address: filled(`${at}.address`, one.address),
      owner: orNull(one.owner),
      reason: one.reason,
      because: wordOrUnknown(one.because, BECAUSES),
      absent: one.absent,
      standings: each(`${at}.standings`, one.standings, (standing, field) => ({
        node: filled(`${field}.node`, standing.node),
        unableBecause: standing.unableBecause,
        health: wordOrUnknown(standing.health, HEALTHS),
        healthReason: standing.healthReason,
        healthSinceMs: nowMs - standing.healthAgeMs,
        maintenance: standing.maintenance,
        pinned: standing.pinned,
        ripe: standing.ripe,
        advskew: standing.advskew,
        state: standing.state,
      })),
      flips: each(`${at}.flips`, one.flips, (flip) => ({
        text: flip.text,
        owner: orNull(flip.owner),
      })),
    })),
  };
}
