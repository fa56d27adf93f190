import { hear, runTimers, setLink } from '../acts.ts';
import { announcements, arpAnswer, type ArpFrame } from '../arp.ts';
import { find, nextTimerAtMs, type Change, type Effect, type Family } from '../kernel.ts';
import { isAuthentic } from '../packets.ts';
import { reportSend } from '../sends.ts';
import { readAdvert } from '../wire.ts';
import { keyOf, payloadOf, vipsOf, type Frame } from './frames.ts';
import { bareHost, Shell } from './shell.ts';

/** When a timer of a vhid ends by the formula, and of how long a callout. */
interface Armed {
  readonly dueMs: number;
  readonly ms: number;
}

/** One simulated host of a trace, its shell, and what is wrong around it. */
export class BenchHost {
  readonly name: string;
  readonly interface: string;
  readonly shell: Shell;
  readonly bench: Bench;
  /** Families whose adverts do not come in, as with a pf rule. */
  deaf: readonly Family[] = [];
  /** Adverts cannot leave: EACCES, as with a pf rule. */
  mute = false;
  off = false;
  frozenMs: number | null = null;
  /** What came in while it was frozen waits in its network card. */
  readonly queue: (() => void)[] = [];
  /** One advert was taken for authentic: counters are no longer random. */
  heard = false;
  /** The counter of the last advert heard or sent; null where it was not seen. */
  counter: bigint | null = null;
  devd: string[] = [];
  /** In the order in which all hosts wrote. */
  readonly log: { readonly atMs: number; readonly order: number; readonly line: string }[] = [];
  #armed = new Map<string, Armed>();

  constructor(bench: Bench, at: 1 | 2, name: string, on: string) {
    this.bench = bench;
    this.name = name;
    this.interface = on;
    this.shell = new Shell(bareHost(at, on), (effects) => this.effects(effects));
  }

  get kernel() {
    return this.shell.host.kernel;
  }

  get mac(): string {
    return this.shell.host.interfaces[0]?.mac ?? '';
  }

  /** Where its adverts come from. */
  source(family: Family): string {
    const own = this.shell.host.interfaces[0]?.addresses[0]?.address ?? '';
    return family === 4 ? own : `fe80::5054:ff:fefb:10${this.mac.at(-1)}`;
  }

  /** The timer that ends first, with its callout's length. */
  get next(): Armed | null {
    const [first] = [...this.#armed.values()].sort((a, b) => a.dueMs - b.dueMs);
    return this.off || this.frozenMs !== null ? null : (first ?? null);
  }

  isReached(): boolean {
    const { links, down } = this.kernel;
    const up = links[this.interface] === true && !down.includes(this.interface);
    return up && !this.off;
  }

  take({ kernel, effects }: Change): void {
    this.shell.host = { ...this.shell.host, kernel };
    this.effects(effects);
  }

  run(command: string, nowMs: number): string {
    this.bench.nowMs = nowMs;
    this.shell.nowMs = nowMs;
    return this.shell.run(command).text;
  }

  fire(nowMs: number): void {
    const due = nextTimerAtMs(this.kernel);
    if (due === null) return;
    this.bench.nowMs = nowMs;
    // A frame may have been captured a moment before the timer's own time.
    this.take(runTimers(this.kernel, Math.max(nowMs, due)));
  }

  link(up: boolean, nowMs: number): void {
    this.bench.nowMs = nowMs;
    this.take(setLink(this.kernel, this.interface, up, nowMs));
    this.devd.push(`!system=IFNET subsystem=${this.interface} type=LINK_${up ? 'UP' : 'DOWN'}`);
  }

  /** No vhid has a password any more. */
  forget(): void {
    this.shell.host = { ...this.shell.host, keys: {} };
  }

  /** Its clock stood still: what was left of every timer is left still. */
  thaw(nowMs: number): void {
    this.shift(nowMs - (this.frozenMs ?? nowMs));
    this.frozenMs = null;
    this.bench.nowMs = nowMs;
    for (const heard of this.queue.splice(0)) heard();
  }

  /** Moves all its timers. */
  shift(ms: number): void {
    const moved = (at: number | null): number | null => (at === null ? null : at + ms);
    const vhids = this.kernel.vhids.map((one) => ({
      ...one,
      advertAtMs: moved(one.advertAtMs),
      masterDown4AtMs: moved(one.masterDown4AtMs),
      masterDown6AtMs: moved(one.masterDown6AtMs),
    }));
    this.shell.host = { ...this.shell.host, kernel: { ...this.kernel, vhids } };
    this.#armed = new Map(
      [...this.#armed].map(([key, { dueMs, ms: length }]) => [
        key,
        { dueMs: dueMs + ms, ms: length },
      ]),
    );
  }

  effects(effects: readonly Effect[]): void {
    const { nowMs } = this.bench;
    for (const effect of effects) {
      if (effect.kind === 'log')
        this.log.push({ atMs: nowMs, order: this.bench.order++, line: effect.line });
      if (effect.kind === 'state')
        this.devd.push(
          `!system=CARP subsystem=${effect.vhid}@${effect.interface} type=${effect.to}`,
        );
      if (effect.kind === 'advert')
        for (const family of effect.families) {
          const { vhid, advbase, advskew } = effect;
          this.bench.send({
            kind: 'advert',
            by: this,
            madeMs: nowMs,
            family,
            vhid,
            advbase,
            advskew,
            counter: this.#count(),
          });
        }
      if (effect.kind === 'announce') {
        const vhid = find(this.kernel, effect.interface, effect.vhid);
        for (const arp of vhid === undefined ? [] : announcements(this.mac, vhid))
          this.bench.send({ kind: 'arp', by: this, madeMs: nowMs, arp });
      }
    }
    this.#track(nowMs);
  }

  /** Random until an advert was heard, then one more than the last that was heard or sent. */
  #count(): bigint | null {
    if (!this.heard || this.counter === null) return null;
    this.counter += 1n;
    return this.counter;
  }

  #track(nowMs: number): void {
    const armed = new Map<string, Armed>();
    for (const one of this.kernel.vhids)
      for (const timer of ['advertAtMs', 'masterDown4AtMs', 'masterDown6AtMs'] as const) {
        const dueMs = one[timer];
        if (dueMs === null) continue;
        const key = `${one.vhid} ${timer}`;
        const known = this.#armed.get(key);
        armed.set(key, known?.dueMs === dueMs ? known : { dueMs, ms: dueMs - nowMs });
      }
    this.#armed = armed;
  }
}

/** Simulated hosts on one wire. Frames wait until `deliver`: a trace says when each was heard. */
export class Bench {
  nowMs = 0;
  readonly hosts: BenchHost[] = [];
  pending: Frame<BenchHost>[] = [];
  order = 0;

  add(at: 1 | 2, name: string, on = 'vtnet1'): BenchHost {
    const host = new BenchHost(this, at, name, on);
    this.hosts.push(host);
    return host;
  }

  send(frame: Frame<BenchHost>): void {
    const { by } = frame;
    if (frame.kind !== 'advert' || !by.mute) {
      this.pending.push(frame);
      return;
    }
    by.take(reportSend(by.kernel, by.interface, frame.vhid, 13, this.nowMs));
  }

  /** Everybody else hears the frame. `counter`: as it was seen; null: nobody saw it. */
  deliver(frame: Frame<BenchHost>, counter: bigint | null, nowMs: number): void {
    this.nowMs = nowMs;
    for (const other of this.hosts) {
      if (other === frame.by || !other.isReached()) continue;
      const heard = (): void => {
        if (frame.kind === 'arp') this.#ask(other, frame.arp);
        else if (!other.deaf.includes(frame.family)) this.#hear(other, frame, counter);
      };
      if (other.frozenMs === null) heard();
      else other.queue.push(heard);
    }
  }

  #ask(other: BenchHost, arp: ArpFrame): void {
    const { vhids } = other.kernel;
    const answer = arpAnswer({ mac: other.mac, own: [other.source(4)], vhids }, arp);
    if (answer !== null) this.send({ kind: 'arp', by: other, madeMs: this.nowMs, arp: answer });
  }

  #hear(
    other: BenchHost,
    frame: Extract<Frame<BenchHost>, { readonly kind: 'advert' }>,
    counter: bigint | null,
  ): void {
    const { vhid, family, advbase, advskew } = frame;
    const own = find(other.kernel, other.interface, vhid);
    const read = readAdvert(payloadOf(frame, counter ?? 1n));
    const authentic =
      own !== undefined &&
      typeof read !== 'string' &&
      isAuthentic(keyOf(other, vhid), vipsOf(own), read);
    if (authentic && other.kernel.allow !== 0) {
      other.heard = true;
      other.counter = counter;
    }
    other.take(
      hear(
        other.kernel,
        { interface: other.interface, vhid, family, advbase, advskew, authentic },
        this.nowMs,
      ),
    );
  }
}
