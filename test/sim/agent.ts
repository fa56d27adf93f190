import type { AdminState } from '../../agent/core/acts.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Intents } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { sentence } from '../../agent/core/words.ts';
import { haproxyFeed } from '../../agent/haproxy/feed.ts';
import { wishesInForce } from '../../agent/haproxy/wishes-in-force.ts';
import type { Log } from '../../agent/log.ts';
import { latestRound } from '../../agent/loop/latest.ts';
import { subnetsOf } from '../../agent/loop/observe.ts';
import { wakeups } from '../../agent/loop/schedule.ts';
import { startNode, type HaproxyPort } from '../../agent/node.ts';
import { problems } from '../../agent/problems.ts';
import type { LinkHow } from '../../agent/rpc/link-end.ts';
import { saving } from '../../agent/store/saving.ts';
import { openStore, type Store } from '../../agent/store/state.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { prober as startProber } from '../../agent/witness/prober.ts';
import { carpPort } from './carp-port.ts';
import { simEcho, WITNESS_ADDRESS } from './echo.ts';
import type { Host } from './host.ts';
import { Link } from './link.ts';
import { pairOf } from './members.ts';
import { Process } from './process.ts';
import type { World } from './world.ts';

export type SimNode = ReturnType<typeof startNode<HaproxyPort>>;

const STATE = '/var/db/proxyctl';
export const STATE_FILE = `${STATE}/state.json`;
/** An agent that cannot start is tried again by its rc script. */
const RESPAWN_MS = 2000;

/** One start of proxyagent: agent/node.ts, as agent/agent.ts starts it, on simulated ports. */
export class Agent {
  readonly host: Host;
  readonly world: World;
  readonly name: string;
  readonly process: Process;
  readonly links = new Map<string, Link>();
  listens = false;
  ending = false;
  node: SimNode | null = null;
  pair: Pair | null = null;
  startedAtMs = 0;
  readonly #streams = new Map<string, { readonly link: Link; readonly attempt: number }>();
  #closeProber: () => void = () => undefined;

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
    const peers = world.hosts.filter((one) => one !== host);
    const bell = wakeups();
    const latest = latestRound();
    const known = problems(clock, bell.ring);
    const save = saving({ store, problems: known, clock, remedy: '' });
    const prober = startProber({
      clock,
      echo: simEcho(this, (address) => prober.answered(address)),
      witnesses: [WITNESS_ADDRESS],
      subnets: () => subnetsOf(latest.interfaces(), latest.report()),
      onChange: bell.ring,
    });
    const port = carpPort(host, process);
    const node = startNode({
      node: name,
      pair: 'sim',
      peers: peers.map((peer) => peer.name),
      agentVersion: '0.1.0',
      timing: TIMINGS.fast,
      policy: world.policy,
      networks: null,
      pollMs: 1000,
      observes: false,
      icmp: 'raw-socket',
      clock,
      log: this.#log(),
      startId: world.start(),
      stored: state,
      save,
      problems: known,
      bell,
      latest,
      carp: planted?.carp === undefined ? port : planted.carp(port, host),
      carpEvents: () => (host.deaf ? 'polling' : 'events'),
      prober,
      haproxy: (intents) => this.#haproxy(intents, store, save, bell.ring),
      send: (to, message) => this.links.get(to)?.send(message) ?? false,
      silence: () => '',
      ...(planted?.decide === undefined ? {} : { decide: planted.decide() }),
    });
    this.node = node;
    node.onIntents(() => world.changed());
    this.pair = pairOf(this, node);
    for (const peer of peers) {
      const link = new Link(this, peer);
      this.links.set(peer.name, link);
      link.dial();
    }
    this.listens = true;
    this.#closeProber = () => prober.close();
    bell.ring();
  }

  /** What agent/start/host-haproxy.ts makes of the real one: its feed, and the wishes kept in force. */
  #haproxy(
    intents: () => Intents,
    store: Store,
    save: Store['save'],
    onChange: () => void,
  ): HaproxyPort {
    const { host, process } = this;
    const { clock } = process;
    const wishes = wakeups();
    const feed = haproxyFeed({
      instance: '',
      clock,
      watch: (tell) =>
        host.haproxy.watch(process, (seen) => {
          const liveness = this.world.options.planted?.liveness?.(seen, host) ?? seen;
          this.say(`sees HAProxy ${liveness.kind}`);
          tell(liveness);
          wishes.ring();
        }),
      observe: () => host.haproxy.observe(process),
      onChange,
    });
    const inForce = wishesInForce({
      instance: '',
      clock,
      records: store.state.servers,
      intents,
      pid: () => feed.pid(),
      tell: ({ backend, server, value }) =>
        host.haproxy.setServer(process, backend, server, value as AdminState),
      broughtBack: () => Promise.resolve([]),
      look: () => Promise.resolve('as-wished'),
      save: (servers) => save({ servers }).catch(() => undefined),
      onChange,
      onLost: () => undefined,
    });
    wishes.listen(inForce.wake);
    return {
      report: () =>
        host.haproxy.barred
          ? { ...feed.report(), state: 'unknown', problem: 'its stats socket may not be used' }
          : feed.report(),
      applied: inForce.applied,
      wake: inForce.wake,
      close() {
        inForce.close();
        feed.close();
      },
    };
  }

  #log(): Log {
    const line = (event: string, fields: Readonly<Record<string, unknown>>, text: string): void => {
      const { actions } = fields;
      const told = Array.isArray(actions) && actions.length > 0 ? ` [${actions.join(', ')}]` : '';
      this.say(`${event}: ${text}${told}`);
    };
    return { info: line, warn: line, error: line, reopen: () => undefined, flush: () => undefined };
  }

  /** What its loop has found; null before the start is over. */
  get loop(): SimNode['loop'] | null {
    return this.node?.loop ?? null;
  }

  get gossip(): SimNode['gossip'] | null {
    return this.node?.gossip ?? null;
  }

  /** Merges, stores, and resolves to what is newer here once it is on disk. */
  storeIntents(from: string, intents: readonly Intent[]): Promise<readonly Intent[]> {
    return this.node?.storeIntents(from, intents) ?? Promise.resolve([]);
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
      const over = (): void => {
        this.#close('ended');
        this.process.kill();
        this.world.changed();
        done();
      };
      this.#closeProber();
      if (this.node === null) over();
      else void this.node.end().then(over);
    });
  }

  isJoined = (): boolean => this.loop?.report()?.joined ?? false;
  intents = (): ReadonlyMap<string, Intent> => this.gossip?.intents() ?? new Map();
}
