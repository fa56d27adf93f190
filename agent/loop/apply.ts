import type { Action } from '../core/decide/decision.ts';
import type { CarpControl } from './ports.ts';

/** One action, one command. A new kind of action does not compile until it has a case here. */
export function perform(action: Action, carp: CarpControl): Promise<void> {
  switch (action.kind) {
    case 'set-advskew':
      return carp.set(action.interface, action.vhid, { advskew: action.advskew });
    case 'take':
      return carp.set(action.interface, action.vhid, { advskew: action.advskew, state: 'MASTER' });
    case 'advertise':
      return carp.advertise();
    case 'fence':
      return carp.allow(false);
    case 'unfence':
      return carp.allow(true);
  }
}
