import type { AdminState } from '../../agent/core/acts.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Intent, NodeView } from '../../agent/core/model.ts';
import { ownView } from '../../agent/core/peers.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { sentence } from '../../agent/core/words.ts';
import { gossip as startGossip, type Gossip } from '../../agent/gossip/gossip.ts';
import { haproxyFeed } from '../../agent/haproxy/feed.ts';
import { heartbeats } from '../../agent/gossip/heartbeats.ts';
import { loop as startLoop, type Loop } from '../../agent/loop/loop.ts';
import { loopLog, type Log } from '../../agent/log.ts';
import { problems } from '../../agent/problems.ts';
import type { LinkHow } from '../../agent/rpc/link-end.ts';
import { saving } from '../../agent/store/saving.ts';
import { serverKeeper } from '../../agent/haproxy/wishes-in-force.ts';
import { openStore, type Store } from '../../agent/store/state.ts';
import { subnetsOf } from '../../agent/loop/observe.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { prober as startProber } from '../../agent/witness/prober.ts';
import { carpPort } from './carp-port.ts';
import { simEcho, WITNESS_ADDRESS } from './echo.ts';
import type { Host } from './host.ts';
import { Link } from './link.ts';
import { pairOf } from './members.ts';
import { Process } from './process.ts';
import type { World } from './world.ts';

const STATE = '/var/db/proxyctl';
export const STATE_FILE = `${STATE}/state.json`;
/** An agent that cannot start is tried again by its rc script. */
const RESPAWN_MS = 2000;

/** One start of proxyagent: the real parts wired as agent/agent.ts does, on simulated ports. */
export class Agent {
  readonly host: Host;
  readonly world: World;
  readonly name: string;
  readonly process: Process;
  readonly links = new Map<string, Link>();
  listens = false;
  ending = false;
  loop: Loop | null = null;
  gossip: Gossip | null = null;
  pair: Pair | null = null;
  startedAtMs = 0;
  /** Everything this start was asked to store is on disk. */
  stored: Promise<void> = Promise.resolve();
  readonly #streams = new Map<string, { readonly link: Link; readonly attempt: number }>();
  #ends: (() => void)[] = [];

  constructor(host: Host) {
    this.host = host;
    this.world = host.world;
    this.name = host.name;
    this.process = new Process(host.world, host.clock);
  }

  say(text: string): void {
    this.world.story.say(this.name, text);
  }

  async start(): Promise<void> {
    const { host, world, process, name } = this;
    const { clock } = process;
    const { planted } = world.options;
    this.say('agent: starts');
    this.startedAtMs = world.nowMs;
    let store: Store;
    try {
      store = await openStore(STATE, clock.wallMs(), host.disk.for(process));
    } catch (error) {
      this.say(`agent: cannot start: ${sentence(error)}`);
      this.kill('exit');
      if (host.agent === this) host.agent = null;
      host.onHost(RESPAWN_MS, () => host.startAgent());
      return;
    }
    const state = planted?.durable === undefined ? store.state : planted.durable(store.state);
    for (const { cause } of store.problems) this.say(`agent: ${cause}`);
    const log = this.#log();
    const timing = TIMINGS.fast;
    const peers = world.hosts.filter((one) => one !== host);
    const known = problems(clock, () => loop.wake());
    const save = saving({ store, problems: known, clock, remedy: '' });

    const gossip = startGossip({
      node: name,
      pair: 'sim',
      agentVersion: '0.1.0',
      epoch: store.state.epoch,
      peers: peers.map((peer) => peer.name),
      timing,
      clock,
      transport: { send: (to, message) => this.links.get(to)?.send(message) ?? false },
      intents: new Map(state.intents.map((intent) => [intent.key, intent])),
      onIntents: (intents, taken) => {
        this.stored = save({ intents: [...intents.values()] });
        this.stored.catch(() => undefined);
        for (const { key, value, deleted } of taken)
          this.say(`intent: ${key} = ${deleted ? 'taken back' : value}`);
        world.changed();
      },
      onChange: () => {
        keeper.wake();
        loop.wake();
      },
      onRefused: (peer, cause) => this.say(`refused: ${peer}: ${cause}`),
    });
    const feed = haproxyFeed({
      instance: '',
      clock,
      watch: (onChange) =>
        host.haproxy.watch(process, (liveness) => {
          this.say(`sees HAProxy ${liveness.kind}`);
          onChange(liveness);
          keeper.wake();
        }),
      observe: () => host.haproxy.observe(process),
      onChange: () => loop.wake(),
    });
    const keeper = serverKeeper({
      instance: '',
      clock,
      records: store.state.servers,
      intents: gossip.intents,
      pid: () => feed.pid(),
      tell: ({ backend, server, value }) =>
        host.haproxy.setServer(process, backend, server, value as AdminState),
      save: (servers) => save({ servers }).catch(() => undefined),
      onChange: () => loop.wake(),
    });
    const prober = startProber({
      clock,
      echo: simEcho(this, (address) => prober.answered(address)),
      witnesses: [WITNESS_ADDRESS],
      subnets: () => subnetsOf(loop.interfaces(), loop.report()),
      onChange: () => loop.wake(),
    });
    const port = carpPort(host, process);
    const loop = startLoop({
      node: name,
      epoch: store.state.epoch,
      agentVersion: '0.1.0',
      policy: world.policy,
      timing,
      networks: null,
      clock,
      carp: planted?.carp === undefined ? port : planted.carp(port, host),
      pollMs: 1000,
      icmp: 'raw-socket',
      prober,
      gossip,
      haproxy: () => [feed.report()],
      applied: keeper.applied,
      problems: known.list,
      carpEvents: () => (host.deaf ? 'polling' : 'events'),
      durable: state,
      save,
      log: loopLog(log),
      ...(planted?.decide === undefined ? {} : { decide: planted.decide() }),
    });
    this.loop = loop;
    this.gossip = gossip;
    this.pair = pairOf(this, gossip, loop);
    for (const peer of peers) {
      const link = new Link(this, peer);
      this.links.set(peer.name, link);
      link.dial();
    }
    this.listens = true;
    const beats = heartbeats({
      gossip,
      clock,
      timing,
      log,
      because: () => '',
      onChange: () => loop.wake(),
    });
    this.#ends = [
      () => beats.stop(),
      () => prober.close(),
      () => keeper.close(),
      () => feed.close(),
    ];
    loop.wake();
  }

  #log(): Log {
    const line = (event: string, fields: Readonly<Record<string, unknown>>, text: string): void => {
      const { actions } = fields;
      const told = Array.isArray(actions) && actions.length > 0 ? ` [${actions.join(', ')}]` : '';
      this.say(`${event}: ${text}${told}`);
    };
    return { info: line, warn: line, error: line, reopen: () => undefined, flush: () => undefined };
  }

  selfView(): NodeView {
    return ownView(this.name, this.process.clock.nowMs(), this.loop?.report() ?? null);
  }

  /** Merges, stores, and resolves to what is newer here once it is on disk. */
  async storeIntents(from: string, intents: readonly Intent[]): Promise<readonly Intent[]> {
    const newer = this.gossip?.store(from, intents) ?? [];
    await this.stored;
    return newer;
  }

  carpChanged(): void {
    this.process.deliver(() => this.loop?.carpChanged());
  }

  connected(peer: string): void {
    this.gossip?.connected(peer);
  }

  linkEnded(peer: string, how: LinkHow): void {
    if (how === 'refused' || how === 'reset' || how === 'ended') this.gossip?.gone(peer, how);
  }

  /** A peer opened its stream to this agent; the newest wins. */
  opened(link: Link, attempt: number): void {
    this.#streams.set(link.from, { link, attempt });
    const hello = link.hello();
    if (hello !== null) this.gossip?.receive(link.from, hello);
  }

  received(link: Link, attempt: number, message: GossipMessage): void {
    if (!this.#isCurrent(link, attempt)) return;
    const { planted } = this.world.options;
    const { gossip } = this;
    if (gossip === null) return;
    gossip.receive(link.from, planted?.receive?.(message, gossip) ?? message);
  }

  closed(link: Link, attempt: number, how: 'ended' | 'reset'): void {
    if (!this.#isCurrent(link, attempt)) return;
    this.#streams.delete(link.from);
    this.say(`link: from ${link.from} ended (${how})`);
    this.gossip?.gone(link.from, how);
  }

  #isCurrent(link: Link, attempt: number): boolean {
    const current = this.#streams.get(link.from);
    return current !== undefined && current.link === link && current.attempt === attempt;
  }

  kill(how: string): void {
    this.say(`agent: ${how}`);
    this.listens = false;
    this.process.kill();
    this.world.changed();
    // A host that lost its power says nothing to anybody.
    if (how === 'crash') return;
    this.#close('reset');
  }

  #close(how: 'reset' | 'ended'): void {
    for (const link of this.links.values()) link.processEnded('mine', how);
    for (const host of this.world.hosts) {
      const link = host.agent?.links.get(this.name);
      if (link?.leadsTo(this)) link.processEnded('theirs', how);
    }
  }

  /** Says goodbye, ends what is open, changes nothing. */
  stop(done: () => void): void {
    this.process.deliver(() => {
      this.say('agent: stops');
      this.ending = true;
      this.listens = false;
      for (const end of this.#ends) end();
      for (const link of this.links.values()) link.send({ kind: 'goodbye', reason: 'stopped' });
      const over = (): void => {
        this.#close('ended');
        this.process.kill();
        this.world.changed();
        done();
      };
      if (this.loop === null) over();
      else void this.loop.stop().then(over);
    });
  }

  isJoined = (): boolean => this.loop?.report()?.joined ?? false;
  intents = (): ReadonlyMap<string, Intent> => this.gossip?.intents() ?? new Map();
}
