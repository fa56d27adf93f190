import type { Alert, Status } from '../../agent/core/answers.ts';
import type { DrillAct, DrillSeenAct, LastDrill } from '../../agent/core/drill.ts';
import { lastDrills } from '../../agent/core/drill.ts';
import { mergeIntents, pinKey, wish, type Intents } from '../../agent/core/intents.ts';
import type { Intent, NodeReport, NodeView } from '../../agent/core/model.ts';
import type { ActResult, Progress } from '../../agent/core/results.ts';
import { drills } from '../../agent/verbs/drill.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { recoverDrills } from '../../agent/upkeep/drill-recovery.ts';
import { heard } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { address, NOW, report } from '../reports.ts';
import { memberOf, pairOf } from '../scripted.ts';
import { statusOf } from '../ctl/statuses.ts';

export const A = 'haproxy01';
export const B = 'haproxy02';
export const HEADER = {
  requestId: 'r',
  actor: 'anna',
  reason: 'monthly',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};
export const ACT: DrillAct = {
  header: HEADER,
  kind: 'failover',
  node: null,
  means: null,
  stayMs: 2000,
  maxOutageMs: 500,
};

/**
 * A pair of which an address goes where it is pinned, else home to A, unless it is stuck or A has closed
 * its frontends.
 */
export class DrillDesk {
  readonly clock = new FakeClock({ wallMs: NOW });
  intents: Intents = new Map();
  readonly said: Progress[] = [];
  readonly listeners = new Set<() => void>();
  /** Where the address has been, each once in a row. */
  readonly been: string[] = [A];
  /** It moves no more. */
  stuck = false;
  /** A's frontends are closed. */
  closed = false;
  /** What was asked of each node. */
  readonly askedFor: string[] = [];
  /** Called when an agent is to end. */
  onEnd = (): void => undefined;
  /** What the nodes report beside that. */
  readonly more: Record<string, Partial<NodeReport>> = { [A]: {}, [B]: {} };
  readonly views: Record<string, Partial<NodeView>> = { [A]: {}, [B]: {} };
  alerts: readonly Alert[] = [];
  /** Told at each step. */
  onStep = (_step: string): void => undefined;
  readonly pair: Pair;
  readonly drills;

  constructor(self = A) {
    const member = (node: string) =>
      memberOf(node, {
        storeIntents: (list) => {
          this.store(list);
          return Promise.resolve({ newer: [] });
        },
        closeFrontends: (means, leaseMs) => {
          this.askedFor.push(`${node} close ${means} ${leaseMs}`);
          this.closed = true;
          this.round();
          return Promise.resolve('frontends');
        },
        openFrontends: () => {
          this.askedFor.push(`${node} open`);
          this.closed = false;
          this.round();
          return Promise.resolve();
        },
        endAgent: () => {
          this.askedFor.push(`${node} end`);
          this.onEnd();
          return Promise.resolve();
        },
      });
    this.pair = pairOf([self, self === A ? B : A].map(member), {
      clock: this.clock,
      intents: () => this.intents,
      view: () => [self, self === A ? B : A].map((node) => this.#viewOf(node)),
      clientPlaces: (vips) => Promise.resolve(vips.map((vip) => `${vip}:443`)),
      onRound: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    });
    this.drills = drills(this.pair, (): Status => ({ ...statusOf(), alerts: this.alerts }));
  }

  store(list: readonly Intent[]): void {
    this.intents = mergeIntents(this.intents, list, this.clock.wallMs()).intents;
    this.round();
  }

  /** A round of the loop: the address goes where it belongs. */
  round(): void {
    const pin = wish(this.intents, pinKey('1@wan'), this.clock.wallMs());
    const to = this.closed ? B : (pin?.value ?? A);
    if (!this.stuck && this.been.at(-1) !== to) this.been.push(to);
    for (const listener of this.listeners) listener();
  }

  #viewOf(node: string): NodeView {
    const state = this.been.at(-1) === node ? 'MASTER' : 'BACKUP';
    const own = address({ baseAdvskew: node === A ? 0 : 100, state, owner: this.been.at(-1) ?? A });
    const health = this.closed && node === A ? 'partly' : 'serving';
    return heard(report(node, { addresses: [own], health, ...this.more[node] }), this.views[node]);
  }

  pins(): Intent[] {
    const pin = wish(this.intents, pinKey('1@wan'), this.clock.wallMs());
    return pin === null ? [] : [pin];
  }

  last(): LastDrill | undefined {
    return lastDrills(this.intents.values(), this.clock.wallMs())[0];
  }

  /** What whoever watches clients says. */
  seen(more: Partial<DrillSeenAct> = {}): ActResult {
    const act = { header: HEADER, drill: 'r', stop: false, why: '', sent: 100, lost: 0, darkMs: 9 };
    return this.drills.seen({ ...act, ...more });
  }

  /** The drill to its end while time passes; rejects as it does. */
  async run(act: Partial<DrillAct> = {}): Promise<ActResult> {
    const ended: boolean[] = [];
    const running = this.drills.drill({ ...ACT, ...act }, (progress) => {
      this.said.push(progress);
      this.onStep(progress.step);
    });
    running.then(
      () => ended.push(true),
      () => ended.push(false),
    );
    for (let step = 0; step < 1000 && ended.length === 0; step++) {
      await this.clock.advance(50);
      this.round();
    }
    return running;
  }

  /** An agent that has just started and finds what is stored; `forMs` pass. */
  async recovered(forMs: number): Promise<void> {
    const stop = recoverDrills(this.pair, { warn: () => undefined });
    for (let passed = 0; passed < forMs; passed += 50) {
      await this.clock.advance(50);
      this.round();
    }
    stop();
  }
}
