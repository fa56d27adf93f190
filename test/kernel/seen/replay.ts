import { slackMs, TICK_MS } from '../lateness.ts';
import { Bench, type BenchHost } from './bench.ts';
import { wordsOf, type Frame, type Sniffer } from './frames.ts';
import type { Seen } from './trace.ts';

/** Frames are captured, and emulated machines run, this much before or behind their time. */
const JITTER_MS = 15;
/** What a host does at once is on the wire within this. */
const AT_ONCE_MS = 60;

/** What a sniffer saw from its first frame to its last. */
export interface Window {
  readonly name: string;
  readonly frames: readonly Seen[];
  readonly sniffer: Sniffer;
  /** ARP was left out of what was kept. */
  readonly advertsOnly?: boolean;
}

/** A sniffer that knows the pair's password and its one VIP. */
export const SNIFFER: Sniffer = { key: 'secret', vips: ['10.1.60.200'] };

/**
 * Simulated kernels led by a trace. Within a window every frame that was seen must be one that the
 * simulated host sends at that moment: at once, or by a timer that may end then (its time, and as
 * late as alloweddeviation lets it); and everything it sends must have been seen. What a host
 * hears it hears when the trace saw it. Between windows timers end at their time.
 */
export class Replay {
  readonly bench = new Bench();
  readonly differences: string[] = [];
  /** kern.timecounter.alloweddeviation of both hosts. */
  deviation = 5;
  jitterMs = JITTER_MS;
  #windows: Window[];
  #window: Window | null = null;
  #left: Seen[] = [];
  #seen = 0;

  constructor(windows: readonly Window[]) {
    this.#windows = [...windows];
  }

  get nowMs(): number {
    return this.bench.nowMs;
  }

  /** Frames of windows that were compared so far. */
  get compared(): number {
    return this.#seen;
  }

  /** Time goes on to `untilMs`. */
  advance(untilMs: number): void {
    if (!Number.isFinite(untilMs)) throw new Error(`no time at ${timeOf(this.nowMs)}`);
    for (;;) {
      const atMs = this.#left[0]?.atMs ?? this.#windows[0]?.frames[0]?.atMs ?? Infinity;
      if (atMs > untilMs) break;
      if (this.#left.length === 0) this.#open(atMs);
      const frame = this.#left.shift();
      if (frame === undefined) break;
      this.#missing(frame.atMs);
      this.bench.nowMs = frame.atMs;
      this.#match(frame);
      if (this.#left.length === 0) this.#close();
    }
    if (this.#window === null) this.#run(untilMs);
    else this.#missing(untilMs);
    this.bench.nowMs = Math.max(untilMs, this.nowMs);
  }

  /** To the end of the last window. */
  finish(): void {
    const last = [...this.#left, ...this.#windows.flatMap(({ frames }) => frames)].at(-1);
    if (last !== undefined) this.advance(last.atMs + AT_ONCE_MS);
  }

  /** A command on a host, now. */
  type(host: BenchHost, command: string): string {
    const text = host.run(command, this.nowMs);
    this.settle();
    return text;
  }

  /** Outside of windows everybody hears everything at once. */
  settle(): void {
    if (this.#window !== null) return;
    for (let frame = this.bench.pending.shift(); frame !== undefined;) {
      if (frame.kind === 'advert') frame.by.counter = null;
      this.bench.deliver(frame, null, this.nowMs);
      frame = this.bench.pending.shift();
    }
  }

  #run(untilMs: number): void {
    this.settle();
    for (;;) {
      const first = this.bench.hosts
        .map((host) => ({ host, dueMs: host.next?.dueMs ?? Infinity }))
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (first === undefined || first.dueMs > untilMs) return;
      first.host.fire(first.dueMs);
      this.settle();
    }
  }

  /** The sniffer starts: whose frame it sees first, his timer ended then. */
  #open(atMs: number): void {
    const next = this.#windows.shift();
    if (next === undefined) return;
    const [first] = next.frames;
    const host = this.bench.hosts.find((one) => first !== undefined && isBy(first, one));
    // As late as a callout of three seconds may be, and more.
    this.#run(atMs - 300);
    if (host !== undefined && host.next !== null) {
      host.shift(atMs - host.next.dueMs);
      // Nobody else acts first.
      for (const other of this.bench.hosts) {
        const theirs = other.next;
        if (other !== host && theirs !== null && theirs.dueMs <= atMs)
          other.shift(atMs + 1 - theirs.dueMs);
      }
    }
    for (const one of this.bench.hosts) one.counter = null;
    this.#window = next;
    this.#left = [...next.frames];
  }

  #close(): void {
    const young = this.bench.pending.filter(({ madeMs }) => madeMs < this.nowMs - AT_ONCE_MS);
    for (const frame of young) this.#differs(`not seen: ${this.#said(frame)}`);
    this.#window = null;
    this.settle();
  }

  #match(seen: Seen): void {
    this.#seen++;
    const host = this.bench.hosts.find((one) => isBy(seen, one));
    if (host === undefined) return this.#differs(`nobody: ${seen.words}`);
    let frame = this.#pending(host, seen);
    if (frame === undefined && seen.kind === 'advert') {
      const { next } = host;
      if (next !== null && this.#mayEnd(next, seen.atMs)) host.fire(seen.atMs);
      frame = this.#pending(host, seen);
    }
    if (frame === undefined) {
      const { next } = host;
      const due =
        next === null ? 'no timer' : `next timer ${(next.dueMs - seen.atMs).toFixed(1)} ms off`;
      return this.#differs(`${host.name} does not send: ${seen.words} (${due})`);
    }
    this.bench.pending = this.bench.pending.filter((one) => one !== frame);
    const counter = seen.kind === 'advert' ? seen.counter : null;
    if (counter !== null && frame.kind === 'advert') {
      if (frame.counter === null) host.counter = counter;
      else if (frame.counter !== counter)
        this.#differs(`${host.name}: counter ${counter.toString(16)} is not the next`);
    }
    this.bench.deliver(frame, counter, seen.atMs);
  }

  #mayEnd({ dueMs, ms }: { readonly dueMs: number; readonly ms: number }, atMs: number): boolean {
    const latest = dueMs + slackMs(this.deviation, ms) + TICK_MS + this.jitterMs;
    return atMs >= dueMs - this.jitterMs && atMs <= latest;
  }

  #pending(host: BenchHost, seen: Seen): Frame<BenchHost> | undefined {
    const sniffer = this.#window?.sniffer ?? SNIFFER;
    const counter = (seen.kind === 'advert' ? seen.counter : null) ?? 0n;
    const said = (frame: Frame<BenchHost>): string => {
      const whole = wordsOf(frame, counter, sniffer);
      const words = seen.words.includes('hmac=') ? whole : whole.replace(/ hmac=.*/, '');
      // A trace in short has no more than this.
      return seen.kind === 'advert' && seen.counter === null
        ? words.replace(/ to=.* (?=hmac=)/, ' ')
        : words;
    };
    return this.bench.pending.find((frame) => frame.by === host && said(frame) === seen.words);
  }

  /** What should have been seen by `atMs`. */
  #missing(atMs: number): void {
    if (this.#window?.advertsOnly === true)
      this.bench.pending = this.bench.pending.filter(({ kind }) => kind === 'advert');
    for (const frame of this.bench.pending)
      if (frame.madeMs + AT_ONCE_MS < atMs) this.#differs(`not seen: ${this.#said(frame)}`);
    this.bench.pending = this.bench.pending.filter(({ madeMs }) => madeMs + AT_ONCE_MS >= atMs);
    for (const host of this.bench.hosts) {
      const { next } = host;
      if (next === null || next.dueMs >= atMs || this.#mayEnd(next, atMs)) continue;
      this.#differs(`${host.name}: a timer ended ${(atMs - next.dueMs).toFixed(1)} ms ago, unseen`);
      host.fire(atMs);
    }
  }

  #said(frame: Frame<BenchHost>): string {
    return `${frame.by.name}: ${wordsOf(frame, 0n, this.#window?.sniffer ?? SNIFFER)}`;
  }

  #differs(text: string): void {
    this.differences.push(`${this.#window?.name ?? ''} ${timeOf(this.nowMs)} ${text}`);
  }
}

const isBy = (seen: Seen, host: BenchHost): boolean =>
  seen.kind === 'arp'
    ? seen.mac === host.mac
    : seen.from === host.source(4) || seen.from === host.source(6);

/** "17:15:46.668" */
export const timeOf = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
