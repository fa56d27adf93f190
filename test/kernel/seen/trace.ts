import { fixture } from '../../fixture.ts';

/** One line of a sniff: an advert, a gratuitous ARP request or its answer. Others are left out. */
export type Seen =
  | {
      readonly kind: 'advert';
      readonly atMs: number;
      readonly from: string;
      /** Null: not kept. */
      readonly counter: bigint | null;
      /** Everything that is compared; the time since the sender's last and the counter are not here. */
      readonly words: string;
    }
  | { readonly kind: 'arp'; readonly atMs: number; readonly mac: string; readonly words: string };

/** Milliseconds since midnight of "17:15:46.667852". */
export function clockMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** The frames in the lines of a sniff, in their order. */
export function seenIn(text: string): Seen[] {
  return text.split('\n').flatMap((line): Seen[] => {
    const [, at = '', what = '', rest = ''] = /^(\S+) (ADV|GARP) (.*)$/.exec(line) ?? [];
    const atMs = clockMs(at);
    if (what === 'GARP') {
      const mac = / mac=(\S+)/.exec(rest)?.[1] ?? '';
      return [{ kind: 'arp', atMs, mac, words: rest }];
    }
    const from = / from=(\S+)/.exec(rest)?.[1];
    const counter = / ctr=(\w+)/.exec(rest)?.[1];
    if (what !== 'ADV' || from === undefined || counter === undefined) return [];
    const words = rest.replace(/ ctr=\w+/, '').replace(/ dt=\S+/, '');
    return [{ kind: 'advert', atMs, from, counter: BigInt(`0x${counter}`), words }];
  });
}

/** Adverts in the short form of a trace: "ADV vhid 1 base 1 skew 0 from 10.1.60.11 dt 0.0  hmac=OK". */
export function shortIn(text: string): Seen[] {
  return text.split('\n').flatMap((line): Seen[] => {
    const [, at = '', vhid, base, skew, from, hmac] =
      /^(\S+) ADV vhid (\d+) base (\d+) skew (\d+) from (\S+) dt \S+ {2}hmac=(\w+)$/.exec(line) ??
      [];
    if (from === undefined) return [];
    const words = `vhid=${vhid} base=${base} skew=${skew} from=${from} hmac=${hmac}`;
    return [{ kind: 'advert', atMs: clockMs(at), from, counter: null, words }];
  });
}

export const sniff = (name: string): Seen[] => seenIn(fixture(`freebsd-12.1/traces/${name}.sniff`));

/** The lines of a trace, none of them frames: those are in the sniffs, whole. */
export function linesOf(name: string): string[] {
  return fixture(`freebsd-12.1/traces/${name}.txt`)
    .split(/\r?\n/)
    .filter((line) => !/^\S+ (ADV|GARP) |^ +\.\.\. \d+ more/.test(line));
}

/** Lines of the kernel's log that are CARP's, or of what CARP did. */
export const isCarps = (line: string): boolean =>
  /^(\[\d+\] )?(carp: |\S+: (deletion failed|promiscuous mode))/.test(line);
