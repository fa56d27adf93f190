import { NO_OLDER } from '../../agent/haproxy/older-sessions.ts';
import type { Deadline, ServersAct } from '../../agent/core/acts.ts';
import { ActFailure, type ActResult, type Progress } from '../../agent/core/results.ts';
import type { ServerReading } from '../../agent/core/answers.ts';
import { mergeIntents, type Intents } from '../../agent/core/intents.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { setServers } from '../../agent/verbs/servers.ts';
import { setWeights } from '../../agent/verbs/weights.ts';
import { serverReading } from '../core/builders.ts';
import { haproxy, report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

/** What the HAProxys of two nodes would say: both take every wish at once unless told otherwise. */
export class Nodes {
  readonly clock = new FakeClock();
  intents: Intents = new Map();
  readonly said: Progress[] = [];
  readonly shut: string[] = [];
  /** Sessions of web1 on each node, and how many it has had. */
  sessions = [0, 0];
  /** Older processes of HAProxy on each node that cannot be asked. */
  uncounted = [0, 0];
  /** Why older processes of a node cannot be looked for. */
  hidden = ['', ''];
  /** What the nodes report of older processes. */
  older = [NO_OLDER, NO_OLDER];
  totals = [0, 0];
  away = false;
  /** A node's HAProxy that cannot be asked. */
  silent: number | null = null;
  /** None of them can. */
  deaf = false;
  refusal = '';
  /** Servers that HAProxy has not, by node; the backend is OLD or WEB. */
  gone: readonly (readonly string[])[] = [[], []];
  /** A server that is ready is down for so long, ms. */
  downMs = 0;
  /** Called at each count of the first node. */
  onCount = (): void => undefined;
  readonly backups: ServerReading[] = [];

  readonly #state = (name: string): string => {
    const intent = this.intents.get(`server//WEB/${name}`);
    return intent === undefined || intent.deleted ? 'ready' : intent.value;
  };

  servers(at: number): ServerReading[] {
    return [
      ...['web1', 'web2'].map((name) => {
        const admin = this.#state(name) as ServerReading['admin'];
        const down = this.clock.nowMs() < this.downMs;
        const status = admin === 'ready' ? (down ? 'DOWN' : 'UP') : admin.toUpperCase();
        const busy =
          name === 'web1' ? { sessions: this.sessions[at] ?? 0, total: this.totals[at] ?? 0 } : {};
        const uncounted = this.uncounted[at] ?? 0;
        return serverReading({ name, admin, status, uncounted, ...busy });
      }),
      ...this.backups,
    ].filter(({ name }) => this.gone[at]?.includes(name) !== true);
  }

  pair(): Pair {
    const member = (node: string, at: number) =>
      memberOf(node, {
        storeIntents: (intents) => {
          const merged = mergeIntents(this.intents, intents, this.clock.wallMs());
          this.intents = merged.intents;
          return Promise.resolve({ newer: [] });
        },
        findServers: (_instance, backend) => {
          if (at === 0) this.onCount();
          if (this.silent === at || this.deaf)
            return Promise.reject(new Error(`${node} is silent`));
          if (backend === 'WEB') return Promise.resolve(this.servers(at));
          const detail = { code: 'no_such_backend', message: `HAProxy has no backend ${backend}` };
          return Promise.reject(new ActFailure('not-found', detail));
        },
        shutSessions: (_instance, backend, server) => {
          this.shut.push(`${node} ${backend}/${server}`);
          this.sessions = [0, 0];
          return Promise.resolve();
        },
      });
    const names = ['a', 'b'];
    return pairOf(names.map(member), {
      clock: this.clock,
      view: () =>
        names.map((node, at) => ({
          node,
          peerClass: 'alive',
          fresh: node === 'a' || !this.away,
          heardAtMs: 0,
          report: report(node, {
            haproxy: [
              haproxy({
                older: { ...(this.older[at] ?? NO_OLDER), problem: this.hidden[at] ?? '' },
              }),
            ],
            // One whose HAProxy cannot be asked has told it nothing.
            applied: [...this.intents.values()].flatMap(({ key, stamp }) =>
              this.silent !== null && names[this.silent] === node
                ? []
                : [{ key, stamp, problem: key.startsWith('weight/') ? this.refusal : '' }],
            ),
          }),
          clockOffMs: null,
          oneWay: null,
          doubleSinceMs: null,
        })),
      intents: () => this.intents,
    });
  }

  /** Runs the verb while time passes; its result. */
  async run(act: (pair: Pair, report: (progress: Progress) => void) => Promise<ActResult>) {
    const running = act(this.pair(), (progress) => this.said.push(progress));
    const results: ActResult[] = [];
    const ended = running.then((value) => {
      results.push(value);
      return value;
    });
    ended.catch(() => undefined);
    for (let step = 0; step < 200 && results.length === 0; step++) await this.clock.advance(100);
    return ended;
  }

  readonly set = (
    state: ServersAct['state'],
    wait: Deadline | null = null,
    more: Partial<ServersAct['header']> = {},
    targets = ['WEB/web1'],
  ): Promise<ActResult> =>
    this.run((pair, report) =>
      setServers(
        pair,
        { header: { ...HEADER, ...more }, targets, state, untilMs: null, wait },
        report,
      ),
    );

  readonly weigh = (target: string, weight: string | null): Promise<ActResult> =>
    this.run((pair, report) =>
      setWeights(pair, { header: HEADER, targets: [target], weight, untilMs: null }, report),
    );
}

export const HEADER: ServersAct['header'] = {
  requestId: 'r',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: 2000,
  seen: null,
};
