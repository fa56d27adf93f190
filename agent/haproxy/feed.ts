import { NOT_READ } from '../core/health.ts';
import type { HaproxyReport, HaproxyState } from '../core/model.ts';
import type { Clock } from '../sys/clock.ts';
import type { Liveness } from './liveness.ts';
import { NO_OLDER } from './older-sessions.ts';

export interface FeedOptions {
  readonly instance: string;
  readonly clock: Clock;
  /** Starts watching; the returned function ends it. */
  readonly watch: (onChange: (liveness: Liveness) => void) => () => void;
  /** Reads everything but liveness; rejects with the cause. */
  readonly observe: (withCertificates: boolean) => Promise<HaproxyReport>;
  /** The report has changed. */
  readonly onChange: () => void;
}

const POLL_MS = 1000;
/** Certificates change rarely, and by our own hand: they are read this often, and after a swap. */
const CERTIFICATES_MS = 30_000;

/** The latest word on one HAProxy: liveness the moment it changes, the rest once a second. */
export function haproxyFeed(options: FeedOptions) {
  const { clock } = options;
  let latest: HaproxyReport = {
    instance: options.instance,
    state: 'down',
    stateSinceMs: clock.nowMs(),
    problem: NOT_READ,
    version: '',
    pid: 0,
    startedMs: clock.nowMs(),
    sessions: 0,
    older: NO_OLDER,
    frontends: [],
    backends: [],
    certificates: [],
    drift: [],
    drifted: 0,
  };
  let alive: Liveness | null = null;
  let certificatesAtMs = -Infinity;
  let reading: Promise<void> | null = null;
  let closed = false;
  let cancel = (): void => {};

  function become(state: HaproxyState, change: Partial<HaproxyReport>): void {
    const before = latest;
    const stateSinceMs = latest.state === state ? latest.stateSinceMs : clock.nowMs();
    latest = { ...latest, ...change, state, stateSinceMs };
    // Most readings say what the one before said: nobody has to think about those.
    if (substance(before) !== substance(latest)) options.onChange();
  }

  const isUp = (): boolean => alive?.kind === 'up';

  async function read(): Promise<void> {
    const asked = alive;
    const startedAtMs = clock.nowMs();
    const withCertificates = startedAtMs - certificatesAtMs >= CERTIFICATES_MS;
    // Whoever wants them read again while this goes on gets them with the next reading.
    if (withCertificates) certificatesAtMs = startedAtMs;
    try {
      const seen = await options.observe(withCertificates);
      // What was read of a process that is gone says nothing of the next one.
      if (!isUp() || alive !== asked) return;
      const certificates = withCertificates ? seen.certificates : latest.certificates;
      become('up', { ...seen, certificates });
    } catch (error) {
      if (withCertificates) certificatesAtMs = -Infinity;
      if (alive?.kind !== 'up' || alive !== asked) return;
      // It lives and cannot be read: said, not guessed around.
      const trouble = error instanceof Error ? error.message : String(error);
      become('up', { problem: trouble, pid: alive.pid, version: alive.version });
    }
  }

  function refresh(): Promise<void> {
    const asked = alive;
    reading ??= read().finally(() => {
      reading = null;
      if (closed) return;
      cancel();
      if (isUp() && alive !== asked) void refresh();
      else cancel = clock.after(POLL_MS, () => void refresh());
    });
    return reading;
  }

  const unwatch = options.watch((liveness) => {
    const before = alive;
    alive = liveness;
    if (liveness.kind === 'up') {
      if (before?.kind !== 'up' || before.pid !== liveness.pid) certificatesAtMs = -Infinity;
      void refresh();
    } else if (liveness.kind === 'hung' || liveness.kind === 'down')
      become(liveness.kind, { problem: liveness.cause, sessions: 0 });
    // It may serve all it had: what was read of it last stands.
    else become(liveness.kind, { problem: liveness.cause });
  });

  return {
    report: (): HaproxyReport => latest,
    /** HAProxy's process; null while there is none to talk to. */
    pid: (): number | null => (alive?.kind === 'up' ? alive.pid : null),
    /** Reads all but certificates now. */
    async look(): Promise<void> {
      // As below.
      await reading;
      await refresh();
    },
    /** Reads everything now, certificates too. */
    async reread(): Promise<void> {
      // A reading that is under way may have read what has changed since.
      await reading;
      certificatesAtMs = -Infinity;
      await refresh();
    },
    close(): void {
      closed = true;
      cancel();
      unwatch();
    },
  };
}

/** Everything but the start of the process, which every reading reckons anew. */
const substance = (report: HaproxyReport): string => JSON.stringify({ ...report, startedMs: 0 });
