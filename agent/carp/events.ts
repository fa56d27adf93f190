import { watchDevd } from './devd.ts';
import type { CarpState, NodeReport } from '../core/model.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/** A line about a change comes within milliseconds; devd may be busy with an action. */
const GRACE_MS = 1000;

const DEAF =
  'devd.pipe is connected and tells nothing: CARP was found changed, and no event of it came';
/** A login is told by devd as well (its pseudo-terminal), so looking into it ends a false alarm. */
const WHO =
  'polling every second; devd tells ten clients at most: sockstat -u | grep devd.pipe; service devd status';

/** What of a reading devd tells of. */
interface States {
  readonly addresses: readonly {
    readonly interface: string;
    readonly vhid: number;
    readonly state: CarpState;
  }[];
}

/**
 * Changes of CARP as devd(8) tells them. `state` is events once a connection has
 * told anything; until then, without devd (`path` is empty, as in a jail) and
 * while it is away, polling. devd lets one client more connect than it tells,
 * without an error, so what is read is held against what was heard: a change
 * that was not told is a problem until something is heard. `changed` may be
 * called at any time.
 */
export function carpEvents(options: {
  readonly path: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly changed: () => void;
}): {
  readonly state: () => NodeReport['carpEvents'];
  /** The same reading, held against what was heard. */
  readonly compared: <R extends States>(read: () => Promise<R>) => () => Promise<R>;
  readonly close: () => void;
} {
  const { path, clock, problems, changed } = options;
  if (path === '')
    return { state: () => 'polling', compared: (read) => read, close: () => undefined };
  let connectedAtMs: number | null = null;
  /** This connection has told something: it is one of those that devd serves. */
  let proven = false;
  let heardAtMs = -Infinity;
  let last: { readonly startedAtMs: number; readonly states: Map<string, CarpState> } | null = null;
  /** A change after `sinceMs` that was read, and nothing was heard yet. */
  let untold: { readonly sinceMs: number; readonly foundAtMs: number } | null = null;

  const devd = watchDevd({
    path,
    clock,
    onEvent: changed,
    onHeard() {
      heardAtMs = clock.nowMs();
      if (proven) return;
      proven = true;
      problems.clear('devd');
      changed();
    },
    onState({ connected, cause }) {
      connectedAtMs = connected ? clock.nowMs() : null;
      proven = false;
      [last, untold] = [null, null];
      if (connected) problems.clear('devd');
      else problems.raise('devd', cause, WHO);
      changed();
    },
  });

  function compare(startedAtMs: number, states: Map<string, CarpState>): void {
    // What happened before the connection stood was told to nobody.
    if (connectedAtMs === null || startedAtMs < connectedAtMs) return;
    const nowMs = clock.nowMs();
    if (untold !== null && heardAtMs >= untold.sinceMs) untold = null;
    if (untold !== null && nowMs - untold.foundAtMs >= GRACE_MS) {
      [proven, untold] = [false, null];
      problems.raise('devd', DEAF, WHO);
    }
    const before = last;
    const differs = (state: CarpState, id: string): boolean =>
      (before?.states.get(id) ?? state) !== state;
    if (before !== null && untold === null && [...states].some(([id, now]) => differs(now, id)))
      untold = { sinceMs: before.startedAtMs, foundAtMs: nowMs };
    last = { startedAtMs, states };
  }

  return {
    state: () => (proven ? 'events' : 'polling'),
    compared: (read) => async () => {
      const startedAtMs = clock.nowMs();
      const reading = await read();
      const states = reading.addresses.map(
        (one) => [`${one.vhid}@${one.interface}`, one.state] as const,
      );
      compare(startedAtMs, new Map(states));
      return reading;
    },
    close: () => devd.close(),
  };
}
