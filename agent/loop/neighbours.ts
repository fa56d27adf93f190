import { carriesIpv6 } from '../core/addresses.ts';
import type { AddressReport, NodeReport } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/** After an address came here, ms: a frame may be lost, and a switch may learn the old place again. */
const AFTER_A_MOVE_MS = [0, 500, 1000, 2000, 5000];
/** A MASTER that has to ask for a neighbour gives it the physical MAC at any time. */
const EVERY_MS = 60_000;
/** The subject of the problem; docs/alerts.md lists it. */
const NEIGHBOURS = 'neighbours';
const REMEDY =
  'kldload ng_ether ng_socket; where that is not allowed see "IPv6 neighbours" in proxyagent(8)';

/**
 * Tells IPv6 neighbours on an interface where these vhids are, which are MASTER here; none: tries
 * whether they could be told. Rejects with why not.
 */
export type TellNeighbours = (name: string, vhids: readonly number[]) => Promise<void>;

interface Address {
  readonly interface: string;
  readonly vhid: number;
  readonly isMaster: boolean;
  /** When to tell next, the soonest first; never empty. */
  dueAtMs: readonly number[];
}

/**
 * What the kernel does for IPv4 and not for IPv6: says where an address is now. Each one with IPv6
 * is told of as soon as a round finds it MASTER here, again within five seconds, and once a minute;
 * where it is not, the way is tried, so that what is missing is known before a move needs it.
 */
export function tellingNeighbours(options: {
  readonly clock: Clock;
  readonly tell: TellNeighbours;
  readonly report: () => NodeReport | null;
  readonly onRound: (listener: () => void) => () => void;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
}) {
  const { clock, tell, problems } = options;
  let known = new Map<string, Address>();
  let telling = false;
  let stopped = false;
  let cancel = (): void => {};

  function heard(): void {
    const nowMs = clock.nowMs();
    const all = options.report()?.addresses.filter(carriesIpv6) ?? [];
    known = new Map(all.map((one) => [one.address, followed(known.get(one.address), one, nowMs)]));
    if (all.length === 0) problems.clear(NEIGHBOURS);
    run();
  }

  /** One call at a time: what falls due meanwhile is told together after it. */
  function run(): void {
    cancel();
    if (telling || stopped || known.size === 0) return;
    const nowMs = clock.nowMs();
    const due = [...known.values()].filter(({ dueAtMs }) => Math.min(...dueAtMs) <= nowMs);
    if (due.length === 0) {
      const nextAtMs = Math.min(...[...known.values()].flatMap(({ dueAtMs }) => dueAtMs));
      cancel = clock.after(nextAtMs - nowMs, run);
      return;
    }
    for (const one of due) {
      const later = one.dueAtMs.filter((atMs) => atMs > nowMs);
      one.dueAtMs = later.length > 0 ? later : [nowMs + EVERY_MS];
    }
    void told(due);
  }

  async function told(due: readonly Address[]): Promise<void> {
    telling = true;
    const names = [...new Set(due.map((one) => one.interface))];
    const causes: string[] = [];
    for (const name of names) {
      const masters = due.filter((one) => one.interface === name && one.isMaster);
      await tell(
        name,
        masters.map(({ vhid }) => vhid),
      ).catch((error: unknown) => void causes.push(sentence(error)));
    }
    telling = false;
    if (stopped) return;
    const [cause] = causes;
    if (cause === undefined) problems.clear(NEIGHBOURS);
    else problems.raise(NEIGHBOURS, `no IPv6 neighbour hears of moves: ${cause}`, REMEDY);
    run();
  }

  const unsubscribe = options.onRound(heard);
  return {
    stop(): void {
      stopped = true;
      cancel();
      unsubscribe();
    },
  };
}

/** The address as it is now: told of at once where it came here, tried at once where it is new. */
function followed(before: Address | undefined, now: AddressReport, nowMs: number): Address {
  const isMaster = now.state === 'MASTER';
  if (before?.isMaster === isMaster) return before;
  const { interface: name, vhid } = now;
  const due = isMaster ? AFTER_A_MOVE_MS : [before === undefined ? 0 : EVERY_MS];
  return { interface: name, vhid, isMaster, dueAtMs: due.map((ms) => nowMs + ms) };
}
