import { timeOf, type Window } from './replay.ts';
import { linesOf } from './trace.ts';
import type { Trace } from './script.ts';
import { window, both, configured, dualStack } from './windows.ts';

// What a reboot does to CARP: nothing; and moves of both families.

/** Where e18 begins to reboot. */
const HALT = linesOf('e18').findIndex((line) => line.startsWith('### halt'));

/** IPv4 adverts whose host or advskew is another than before, and when. */
const turns = ({ frames }: Window) =>
  frames
    .flatMap((one) => (one.kind === 'advert' && one.words.includes(' to=224') ? [one] : []))
    .map(({ atMs, from, words }) => ({
      atMs,
      name: from.endsWith('.11') ? ('fb1' as const) : ('fb2' as const),
      advskew: Number(/skew=(\d+)/.exec(words)?.[1]),
    }))
    .filter((one, at, all) => {
      const before = all.slice(0, at).findLast(({ name }) => name === one.name);
      const last = all[at - 1];
      return at > 0 && (last?.name !== one.name || before?.advskew !== one.advskew);
    });

/** Moves that agents planned: the holder is lowered, the taker takes. What was typed follows from the adverts. */
function planned(): Trace {
  const seen = both('planned-moves');
  return {
    name: 'planned moves',
    start: '17:26:15',
    lines: [],
    windows: [seen],
    steps: [
      ...dualStack(),
      '+4000',
      ...turns(seen).flatMap(({ atMs, name, advskew }) => [
        `at ${timeOf(atMs - 40)}`,
        `${name === 'fb1' ? 'fb2' : 'fb1'}~ ifconfig vtnet1 vhid 1 advskew 254`,
        `at ${timeOf(atMs - 12)}`,
        `${name}~ ifconfig vtnet1 vhid 1 advskew ${advskew} state master`,
      ]),
      'at 17:26:45',
    ],
  };
}

/** Twenty-eight preemptions: fb1 gets 254, and its advskew back. */
function preempted(): Trace {
  const seen = both('preempt-dualstack');
  return {
    name: 'preemptions of both families',
    start: '17:33:38',
    lines: [],
    windows: [seen],
    steps: [
      'fb1~ sysctl net.inet.carp.preempt=1',
      'fb2~ sysctl net.inet.carp.preempt=1',
      ...dualStack(),
      'at 17:33:45.6',
      'fb1~ ifconfig vtnet1 vhid 1 advskew 254',
      ...turns(seen)
        .filter(({ name }) => name === 'fb1')
        .flatMap(({ atMs, advskew }) => [
          `at ${timeOf(atMs - 300)}`,
          `fb1~ ifconfig vtnet1 vhid 1 advskew ${advskew === 0 ? 0 : 254}`,
        ]),
      '+3000',
    ],
  };
}

export const OF_ENDS: readonly Trace[] = [
  {
    name: 'e18',
    start: '17:10:00',
    lines: linesOf('e18').slice(0, HALT),
    steps: [
      'fb1$ sysctl net.inet.carp.preempt=0',
      'fb2$ sysctl net.inet.carp.preempt=0',
      ...configured(),
      '+4000',
      'status',
      '###',
      'skip 2 packets to the physical MAC: the lab’s data plane',
      '###',
      'fb2$ sysctl net.inet.carp.allow=0',
      'skip 1 packets to the physical MAC: the lab’s data plane',
      'fb2$ sysctl net.inet.carp.allow=1',
      '+1000',
      'status',
      '###',
      'skip 1 TCP of connections that were open',
      'fb1~ ifconfig vtnet1 vhid 1 advskew 200',
      'fb2~ ifconfig vtnet1 vhid 1 state master',
      '+500',
      'status',
      'skip 8 TCP of connections that were open',
    ],
  },
  {
    name: 'e18 halt',
    start: '17:10:39',
    lines: linesOf('e18').slice(HALT),
    steps: [
      '###',
      ...configured(),
      '+4000',
      'fb1$ sysctl net.inet.carp.preempt=0',
      'fb2$ sysctl net.inet.carp.preempt=0',
      'status',
      'time',
      // reboot(8) kills every process, and the kernel goes on as it was: nothing is typed here.
      '+9000',
      'carplog fb1',
      'skip 1 the emulator',
      'status fb2',
    ],
  },
  {
    name: 'e19',
    start: '17:11:24',
    windows: [window('HT')],
    steps: [
      'fb1$ sysctl net.inet.carp.preempt=1',
      'fb2$ sysctl net.inet.carp.preempt=1',
      ...configured(),
      '+4000',
      'status',
      'time',
      // The same: MASTER until the power is gone.
      'at 17:11:43.39',
      'off fb1',
      'skip 1 the emulator',
      'skip 4 what reboot prints',
      '+2000',
      'status fb2',
    ],
  },
  planned(),
  preempted(),
];
