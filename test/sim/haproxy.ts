import type { AdminState } from '../../agent/core/acts.ts';
import type { HaproxyReport } from '../../agent/core/model.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

export const BACKENDS = ['GITEA', 'WEB'] as const;
export const SERVERS = ['s1', 's2', 's3'] as const;
const HUNG_AFTER_MS = 1000;
const RETRY_FIRST_MS = 20;
const RETRY_LAST_MS = 1000;

/** One HAProxy as its agent can see it: a process that is up, hung or gone, and its servers' states. */
export class Haproxy {
  readonly #world: World;
  readonly #node: string;
  state: 'up' | 'hung' | 'down' = 'up';
  stateSinceMs = 0;
  /** It accepts nobody any more and lives on with its sessions: `state` is down for clients. */
  stopping = false;
  /** Processes since the last start that took over without a gap. */
  reloads = 0;
  /** Its stats socket may not be used: what it is cannot be known. */
  barred = false;
  pid = 100;
  /** Backends whose every server fails its checks as seen from this host. */
  readonly backendsDown = new Set<string>();
  /** `BACKEND/SERVER` to what it was told; `ready` is left out, as after a start. */
  readonly servers = new Map<string, AdminState>();
  readonly #watchers = new Set<() => void>();

  constructor(world: World, node: string) {
    this.#world = world;
    this.#node = node;
  }

  #become(state: 'up' | 'hung' | 'down', text: string): void {
    if (state !== 'down') this.stopping = false;
    if (this.state !== state) this.stateSinceMs = this.#world.nowMs;
    this.state = state;
    this.#world.story.say(this.#node, `haproxy: ${text}`);
    this.#world.changed();
    for (const watcher of this.#watchers) watcher();
  }

  stop(how: string): void {
    this.stopping = false;
    if (this.state !== 'down') this.#become('down', how);
  }

  /** SIGUSR1. */
  stopSoftly(): void {
    if (this.state === 'down') return;
    this.stopping = true;
    this.#become('down', 'accepts nobody any more');
  }

  /** A new process: its servers start from its configuration. */
  start(): void {
    if (this.state !== 'down') this.#become('down', 'ends for its restart');
    this.pid++;
    this.reloads = 0;
    this.servers.clear();
    this.#become('up', `starts, pid ${this.pid}`);
  }

  /** A new process without a gap. */
  reload(): void {
    if (this.state !== 'up') return;
    this.pid++;
    this.reloads++;
    this.servers.clear();
    this.#become('up', `is reloaded, pid ${this.pid}`);
  }

  /** Its agent may not, or may again, ask it. */
  bar(barred: boolean): void {
    this.barred = barred;
    this.#become(this.state, barred ? 'cannot be asked' : 'can be asked');
  }

  hang(): void {
    if (this.state === 'up') this.#become('hung', 'hangs');
  }

  wake(): void {
    if (this.state === 'hung') this.#become('up', 'answers again');
  }

  setBackend(name: string, up: boolean): void {
    this.#world.story.say(this.#node, `haproxy: backend ${name} ${up ? 'up' : 'down'}`);
    if (up) this.backendsDown.delete(name);
    else this.backendsDown.add(name);
    this.#world.changed();
  }

  /** agent/haproxy/watch.ts: death at once, a start within a second, hanging after two silent pings. */
  watch(process: Process, onChange: (liveness: Liveness) => void): () => void {
    const { random } = this.#world;
    let retryMs = RETRY_FIRST_MS;
    let said = '';
    let closed = false;
    let round = 0;
    const tell = (liveness: Liveness): void => {
      const text = JSON.stringify(liveness);
      if (closed || text === said) return;
      said = text;
      onChange(liveness);
    };
    const look = (): void => {
      if (closed) return;
      const mine = ++round;
      switch (this.state) {
        case 'up':
          retryMs = RETRY_FIRST_MS;
          tell({ kind: 'up', pid: this.pid, version: '2.6.12' });
          break;
        case 'down':
          tell(
            this.stopping
              ? { kind: 'stopping', pid: this.pid, cause: 'it is stopping' }
              : { kind: 'down', cause: 'nobody listens' },
          );
          process.clock.after(retryMs, () => {
            if (mine === round) look();
          });
          retryMs = Math.min(RETRY_LAST_MS, 2 * retryMs);
          break;
        case 'hung':
          // The ping under way waits for the next one's turn, then two have to be missed.
          process.clock.after(random.between(0, 1000) + 2 * HUNG_AFTER_MS, () => {
            if (mine === round && this.state === 'hung')
              tell({ kind: 'hung', cause: 'no answer to show info' });
          });
      }
    };
    const changed = (): void => {
      // A start is seen through the socket's directory, an end through the held connection.
      process.later(random.delay(0.5, 5), look);
    };
    this.#watchers.add(changed);
    process.later(random.delay(0.5, 3), look);
    return () => {
      closed = true;
      this.#watchers.delete(changed);
    };
  }

  observe(process: Process): Promise<HaproxyReport> {
    return new Promise((resolve, reject) => {
      process.later(this.#world.random.delay(0.5, 5), () => {
        if (this.state === 'up') resolve(this.#report(process));
        else process.later(2000, () => reject(new Error('no answer')));
      });
    });
  }

  #report(process: Process): HaproxyReport {
    const nowMs = process.clock.nowMs();
    return {
      instance: '',
      state: 'up',
      stateSinceMs: nowMs,
      problem: '',
      version: '2.6.12',
      pid: this.pid,
      startedMs: nowMs - (this.#world.nowMs - this.stateSinceMs),
      sessions: 0,
      frontends: [{ name: 'web', open: true, required: true }],
      backends: BACKENDS.map((name) => {
        const up = !this.backendsDown.has(name);
        return { name, up, serversUp: up ? SERVERS.length : 0, servers: SERVERS.length };
      }),
      certificates: [],
      drift: [],
      older: { processes: 0, sessions: 0, uncounted: 0, problem: '' },
      drifted: 0,
    };
  }

  /** `set server` and the reading that proves it. */
  setServer(process: Process, backend: string, server: string, state: AdminState): Promise<void> {
    return new Promise((resolve, reject) => {
      process.later(this.#world.random.delay(0.5, 5), () => {
        if (this.state !== 'up') {
          reject(new Error('nobody listens'));
          return;
        }
        if (state === 'ready') this.servers.delete(`${backend}/${server}`);
        else this.servers.set(`${backend}/${server}`, state);
        this.#world.story.say(this.#node, `haproxy: ${backend}/${server} ${state}`);
        this.#world.changed();
        resolve();
      });
    });
  }
}
