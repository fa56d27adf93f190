import { fixture } from '../../fixture.ts';
import { SNIFFER, type Window } from './replay.ts';
import { seenIn, shortIn, sniff } from './trace.ts';

// What the traces have in common: what was sniffed, and how the hosts were set up.

export const window = (name: string): Window => ({ name, frames: sniff(name), sniffer: SNIFFER });

/** Frames that stand in the text of a trace itself, whole. */
export const embedded = (name: string, vips: readonly string[]): Window => ({
  name,
  frames: seenIn(fixture(`freebsd-12.1/traces/${name}.txt`)),
  sniffer: { key: 'secret', vips },
  advertsOnly: true,
});

/** A dying MASTER and the taker's first adverts, one window for each time. */
export const takeovers = (name: string): Window[] => {
  const all = shortIn(fixture(`freebsd-12.1/traces/${name}.txt`));
  const starts = all.flatMap(({ words }, at) => (words.includes('skew=0 ') ? [at] : []));
  return starts.map((at, i) => ({
    name: `${name} takeover ${i + 1}`,
    frames: all.slice(at, starts[i + 1]),
    sniffer: SNIFFER,
    advertsOnly: true,
  }));
};

export const both = (name: string): Window => ({
  name,
  frames: seenIn(fixture(`freebsd-12.1/traces/sniff-12.1-${name}.txt`)),
  sniffer: { key: 'secret', vips: ['10.1.60.200', 'fd00:60::200'] },
});

export const dualStack = (): string[] => [
  ...configured(),
  'fb1~ ifconfig vtnet1 inet6 fd00:60::200/128 vhid 1 alias',
  'fb2~ ifconfig vtnet1 inet6 fd00:60::200/128 vhid 1 alias',
];

export const configured = (fb1 = 0, fb2 = 100): string[] => [
  `fb1~ ifconfig vtnet1 vhid 1 advskew ${fb1} pass secret alias 10.1.60.200/32`,
  `fb2~ ifconfig vtnet1 vhid 1 advskew ${fb2} pass secret alias 10.1.60.200/32`,
];
