import { catchUp } from '../../agent/upkeep/catch-up.ts';
import { blocksOf, splitText } from '../../agent/certs/blocks.ts';
import { bundleWith, inspect } from '../../agent/certs/inspect.ts';
import type { NodeSwapParts } from '../../agent/certs/port.ts';
import { nodeSwap, type NodeSwap } from '../../agent/certs/swap.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { mergeIntents } from '../../agent/core/intents.ts';
import type { Member } from '../../agent/core/member.ts';
import type { Intent } from '../../agent/core/model.ts';
import { problems as openProblems } from '../../agent/problems.ts';
import { recoverSwaps } from '../../agent/upkeep/swap-recovery.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';
import { NOW } from './bundles.ts';
import { LIST, linesOf, partsOf, reload, type Host } from './swap-host.ts';

/** Where something breaks: right after the `at`th thing that `node` does, and before its next. */
export interface Cut {
  readonly node: string;
  readonly at: number;
  readonly kind: 'agent-killed' | 'haproxy-killed' | 'disk-full' | 'peer-lost' | 'reply-lost';
}

const QUIET = { info: () => {}, warn: () => {} };

/** Two hosts with the real swap, its recovery and the catch-up on memory that can break anywhere. */
export class SwapWorld {
  readonly clock = new FakeClock({ wallMs: NOW });
  readonly hosts: readonly Host[];
  readonly problems = new Map<string, ReturnType<typeof openProblems>>();
  linkUp = true;
  #cut: Cut | null = null;
  #died = (): void => {};
  readonly #swaps = new Map<string, NodeSwap>();
  readonly #running = new Map<string, Set<string>>();

  /** `separate`: nodes on which every key has a file of its own, PATH.key. */
  constructor(
    bundles: ReadonlyMap<string, string>,
    separate: readonly string[] = [],
    list: string | null = null,
  ) {
    this.hosts = ['n1', 'n2'].map((node) => ({
      node,
      disk: new Map([
        ...(separate.includes(node) ? [...bundles].flatMap(inTwo) : bundles),
        ...(list === null ? [] : ([[LIST, list]] as const)),
      ]),
      beside: new Map(),
      memory: new Map(bundles),
      lists: new Map(list === null ? [] : [[LIST, linesOf(list)]]),
      journals: new Map(),
      kept: new Map(),
      intents: new Map(),
      transaction: null,
      haproxyUp: true,
      diskFull: false,
      agentDead: false,
      replyLost: false,
      steps: 0,
      done: [],
    }));
    for (const { node } of this.hosts) this.#startAgent(node);
  }

  /** From now on the cut is in force; resolves never unless the coordinator's agent is killed. */
  cut(cut: Cut | null): Promise<'killed'> {
    this.#cut = cut;
    for (const host of this.hosts) host.steps = 0;
    return new Promise((resolve) => {
      this.#died = () => resolve('killed');
    });
  }

  host(node: string): Host {
    const host = this.hosts.find((one) => one.node === node);
    if (host === undefined) throw new Error(`no host ${node}`);
    return host;
  }

  /** The pair as the agent of `node` has it. */
  pair(node: string): Pair {
    const others = this.hosts.filter((one) => one.node !== node);
    const host = this.host(node);
    const members = [host, ...others].map((one) => this.member(node, one.node));
    return pairOf(members, {
      clock: this.clock,
      view: () =>
        [host, ...others].map((one) => ({
          node: one.node,
          peerClass: 'alive',
          fresh: one.node === node || (this.linkUp && !one.agentDead),
          heardAtMs: 0,
          report: null,
          clockOffMs: null,
          oneWay: null,
          doubleSinceMs: null,
        })),
      intents: () => host.intents,
      runningSwaps: this.#of(this.#running, node),
      forgetSwap: (swapId) => this.#of(this.#swaps, node).forget(swapId),
    });
  }

  /** `node` as the agent of `from` reaches it. */
  member(from: string, node: string): Member {
    const caller = this.host(from);
    const host = this.host(node);
    const call = async <T>(work: (swap: NodeSwap) => Promise<T>): Promise<T> => {
      // A dead agent hears nothing and asks nothing any more.
      const gone = (): Promise<never> => new Promise(() => {});
      if (caller.agentDead) return gone();
      if (from !== node && (host.agentDead || !this.linkUp)) throw lost('unreachable');
      try {
        const value = await work(this.#of(this.#swaps, node));
        if (caller.agentDead) return await gone();
        if (from !== node && (!this.linkUp || host.replyLost)) throw lost('result-unknown');
        return value;
      } catch (error) {
        if (caller.agentDead) return await gone();
        if (from !== node && host.agentDead) throw lost('result-unknown');
        throw error;
      } finally {
        host.replyLost = false;
      }
    };
    const known = <T>(value: T | null): T => {
      if (value === null) throw new ActFailure('not-found', { code: 'swap_unknown', message: '' });
      return value;
    };
    return memberOf(node, {
      storeIntents: (intents) => call(async () => this.#store(host, intents)),
      swapPrepare: (prepare) => call((swap) => swap.prepare(prepare)),
      swapCommit: (swapId) => call((swap) => swap.commit(swapId)),
      swapAbort: (swapId) => call(async (swap) => known(await swap.abort(swapId))),
      swapFinish: (swapId) => call(async (swap) => known(await swap.finish(swapId))),
      swapState: (swapId) =>
        call(async (swap) =>
          this.#of(this.#running, node).has(swapId)
            ? { phase: 'prepared' as const, running: true }
            : { ...(await swap.state(swapId)), running: false },
        ),
      fetchBundle: (name, sha256) =>
        call(async (swap) => bundleWith(this.parts(host), await swap.kept(), name, sha256)),
      inspectCertificates: (served) =>
        call(async (swap) => inspect(this.parts(host), await swap.kept(), served)),
    });
  }

  /** Everything that broke is well again: agents and HAProxys run, links and disks are good. */
  async heal(): Promise<void> {
    this.#cut = null;
    this.linkUp = true;
    for (const host of this.hosts) {
      host.diskFull = false;
      host.replyLost = false;
      if (!host.haproxyUp) reload(host);
      host.haproxyUp = true;
      if (host.agentDead) {
        host.agentDead = false;
        this.#startAgent(host.node);
      }
    }
    // As the loops of both agents go round, every 5 s: until two rounds in a row change nothing.
    let last = '';
    for (let round = 0; round < 12; round++) {
      for (const host of this.hosts) await this.#mend(host);
      await this.clock.advance(5000);
      const now = this.#state();
      if (now === last && this.hosts.every(({ journals }) => journals.size === 0)) return;
      last = now;
    }
  }

  #state(): string {
    return JSON.stringify(
      this.hosts.map(({ node, disk, memory, intents, journals }) => [
        [...disk],
        [...memory],
        [...intents],
        [...journals],
        this.#of(this.problems, node).list(),
      ]),
    );
  }

  /** One look of the recovery and the catch-up of one agent. */
  async #mend(host: Host): Promise<void> {
    const { node } = host;
    for (const other of this.hosts)
      host.intents = mergeIntents(host.intents, [...other.intents.values()], NOW).intents;
    const shared = {
      node,
      swap: this.#of(this.#swaps, node),
      running: this.#of(this.#running, node),
      changed: () => Promise.resolve(),
      clock: this.clock,
      log: QUIET,
      problems: this.#of(this.problems, node),
    };
    const members = this.pair(node).members;
    const recovery = recoverSwaps({
      ...shared,
      peers: members.slice(1),
      storeIntents: (intents) => Promise.resolve(this.#store(host, intents)),
    });
    await recovery.again();
    recovery.stop();
    const keeper = catchUp({
      ...shared,
      parts: this.parts(host),
      members,
      intents: () => host.intents,
    });
    await keeper.again();
    keeper.stop();
  }

  #store(host: Host, intents: readonly Intent[]): { newer: readonly Intent[] } {
    const merged = mergeIntents(host.intents, intents, NOW);
    host.intents = merged.intents;
    return { newer: merged.newer };
  }

  #startAgent(node: string): void {
    this.#swaps.set(node, nodeSwap(this.parts(this.host(node))));
    this.#running.set(node, new Set());
    this.problems.set(
      node,
      openProblems(this.clock, () => {}),
    );
  }

  #of<T>(map: ReadonlyMap<string, T>, node: string): T {
    const value = map.get(node);
    if (value === undefined) throw new Error(`no host ${node}`);
    return value;
  }

  /** What the swap of one host works with; the cut strikes after the step that it names. */
  parts(host: Host): NodeSwapParts {
    return partsOf(host, (at) => {
      const cut = this.#cut;
      if (cut?.node === host.node && cut.at === at) this.#break(host, cut);
    });
  }

  #break(host: Host, { kind }: Cut): void {
    switch (kind) {
      case 'agent-killed':
        host.agentDead = true;
        this.#died();
        throw new Error('this agent is dead');
      case 'haproxy-killed':
        host.haproxyUp = false;
        host.memory.clear();
        host.transaction = null;
        return;
      case 'disk-full':
        host.diskFull = true;
        return;
      case 'peer-lost':
        this.linkUp = false;
        return;
      case 'reply-lost':
        host.replyLost = true;
    }
  }
}

/** Certificates and key of a bundle as two files. */
function inTwo([path, pem]: readonly [string, string]): [string, string][] {
  const { certificates, key } = splitText(blocksOf(pem));
  return [
    [path, certificates],
    [`${path}.key`, key],
  ];
}

const lost = (outcome: 'unreachable' | 'result-unknown'): ActFailure =>
  new ActFailure(outcome, { code: 'no_answer', message: 'no answer' });
