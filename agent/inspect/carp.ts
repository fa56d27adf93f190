import { parseSysctl, type CarpTools } from '../carp/carp.ts';
import { parseIfconfig, vhidPrefixes } from '../carp/ifconfig.ts';
import { parsePfRules, pfVerdict, skippedIn, type PfPacket, type PfRules } from '../carp/pf.ts';
import type { CarpFacts, Counters, PfFacts, RcLine } from '../core/doctor/inspection.ts';
import { withoutZone } from '../core/doctor/zones.ts';
import type { NodeReport } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import type { HostCommands } from '../privilege/commands.ts';
import { CommandError, type Exec } from '../sys/exec.ts';

/** carp(4) of this host as its own tools show it; addresses and base advskew as the agent names them. */
export async function inspectCarp(
  exec: Exec,
  tools: CarpTools,
  report: NodeReport | null,
  rc: readonly RcLine[],
): Promise<CarpFacts> {
  const fenced = report?.fenced ?? false;
  const none = { preempt: null, allow: null, fenced, demotion: 0, downFactor: 240 };
  if (!(await isLoaded(exec, tools.kldstat)))
    return { module: false, ...none, vhids: [], rc: [...rc] };
  const [text, sysctls] = await Promise.all([
    exec(tools.ifconfig, []),
    exec(tools.sysctl, ['net.inet.carp']),
  ]);
  const values = parseSysctl(sysctls);
  const value = (name: string): number | undefined => values.get(`net.inet.carp.${name}`);
  const flag = (name: string): boolean | null => {
    const set = value(name);
    return set === undefined ? null : set !== 0;
  };
  const prefixes = vhidPrefixes(text);
  return {
    module: true,
    preempt: flag('preempt'),
    allow: flag('allow'),
    fenced,
    demotion: value('demotion') ?? 0,
    downFactor: value('ifdown_demotion_factor') ?? 240,
    vhids: parseIfconfig(text).carp.map(
      ({ interface: on, vhid, state, advbase, advskew, vips, peer, peer6 }) => {
        const known = report?.addresses.find((one) => one.interface === on && one.vhid === vhid);
        const address = known?.address ?? `${vhid}@${on}`;
        const base = known?.baseAdvskew ?? null;
        return {
          address,
          interface: on,
          vhid,
          state,
          advbase,
          advskew,
          peer: unicast(peer, '224.0.0.18'),
          peer6: unicast(peer6, 'ff02::12'),
          base,
          vips: [...vips],
          prefixes: prefixes
            .filter((one) => one.interface === on && one.vhid === vhid)
            .map(({ prefix }) => prefix),
        };
      },
    ),
    rc: [...rc],
  };
}

/** Where adverts go if not to the group. */
const unicast = (peer: string | null, group: string): string | null =>
  peer === null || withoutZone(peer) === group ? null : peer;

async function isLoaded(exec: Exec, kldstat: string): Promise<boolean> {
  try {
    await exec(kldstat, ['-q', '-m', 'carp']);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.failure.kind === 'exit') return false;
    throw error;
  }
}

/** How much netstat's carp counters grow within `windowMs`. */
export async function inspectCounters(
  exec: Exec,
  netstat: string,
  clock: Clock,
  windowMs: number,
): Promise<Counters> {
  const read = async (): Promise<Omit<Counters, 'ms'>> =>
    countersOf(await exec(netstat, ['-s', '-p', 'carp']));
  const startMs = clock.nowMs();
  const before = await read();
  await new Promise<void>((resolve) => void clock.after(windowMs, resolve));
  const after = await read();
  const grown = (now: number, then: number): number => Math.max(0, now - then);
  return {
    ms: Math.round(clock.nowMs() - startMs),
    sent: {
      v4: grown(after.sent.v4, before.sent.v4),
      v6: grown(after.sent.v6, before.sent.v6),
    },
    received: {
      v4: grown(after.received.v4, before.received.v4),
      v6: grown(after.received.v6, before.received.v6),
    },
    badAuth: grown(after.badAuth, before.badAuth),
    badVhid: grown(after.badVhid, before.badVhid),
  };
}

/** Counters in `netstat -s -p carp` (carp_stats(), FreeBSD usr.bin/netstat/inet.c). Throws where one is missing. */
export function countersOf(text: string): Omit<Counters, 'ms'> {
  const count = (pattern: RegExp): number => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error('netstat -s -p carp prints no counters of carp(4)');
    return Number(found);
  };
  return {
    received: {
      v4: count(/(\d+) packets? received \(IPv4\)/),
      v6: count(/(\d+) packets? received \(IPv6\)/),
    },
    sent: {
      v4: count(/(\d+) packets? sent \(IPv4\)/),
      v6: count(/(\d+) packets? sent \(IPv6\)/),
    },
    badAuth: count(/(\d+) (?:packets? )?discarded for bad authentication/),
    badVhid: count(/(\d+) (?:packets? )?discarded for bad vhid/),
  };
}

/** What pf does with the adverts of these vhids; not enabled where the kernel has no pf. */
export async function inspectPf(
  commands: Pick<HostCommands, 'pfInfo' | 'pfRules' | 'pfInterfaces'>,
  vhids: CarpFacts['vhids'],
): Promise<PfFacts> {
  try {
    const info = await commands.pfInfo();
    if (!/^Status: Enabled/m.test(info)) return { enabled: false, adverts: [] };
  } catch (error) {
    // Of pfctl itself, or passed on by the helper.
    if (sentence(error).includes('/dev/pf: No such file')) return { enabled: false, adverts: [] };
    throw error;
  }
  const rules = parsePfRules(await commands.pfRules());
  const skipped = skippedIn(await commands.pfInterfaces());
  const places = new Map(
    vhids.flatMap(({ interface: on, vips, peer, peer6 }) =>
      vips.map((vip) => {
        const isSix = vip.includes(':');
        const family = isSix ? ('inet6' as const) : ('inet' as const);
        const unicast = isSix ? peer6 : peer;
        return [`${on} ${family} ${unicast}`, { interface: on, family, unicast }] as const;
      }),
    ),
  );
  return {
    enabled: true,
    adverts: [...places.values()]
      .filter((place) => !isSkipped(skipped, place.interface))
      .flatMap(({ unicast, ...place }) =>
        (['in', 'out'] as const).map((direction) => ({
          ...place,
          direction,
          ...verdict(rules, {
            ...place,
            direction,
            to: addressee(place.family, unicast, direction),
          }),
        })),
      ),
  };
}

/** `set skip on vlan` is said of the group, and an interface may be in groups of any name. */
const isSkipped = (skipped: readonly string[], on: string): boolean =>
  skipped.some((name) => name === on || name === on.replace(/[\d.]+$/, ''));

/** Where adverts go; null: to an address of this host, which of them is not known here. */
function addressee(family: 'inet' | 'inet6', unicast: string | null, direction: 'in' | 'out') {
  if (unicast !== null) return direction === 'out' ? withoutZone(unicast) : null;
  return family === 'inet' ? '224.0.0.18' : 'ff02::12';
}

/**
 * Where addresses decide it is no finding: nobody blocks the pair's adverts alone by mistake. Nor
 * where an anchor may: what it holds is not known.
 */
function verdict(
  rules: PfRules,
  place: Pick<PfPacket, 'interface' | 'family' | 'direction' | 'to'>,
): { readonly passes: boolean; readonly rule: string | null } {
  const packet = { ...place, proto: 'carp', from: null, port: null } as const;
  const { action, rules: deciding, anchors } = pfVerdict(rules, packet);
  const passes = action !== 'block' || anchors.length > 0;
  return { passes, rule: (passes && action === 'block' ? anchors[0] : deciding[0]) ?? null };
}
