import type { Clock } from '../sys/clock.ts';
import { looks } from './looks.ts';
import { objectionTo, type Objection, type Trust, type Vouched } from './vouched.ts';

/** Everything that is open by somebody's certificate, on either side of a connection. */
export interface Sessions {
  /** Watches one that is open from now on; `end` is called once, as soon as something stands against it. */
  watch(vouched: Vouched, end: (objection: Objection) => void): () => void;
  /** Another CA or another list of revoked ones: what it ends is ended now. */
  look(): void;
}

/** `trust` is asked twice a second, and so is whether a certificate is over: a clock may step. */
export function sessions(clock: Clock, trust: () => Trust): Sessions {
  const open = new Map<object, { vouched: Vouched; end: (objection: Objection) => void }>();

  const look = (): void => {
    const wallMs = clock.wallMs();
    for (const [key, { vouched, end }] of open) {
      const objection = objectionTo(vouched, trust(), wallMs);
      if (objection === null) continue;
      open.delete(key);
      end(objection);
    }
  };
  const looking = looks(clock, () => open.size > 0, look);
  return {
    watch(vouched, end) {
      const key = {};
      open.set(key, { vouched, end });
      looking.begin();
      return () => {
        open.delete(key);
        if (open.size === 0) looking.end();
      };
    },
    look,
  };
}
