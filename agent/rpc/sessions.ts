import type { Clock } from '../sys/clock.ts';
import { objectionTo, type Objection, type Trust, type Vouched } from './vouched.ts';

/** Everything that is open by somebody's certificate, on either side of a connection. */
export interface Sessions {
  /** Watches one that is open from now on; `end` is called once, as soon as something stands against it. */
  watch(vouched: Vouched, end: (objection: Objection) => void): () => void;
  /** Another CA or another list of revoked ones: what it ends is ended now. */
  look(): void;
}

/** How long a certificate may be over before what it opened is ended. */
const LOOK_MS = 500;

/** `trust` is asked at every look. A clock that steps is noticed at the next one. */
export function sessions(clock: Clock, trust: () => Trust): Sessions {
  const open = new Map<object, { vouched: Vouched; end: (objection: Objection) => void }>();
  let cancel: (() => void) | null = null;

  const look = (): void => {
    const wallMs = clock.wallMs();
    for (const [key, { vouched, end }] of open) {
      const objection = objectionTo(vouched, trust(), wallMs);
      if (objection === null) continue;
      open.delete(key);
      end(objection);
    }
  };
  const again = (): void => {
    cancel = open.size === 0 ? null : clock.after(LOOK_MS, () => (look(), again()));
  };
  return {
    watch(vouched, end) {
      const key = {};
      open.set(key, { vouched, end });
      if (cancel === null) again();
      return () => {
        open.delete(key);
        if (open.size > 0) return;
        cancel?.();
        cancel = null;
      };
    },
    look,
  };
}
