import type { Memory } from '../core/decide/memory.ts';
import type { Durable } from './ports.ts';
import type { Clock } from '../sys/clock.ts';

/** Unix ms of a stored budget as readings of this start's monotonic clock. */
export function movesFrom(stored: Durable['moves'], clock: Clock): Memory['moves'] {
  const shift = clock.nowMs() - clock.wallMs();
  return new Map(Object.entries(stored).map(([key, times]) => [key, times.map((t) => t + shift)]));
}

/** The budget as it is stored; addresses without a move are left out. */
export function movesTo(moves: Memory['moves'], clock: Clock): Record<string, readonly number[]> {
  const shift = clock.wallMs() - clock.nowMs();
  const entries = [...moves].filter(([, times]) => times.length > 0);
  return Object.fromEntries(
    entries.map(([key, times]) => [key, times.map((t) => Math.round(t + shift))]),
  );
}
