import { proxyctl } from '../../proto/gen/messages.js';
import { ActFailure } from '../../agent/core/results.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import { gossipFromWire, gossipToWire } from '../../agent/wire/gossip.ts';
import type { LinkHow } from '../../agent/rpc/link-end.ts';
import type { Clock } from '../../agent/sys/clock.ts';
import type { Agent } from './agent.ts';
import type { Host } from './host.ts';

const DIAL_MS = 2000;
const PING_MS = 1000;
const SILENCE_MS = 4000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
const STEADY_MS = 5000;
/** TCP tries again after this long, doubling. */
const RETRANSMIT_MS = 200;
const RETRANSMIT_MAX_MS = 3200;

const { GossipMessage: Wire } = proxyctl.v1;

/** A message as it crosses: through the real conversion where it carries times. */
type Crossing = Uint8Array | GossipMessage;

/**
 * The gossip stream that one agent opened to another, over a TCP connection
 * as both see it: in order, resent after a gap, silent when the wire is cut,
 * reset when the other process is gone. agent/rpc/links.ts is the real one.
 */
export class Link {
  readonly #mine: Agent;
  readonly #peer: Host;
  /** The process at the other end of the open connection. */
  #there: Agent | null = null;
  #state: 'dialling' | 'open' | 'closed' = 'closed';
  #attempt = 0;
  #retries = 0;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #lastArrivalMs = 0;
  #stalled: Crossing[] = [];

  constructor(mine: Agent, peer: Host) {
    this.#mine = mine;
    this.#peer = peer;
  }

  get attempt(): number {
    return this.#attempt;
  }

  get from(): string {
    return this.#mine.name;
  }

  isOpen = (): boolean => this.#state === 'open';

  #passes(back = false): boolean {
    const { network } = this.#mine.world;
    const [from, to] = back
      ? [this.#peer.name, this.#mine.name]
      : [this.#mine.name, this.#peer.name];
    if (network.isClosed(this.#mine.name, this.#peer.name)) return false;
    return this.#peer.up && !this.#peer.paused && network.passes('gossip', from, to);
  }

  #wayMs(): number {
    return this.#mine.world.network.gossipMs(this.#mine.name, this.#peer.name);
  }

  dial(): void {
    if (!this.#mine.process.alive || this.#mine.ending) return;
    const { world, process } = this.#mine;
    const attempt = ++this.#attempt;
    this.#state = 'dialling';
    this.#stalled = [];
    process.clock.after(DIAL_MS, () => {
      if (this.#attempt === attempt && this.#state === 'dialling') this.#ended('timeout');
    });
    if (!this.#passes() || !this.#passes(true)) return;
    const wayMs = this.#wayMs();
    const there = this.#peer.agent;
    if (there === null || !there.listens) {
      process.later(2 * wayMs, () => {
        if (this.#attempt === attempt) this.#ended('refused');
      });
      return;
    }
    // TCP and TLS take two rounds before the hello.
    world.in(4 * wayMs, () =>
      there.process.deliver(() => {
        if (!there.listens || this.#attempt !== attempt) return;
        there.opened(this, attempt);
        world.in(this.#wayMs(), () =>
          process.deliver(() => {
            if (this.#attempt === attempt && this.#state === 'dialling') this.#opened(there);
          }),
        );
      }),
    );
  }

  #opened(there: Agent): void {
    const { clock } = this.#mine.process;
    this.#there = there;
    this.#state = 'open';
    this.#openedAtMs = clock.nowMs();
    this.#heardAtMs = clock.nowMs();
    this.#ping(this.#attempt, clock);
    this.#mine.say(`link: to ${this.#peer.name} stands`);
    this.#mine.connected(this.#peer.name);
  }

  /** Asks whether it is heard; a late timer means that we slept, not the peer. */
  #ping(attempt: number, clock: Clock): void {
    const sentMs = clock.nowMs();
    clock.after(PING_MS, () => {
      if (this.#attempt !== attempt || this.#state !== 'open') return;
      const nowMs = clock.nowMs();
      if (nowMs - sentMs > 2 * PING_MS) this.#heardAtMs = nowMs;
      const there = this.#there;
      if (this.#passes() && this.#passes(true) && there !== null) {
        if (this.#peer.agent !== there) {
          this.#ended('reset');
          return;
        }
        if (!there.process.stopped && this.#stalled.length === 0) this.#heardAtMs = nowMs;
      }
      if (nowMs - this.#heardAtMs > SILENCE_MS) {
        this.cut('timeout');
        return;
      }
      this.#ping(attempt, clock);
    });
  }

  send(message: GossipMessage): boolean {
    if (this.#state !== 'open') return false;
    const { clock } = this.#mine.process;
    const crossing: Crossing =
      message.kind === 'report' || message.kind === 'intents'
        ? Wire.encode(
            gossipToWire(message, { nowMs: clock.nowMs(), wallMs: clock.wallMs() }),
          ).finish()
        : message;
    if (this.#stalled.length > 0) this.#stalled.push(crossing);
    else if (this.#passes() && this.#passes(true)) this.#send(crossing);
    else {
      this.#stalled.push(crossing);
      this.#retransmit(this.#attempt, RETRANSMIT_MS);
    }
    return true;
  }

  #retransmit(attempt: number, afterMs: number): void {
    const { world } = this.#mine;
    world.in(afterMs, () => {
      if (this.#attempt !== attempt || this.#state !== 'open') return;
      if (!this.#passes() || !this.#passes(true)) {
        this.#retransmit(attempt, Math.min(RETRANSMIT_MAX_MS, 2 * afterMs));
        return;
      }
      for (const crossing of this.#stalled.splice(0)) this.#send(crossing);
    });
  }

  #send(crossing: Crossing): void {
    const { world } = this.#mine;
    const attempt = this.#attempt;
    const there = this.#there;
    const atMs = Math.max(this.#lastArrivalMs, world.nowMs + this.#wayMs());
    this.#lastArrivalMs = atMs;
    world.in(atMs - world.nowMs, () => {
      if (there === null || !this.#peer.up) return;
      if (this.#peer.agent !== there) {
        // Nobody has that connection any more: the answer is a reset.
        if (this.#passes(true))
          this.#mine.process.deliver(() => {
            if (this.#attempt === attempt && this.#state === 'open') this.#ended('reset');
          });
        return;
      }
      there.process.deliver(() =>
        there.received(this, attempt, read(crossing, there.process.clock)),
      );
    });
  }

  /** This end closes, or a box in the middle resets both ends. */
  cut(how: LinkHow): void {
    if (this.#state !== 'open') return;
    const there = this.#there;
    const attempt = this.#attempt;
    if (there !== null && (how !== 'timeout' || this.#passes()))
      this.#mine.world.in(this.#wayMs(), () =>
        there.process.deliver(() =>
          there.closed(this, attempt, how === 'ended' ? 'ended' : 'reset'),
        ),
      );
    this.#ended(how);
  }

  /** The process at one end is gone and its kernel says so to the other end. */
  processEnded(which: 'mine' | 'theirs', how: 'reset' | 'ended'): void {
    const there = this.#there;
    const attempt = this.#attempt;
    if (this.#state === 'closed') return;
    if (which === 'mine') {
      this.#attempt++;
      this.#state = 'closed';
      if (there === null || !this.#passes()) return;
      this.#mine.world.in(this.#wayMs(), () =>
        there.process.deliver(() => there.closed(this, attempt, how)),
      );
    } else if (this.#state === 'open' && this.#passes(true)) {
      this.#mine.process.later(this.#wayMs(), () => {
        if (this.#attempt === attempt && this.#state === 'open') this.#ended(how);
      });
    }
  }

  /** What the agent that opened it says first. */
  hello = (): GossipMessage | null => this.#mine.gossip?.hello() ?? null;

  leadsTo = (agent: Agent): boolean => this.#there === agent;

  #ended(how: LinkHow): void {
    const { process, world, name } = this.#mine;
    const { clock } = process;
    if (this.#state === 'open') {
      world.story.say(name, `link: to ${this.#peer.name} ended (${how})`);
      if (clock.nowMs() - this.#openedAtMs >= STEADY_MS) this.#retries = 0;
    }
    this.#state = 'closed';
    this.#there = null;
    const backoffMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries++);
    const attempt = this.#attempt;
    clock.after(backoffMs * (1 - world.random.next() / 2), () => {
      if (this.#attempt === attempt && this.#state === 'closed') this.dial();
    });
    this.#mine.linkEnded(this.#peer.name, how);
  }

  /** A plain call over the same connection: the work is done there, its answer comes back or a failure does. */
  call<T>(deadlineMs: number, work: (there: Agent) => Promise<T>): Promise<T> {
    const there = this.#there;
    const { process, world } = this.#mine;
    const peer = this.#peer.name;
    if (this.#state !== 'open' || there === null) {
      const message = `the agent on ${peer} does not answer`;
      return Promise.reject(new ActFailure('unreachable', { code: 'agent_unreachable', message }));
    }
    return new Promise((resolve, reject) => {
      const message = `no reply from ${peer}`;
      process.clock.after(deadlineMs, () =>
        reject(new ActFailure('result-unknown', { code: 'no_reply', message })),
      );
      if (!this.#passes() || !this.#passes(true)) return;
      world.in(this.#wayMs(), () =>
        there.process.deliver(() => {
          const back = (settle: () => void): void => {
            if (!this.#passes(true)) return;
            world.in(this.#wayMs(), () => process.deliver(settle));
          };
          work(there).then(
            (value) => back(() => resolve(value)),
            (error: unknown) =>
              back(() => reject(error instanceof Error ? error : new Error(String(error)))),
          );
        }),
      );
    });
  }
}

function read(crossing: Crossing, clock: Clock): GossipMessage {
  if (!(crossing instanceof Uint8Array)) return crossing;
  const at = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  return gossipFromWire(Wire.decode(crossing), at);
}
