import { closeSync, openSync } from 'node:fs';
import { noDescriptor } from '../core/descriptors.ts';
import type { Clock } from './clock.ts';
import type { Exec } from './exec.ts';
import { othersTurn } from './turn.ts';

export interface Descriptors {
  /**
   * Runs `act`. Where it fails for want of a descriptor, the reserve is let go, strangers are shed,
   * and it runs once more in the same turn, before anybody else can take what is free; where the
   * reserve was gone already, a third time once what was shed is closed. Rejects as `act` does.
   */
  readonly spend: <T>(act: () => Promise<T>) => Promise<T>;
  /** The reserve is let go and not back yet: what is free is not for strangers. */
  readonly scarce: () => boolean;
  /** Lets the reserve go for who tries again by itself; `cause`: who had none. */
  readonly letGo: (cause: string) => void;
  /** Ends the waiting and closes what is held. */
  readonly close: () => void;
}

/** Where nothing is held: fails as it fails. */
export const NO_RESERVE: Descriptors = {
  spend: (act) => act(),
  scarce: () => false,
  letGo: () => undefined,
  close: () => undefined,
};

/** Two programs at once take eleven, a connection to HAProxy one, a dial to a peer one. */
const COUNT = 32;
/** What was let go is taken back as soon as all of it can be, tried this often, ms. */
const BACK_MS = 1000;
/** So long after the last want strangers are kept out at most: where the limit is too low, no reserve comes back. */
const SCARCE_MS = 5000;
/** So long after the last want it is over, ms. */
const CALM_MS = 60_000;

/**
 * Holds `count` descriptors open that nobody uses, so that HAProxy, ifconfig(8), the state and the
 * peers can still be reached when callers have taken all others. `shed` closes what strangers hold.
 * `onShort` hears each time why it was needed; `onEnough` once nothing was wanted for a minute.
 */
export function descriptorReserve(options: {
  readonly clock: Clock;
  readonly shed: () => void;
  readonly onShort: (cause: string) => void;
  readonly onEnough: () => void;
  readonly count?: number;
}): Descriptors {
  const { clock, shed, onShort, onEnough, count = COUNT } = options;
  let held: number[] = [];
  let shortAtMs: number | null = null;
  let cancel = (): void => {};
  let closed = false;

  function letGo(cause: string): void {
    release();
    shed();
    shortAtMs = clock.nowMs();
    cancel();
    if (!closed) cancel = clock.after(BACK_MS, takeBack);
    onShort(cause);
  }

  function release(): void {
    for (const one of held) closeSync(one);
    held = [];
  }

  /** All or none: half a reserve would be what keeps others waiting. */
  function takeBack(): void {
    if (fill() && (shortAtMs === null || clock.nowMs() - shortAtMs >= CALM_MS)) {
      shortAtMs = null;
      onEnough();
      return;
    }
    cancel = clock.after(BACK_MS, takeBack);
  }

  function fill(): boolean {
    try {
      while (held.length < count) held.push(openSync('/dev/null', 'r'));
      return true;
    } catch {
      release();
      return false;
    }
  }

  /** Rejects as `act` does, but for want of a descriptor: then it is what `next` comes to. */
  async function orWith<T>(act: () => Promise<T>, next: (cause: string) => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const cause = noDescriptor(error);
      if (cause === null) throw error;
      return next(cause);
    }
  }

  fill();
  return {
    spend: (act) =>
      orWith(act, (cause) => {
        letGo(cause);
        return orWith(act, async () => {
          // Connections that are shed close behind everybody who has his turn now.
          await othersTurn();
          return act();
        });
      }),
    scarce: () =>
      shortAtMs !== null && held.length < count && clock.nowMs() - shortAtMs < SCARCE_MS,
    letGo,
    close() {
      closed = true;
      cancel();
      release();
    },
  };
}

/** The same programs, run once more where this process had no descriptor for their pipes. */
export const execFromReserve =
  (exec: Exec, descriptors: Descriptors): Exec =>
  (file, args) =>
    descriptors.spend(() => exec(file, args));
