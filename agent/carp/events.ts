import { watchDevd } from './devd.ts';
import type { NodeReport } from '../core/model.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/**
 * Changes of CARP as devd(8) tells them. Without devd (`path` is empty, as in a
 * jail), or while it is away, `state` is polling. `changed` may be called at any time.
 */
export function carpEvents(options: {
  readonly path: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly changed: () => void;
}): { readonly state: () => NodeReport['carpEvents']; readonly close: () => void } {
  const { path, clock, problems, changed } = options;
  if (path === '') return { state: () => 'polling', close: () => undefined };
  let state: NodeReport['carpEvents'] = 'polling';
  const devd = watchDevd({
    path,
    clock,
    onEvent: changed,
    onState: ({ connected, cause }) => {
      state = connected ? 'events' : 'polling';
      if (connected) problems.clear('devd');
      else problems.raise('devd', cause, 'polling every second; service devd status');
      changed();
    },
  });
  return { state: () => state, close: () => devd.close() };
}
