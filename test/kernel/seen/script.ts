import type { BenchHost } from './bench.ts';
import { Replay, type Window } from './replay.ts';
import { clockMs, isCarps, linesOf } from './trace.ts';

/**
 * What was done, step by step along the lines of a trace. A step is one of:
 *   HOST$ COMMAND    typed there; what it prints are the next lines
 *   HOST~ COMMAND    typed there; the trace does not show what it prints
 *   time             the next line is the time
 *   at TIME          by what other times say; the trace has none here
 *   +MS              time passes
 *   ###              the next line is a heading
 *   status           the next line has the `carp:` lines and demotion of every host
 *   status HOST      of one host: its `carp:` lines
 *   log HOST         the kernel's log since it was looked at last: CARP's lines, and their times
 *   carplog HOST     the same, where only the lines that begin with carp: were kept
 *   clear HOST...      what the trace does not show of the logs
 *   devd HOST...     events since the start
 *   nodevd HOST...   events until here were not looked at
 *   see TEXT         the next line is TEXT
 *   forget HOST      it has no password of before: a boot
 *   skip N WHY       lines that are nothing of CARP's state, or not simulated: WHY is a key
 *   freeze, thaw, off, cut, plug, deaf, deaf6, hear, mute, unmute HOST
 */
export type Step = string;

export interface Outcome {
  readonly differences: readonly string[];
  readonly skipped: readonly string[];
  readonly compared: number;
}

export interface Trace {
  readonly name: string;
  readonly start: string;
  readonly windows?: readonly Window[];
  readonly steps: readonly Step[];
  /** Names of the hosts and their interface. */
  readonly hosts?: readonly (readonly [1 | 2, string, string])[];
  readonly lines?: readonly string[];
  /** Every host writes into one log, one devd hears of all. */
  readonly oneLog?: boolean;
  readonly deviation?: number;
  readonly jitterMs?: number;
}

const TIME = /^\d\d:\d\d:\d\d\.\d+$/;

const HOSTS = [
  [1, 'fb1', 'vtnet1'],
  [2, 'fb2', 'vtnet1'],
] as const;

/** Goes through a trace; a line that no step takes is a difference. */
export function follow(trace: Trace): Outcome {
  const replay = new Replay(trace.windows ?? []);
  if (trace.deviation !== undefined) replay.deviation = trace.deviation;
  if (trace.jitterMs !== undefined) replay.jitterMs = trace.jitterMs;
  for (const [at, name, on] of trace.hosts ?? HOSTS) replay.bench.add(at, name, on);
  replay.bench.nowMs = clockMs(trace.start);
  const lines = (trace.lines ?? linesOf(trace.name)).filter((line) => line !== '');
  const differences: string[] = [];
  const skipped: string[] = [];
  const logged = new Map<string, number>();
  const oneDevd: string[] = [];
  if (trace.oneLog === true) for (const one of replay.bench.hosts) one.devd = oneDevd;
  const differs = (text: string): void => void differences.push(text);
  const expect = (got: string, step: string): void => {
    const seen = lines.shift() ?? '(end)';
    if (got !== seen) differs(`${step}: here "${got}", there "${seen}"`);
  };
  const host = (name: string): BenchHost => {
    const found = replay.bench.hosts.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  };
  const reachTime = (): void => {
    const line = lines.shift() ?? '';
    if (!TIME.test(line)) throw new Error(`no time but "${line}"`);
    replay.advance(clockMs(line));
  };
  /** Half way to the next time, if that is the next that is told. */
  const reach = (next: string | undefined): void => {
    const time = lines.find((line) => TIME.test(line));
    const untilMs = next === 'time' && time !== undefined ? clockMs(time) : replay.nowMs + 16;
    replay.advance((replay.nowMs + untilMs) / 2);
  };

  const take = (step: string, index: number): void => {
    const [, name = '', sign, command = ''] = /^(\w+)([$~]) (.*)$/.exec(step) ?? [];
    if (sign !== undefined) {
      reach(trace.steps[index + 1]);
      const text = replay.type(host(name), command);
      if (sign === '$') for (const line of text.split('\n').slice(0, -1)) expect(line, step);
      return;
    }
    const [word = '', ...rest] = step.split(' ');
    const [of = ''] = rest;
    if (word === 'time') reachTime();
    else if (word === 'at') replay.advance(clockMs(of));
    else if (word.startsWith('+')) replay.advance(replay.nowMs + Number(word));
    else if (word === '###') {
      if (!(lines.shift() ?? '').startsWith('### ')) differs(`${index}: no heading`);
    } else if (word === 'status') {
      if (of === '') expect(replay.bench.hosts.map((one) => statusOf(one)).join(''), step);
      else for (const line of carpLines(host(of))) expect(line, step);
    } else if (word === 'log' || word === 'carplog' || word === 'clear') {
      const kept = word === 'carplog' ? /^carp: / : /^/;
      const ours = rest.map((each) => host(each));
      // Jails write into the one log of their host.
      const groups = trace.oneLog === true ? [ours] : ours.map((one) => [one]);
      for (const [one, ...others] of groups) {
        if (one === undefined) continue;
        const seen = word === 'clear' ? null : takeLog(lines, one.name);
        compareLog([one, ...others], seen, kept, logged, differs);
      }
    } else if (word === 'devd') {
      if (trace.oneLog === true) {
        lines.shift();
        for (const event of oneDevd) expect(event, step);
      } else
        for (const each of rest) {
          lines.shift();
          for (const event of host(each).devd.splice(0)) expect(`${event}$`, step);
        }
    } else if (word === 'skip') {
      lines.splice(0, Number(of));
      skipped.push(rest.slice(1).join(' '));
    } else if (word === 'see') expect(lines.length === 0 ? '' : rest.join(' '), step);
    else if (word === 'nodevd') for (const each of rest) host(each).devd.length = 0;
    else if (word === 'forget') host(of).forget();
    else change(replay, word, host(of));
  };
  trace.steps.forEach((step, index) => {
    try {
      take(step, index);
    } catch (error) {
      throw new Error(`step ${index + 1}, ${step}`, { cause: error });
    }
  });
  replay.finish();
  for (const line of lines) differs(`nobody replays "${line}"`);
  return {
    differences: [...replay.differences, ...differences],
    skipped,
    compared: replay.compared,
  };
}

function change(replay: Replay, word: string, host: BenchHost): void {
  if (word === 'off') host.off = true;
  else if (word === 'freeze') host.frozenMs = replay.nowMs;
  else if (word === 'thaw') host.thaw(replay.nowMs);
  else if (word === 'cut' || word === 'plug') host.link(word === 'plug', replay.nowMs);
  else if (word === 'deaf') host.deaf = [4, 6];
  else if (word === 'deaf6') host.deaf = [6];
  else if (word === 'hear') host.deaf = [];
  else if (word === 'mute' || word === 'unmute') host.mute = word === 'mute';
  else throw new Error(`no step ${word}`);
  replay.settle();
}

const carpLines = ({ kernel }: BenchHost): string[] =>
  kernel.vhids.map(
    ({ state, vhid, advbase, advskew }) =>
      `\tcarp: ${state} vhid ${vhid} advbase ${advbase} advskew ${advskew}`,
  );

const statusOf = (host: BenchHost): string =>
  `${host.name} ${carpLines(host).join('')} dem ${host.kernel.demotion}   `;

/** The lines under "-- HOST log". */
function takeLog(lines: string[], name: string): string[] {
  if (lines[0] === `-- ${name} log`) lines.shift();
  const end = lines.findIndex((line) => !/^\[\d+\] |^(carp|vtnet1): /.test(line));
  return lines.splice(0, end === -1 ? lines.length : end);
}

/** Same lines in the same order, and times (whole seconds of uptime there) that fit together. */
function compareLog(
  hosts: readonly BenchHost[],
  seen: readonly string[] | null,
  kept: RegExp,
  logged: Map<string, number>,
  differs: (text: string) => void,
): void {
  const name = hosts.map((host) => host.name).join(' ');
  const here = hosts
    .flatMap((host) => host.log.slice(logged.get(host.name) ?? 0))
    .filter(({ line }) => kept.test(line))
    .sort((a, b) => a.order - b.order);
  for (const host of hosts) logged.set(host.name, host.log.length);
  if (seen === null) return;
  // Bridges and their members become promiscuous too.
  const interfaces = hosts.map((host) => host.interface);
  const there = seen.filter(
    (line) =>
      isCarps(line) &&
      (!line.includes('promiscuous') || interfaces.some((one) => line.includes(` ${one}: `))),
  );
  const words = (text: string): string => text.replace(/^\[\d+\] /, '');
  const rows = Math.max(here.length, there.length);
  const offsets: number[] = [];
  for (let row = 0; row < rows; row++) {
    const one = here[row];
    const line = there[row] ?? '(nothing)';
    if (one?.line !== words(line))
      return differs(`log ${name}: here "${one?.line ?? '(nothing)'}", there "${line}"`);
    const uptime = /^\[(\d+)\] /.exec(line)?.[1];
    if (uptime !== undefined) offsets.push(one.atMs / 1000 - Number(uptime));
  }
  const spread = Math.max(...offsets) - Math.min(...offsets);
  // Whole seconds, and what callouts are late by between windows.
  if (offsets.length > 0 && spread > 1.6)
    differs(`log ${name}: times differ by ${spread.toFixed(2)} s more than they can`);
}
