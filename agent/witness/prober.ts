import { BlockList, isIPv4 } from 'node:net';
import type { NodeReport, PathReading } from '../core/model.ts';
import type { Clock } from '../sys/clock.ts';
import type { Echo } from './echo.ts';

interface Target {
  readonly network: string;
  readonly node: string | null;
  readonly address: string;
  answeredAtMs: number | null;
  lostInRow: number;
  lostSinceMs: number | null;
  steadySinceMs: number | null;
  waiting: boolean;
  sentAtMs: number;
}

export interface ProberOptions {
  readonly clock: Clock;
  readonly echo: Echo;
  readonly witnesses: readonly string[];
  /** The host's own addresses as ADDRESS/LENGTH by network: which witness is on which. */
  readonly subnets: () => ReadonlyMap<string, readonly string[]>;
  /** A path answered again or fell silent. */
  readonly onChange: () => void;
}

const SILENT = 5;

/**
 * The second path: echo between the addresses of the interfaces that carry the
 * vhids, to every peer and to the witnesses on the same subnet. Slow while all
 * is well; a peer whose agent fell silent, and the witnesses, are asked often.
 */
export function prober(options: ProberOptions) {
  const { clock, echo, onChange } = options;
  let targets: Target[] = [];
  let aimed = '';
  let suspects: readonly string[] = [];
  let cancel = (): void => {};
  let closed = false;
  let calmAtMs = -Infinity;
  /** Asked for twice a round; null: something was heard or asked since. */
  let known: readonly PathReading[] | null = null;

  const isHasty = ({ node }: Target): boolean =>
    suspects.length > 0 && (node === null || suspects.includes(node));

  /** A probe leaves: the one before it, if nothing came, is lost. */
  function count(target: Target): void {
    known = null;
    if (target.waiting) {
      target.lostInRow++;
      target.lostSinceMs ??= target.sentAtMs;
      if (target.lostInRow === SILENT) {
        target.steadySinceMs = null;
        onChange();
      }
    }
    target.waiting = true;
    target.sentAtMs = clock.nowMs();
  }

  function ask(target: Target): void {
    count(target);
    echo.send(target.address);
  }

  function tick(): void {
    const nowMs = clock.nowMs();
    const calm = echo.follow === undefined && nowMs - calmAtMs >= echo.calmMs;
    if (calm) calmAtMs = nowMs;
    const hasty = suspects.length > 0;
    for (const target of targets) if (calm || isHasty(target)) ask(target);
    if (!closed && (hasty || echo.follow === undefined))
      cancel = clock.after(hasty ? echo.hastyMs : echo.calmMs, tick);
  }

  tick();
  return {
    readings: (): readonly PathReading[] => (known ??= merged(targets)),
    aim(peers: readonly NodeReport[], own: NodeReport): void {
      // Every round asks; the answer changes only with somebody's addresses.
      const text = [own, ...peers].map(({ node, networks }) => node + textOf(networks)).join();
      const subnets = [...options.subnets()].join();
      if (`${text}${subnets}` === aimed) return;
      aimed = `${text}${subnets}`;
      known = null;
      const wanted = aims(peers, own, options);
      targets = wanted.map(
        (one) =>
          targets.find((old) => old.network === one.network && old.address === one.address) ?? {
            ...one,
            answeredAtMs: null,
            lostInRow: 0,
            lostSinceMs: null,
            steadySinceMs: null,
            waiting: false,
            sentAtMs: 0,
          },
      );
      echo.follow?.([...new Set(targets.map(({ address }) => address))]);
    },
    attend(now: readonly string[]): void {
      const more = now.some((node) => !suspects.includes(node));
      suspects = now;
      if (!more) return;
      cancel();
      tick();
    },
    /** The echo asks this address by itself. Where it is asked more often, those probes count. */
    asked(address: string): void {
      for (const target of targets)
        if (target.address === address && !isHasty(target)) count(target);
    },
    /** An answer came in from this address. */
    answered(address: string): void {
      known = null;
      for (const target of targets.filter((one) => one.address === address)) {
        const back = target.lostInRow >= SILENT;
        target.answeredAtMs = clock.nowMs();
        target.steadySinceMs ??= target.answeredAtMs;
        target.lostInRow = 0;
        target.lostSinceMs = null;
        target.waiting = false;
        if (back) onChange();
      }
    },
    /** Nothing was asked of this address after all. */
    unsent(address: string): void {
      for (const target of targets.filter((one) => one.address === address)) target.waiting = false;
    },
    close(): void {
      closed = true;
      cancel();
      echo.close();
    },
  };
}

/** Silent since both are; null while one of them answers. */
const latest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.max(a, b);

type Aim = Pick<Target, 'network' | 'node' | 'address'>;

function aims(peers: readonly NodeReport[], own: NodeReport, options: ProberOptions): Aim[] {
  const subnets = options.subnets();
  return own.networks.flatMap(({ network }) => [
    ...peers.flatMap(({ node, networks }) =>
      addressesOf(networks.find((one) => one.network === network)?.addresses ?? []).map(
        (address) => ({ network, node, address }),
      ),
    ),
    ...options.witnesses
      .filter((address) => isWithin(address, subnets.get(network) ?? []))
      .map((address) => ({ network, node: null, address })),
  ]);
}

const textOf = (networks: NodeReport['networks']): string =>
  networks.map(({ network, addresses }) => `${network} ${addresses.join()}`).join();

/** One address of each family; link-local ones need a scope that the peer cannot name for us. */
function addressesOf(all: readonly string[]): string[] {
  const usable = all.filter((address) => !/^fe80:/i.test(address));
  const v4 = usable.find((address) => isIPv4(address));
  const v6 = usable.find((address) => !isIPv4(address));
  return [v4, v6].filter((address) => address !== undefined);
}

function isWithin(address: string, cidrs: readonly string[]): boolean {
  const family = (one: string): 'ipv4' | 'ipv6' => (isIPv4(one) ? 'ipv4' : 'ipv6');
  return cidrs.some((cidr) => {
    const [base = '', length = ''] = cidr.split('/');
    if (family(base) !== family(address)) return false;
    const block = new BlockList();
    block.addSubnet(base.replace(/%.*$/, ''), Number(length), family(base));
    return block.check(address, family(address));
  });
}

/** A node is reached where either family answers: one reading per network and node, or witness. */
function merged(targets: readonly Target[]): PathReading[] {
  const found = new Map<string, PathReading>();
  for (const { network, node, answeredAtMs, lostInRow, lostSinceMs, ...rest } of targets) {
    const key = `${network} ${node ?? `witness ${rest.address}`}`;
    const before = found.get(key);
    // A family that never answered says nothing against the one that does.
    const counts = answeredAtMs !== null || before === undefined;
    if (!counts) continue;
    const known = before !== undefined && before.answeredAtMs !== null ? before : null;
    found.set(key, {
      network,
      node,
      answeredAtMs: Math.max(known?.answeredAtMs ?? -Infinity, answeredAtMs ?? -Infinity),
      lostInRow: Math.min(known?.lostInRow ?? Infinity, lostInRow),
      lostSinceMs: latest(known === null ? lostSinceMs : known.lostSinceMs, lostSinceMs),
      steadySinceMs: known?.steadySinceMs ?? rest.steadySinceMs,
    });
  }
  return [...found.values()].map((one) => ({
    ...one,
    answeredAtMs: one.answeredAtMs === -Infinity ? null : one.answeredAtMs,
  }));
}
