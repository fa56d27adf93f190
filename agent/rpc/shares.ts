import { isIPv6 } from 'node:net';

/** Whose a connection is. Null where nobody is known behind it: a stranger. */
export interface Party {
  /** `socket` and `root` are the two unix sockets. */
  readonly kind: 'operator' | 'peer' | 'socket' | 'root';
  /** Told apart from others of its kind by this, as sentences call it. */
  readonly name: string;
}

type Kind = Party['kind'] | 'stranger';

/** How many connections there may be of a kind: in all, and of one source address or one party. */
interface Share {
  readonly total: number;
  readonly each: number;
}

export type Shares = Readonly<Record<Kind, Share>>;

/**
 * Peers have no total: there are as many as are configured, and each has its own. All together
 * with eight agents these are 464 connections.
 */
export const SHARES: Shares = {
  stranger: { total: 128, each: 32 },
  operator: { total: 128, each: 16 },
  peer: { total: Number.POSITIVE_INFINITY, each: 16 },
  socket: { total: 64, each: 64 },
  root: { total: 32, each: 32 },
};

/** What the choice of who has to go depends on. */
export interface Sitting {
  /** See sourceOf(). */
  readonly source: string;
  readonly party: Party | null;
  /** Its other side has ended it. */
  gone(): boolean;
  /** Nobody has a call open over it. */
  idle(): boolean;
}

/** Who goes so that `newcomer` has room: nobody, one that sits there, or the newcomer. */
export function whoGoes<T extends Sitting>(
  /** The oldest first, the newcomer not among them. */
  sitting: Iterable<T>,
  newcomer: Pick<Sitting, 'source' | 'party'>,
  shares: Shares,
  /** Sources that peers and operators come from: of strangers, those from elsewhere go first. */
  known: ReadonlySet<string>,
): T | 'nobody' | 'newcomer' {
  const kind = kindOf(newcomer);
  const all = [...sitting].filter((one) => kindOf(one) === kind);
  const mine = all.filter((one) => keyOf(one) === keyOf(newcomer));
  const { total, each } = shares[kind];
  if (mine.length < each && all.length < total) return 'nobody';
  // Who holds half a handshake is not worth more than who begins one, and a peer's newest is alive.
  const anyOf = kind === 'stranger' || kind === 'peer';
  const from = (some: readonly T[]): T | undefined =>
    some.find(isGone) ?? (anyOf ? some[0] : some.find(isIdle));
  if (mine.length >= each) return from(mine) ?? 'newcomer';
  const busiest = busiestOf(all, kind === 'stranger' ? known : new Set());
  return (
    from(busiest) ?? (busiest.length > mine.length + 1 ? (busiest[0] ?? 'newcomer') : 'newcomer')
  );
}

/** In what order connections go where there are too few descriptors: never a peer's, root's or one in use. */
export function spare<T extends Sitting>(sitting: Iterable<T>, known: ReadonlySet<string>): T[] {
  const all = [...sitting];
  const strangers = all.filter((one) => kindOf(one) === 'stranger');
  const inOrder: T[] = [];
  while (strangers.length > 0) {
    const [next] = busiestOf(strangers, known);
    if (next === undefined) break;
    inOrder.push(next);
    strangers.splice(strangers.indexOf(next), 1);
  }
  const idle = all.filter((one) => ['operator', 'socket'].includes(kindOf(one)) && isIdle(one));
  return [...inOrder, ...idle];
}

export const kindOf = ({ party }: Pick<Sitting, 'party'>): Kind => party?.kind ?? 'stranger';

/** Who shares a part of a kind's share. */
export const keyOf = ({ party, source }: Pick<Sitting, 'party' | 'source'>): string =>
  party?.name ?? source;

/** Whom a remote address counts for: of IPv6 its /64, of which a host has as many as it likes. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [bare = ''] = address.split('%');
  if (!isIPv6(bare)) return address;
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

const isGone = (one: Sitting): boolean => one.gone();
const isIdle = (one: Sitting): boolean => one.gone() || one.idle();

/** Those of whoever has most, the oldest first; of the `known` only where there are no others. */
function busiestOf<T extends Sitting>(all: readonly T[], known: ReadonlySet<string>): T[] {
  const by = new Map<string, T[]>();
  for (const one of all) {
    const some = by.get(keyOf(one));
    if (some === undefined) by.set(keyOf(one), [one]);
    else some.push(one);
  }
  let most: T[] = [];
  let mostKnown: T[] = [];
  for (const [key, some] of by) {
    if (known.has(key)) mostKnown = some.length > mostKnown.length ? some : mostKnown;
    else most = some.length > most.length ? some : most;
  }
  return most.length > 0 ? most : mostKnown;
}
