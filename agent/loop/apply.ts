import type { Action } from '../core/decide/decision.ts';

/** What actions are performed on; agent/carp has the real one. */
export interface CarpControl {
  /** One command: advskew first, then state, as the kernel takes them. */
  set(
    name: string,
    vhid: number,
    change: { readonly advskew?: number; readonly state?: 'MASTER' | 'BACKUP' },
  ): Promise<void>;
  advertise(): Promise<void>;
  /** False: fenced for 3 s, after which the host undoes it by itself; said again it is renewed. */
  allow(on: boolean): Promise<void>;
}

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
