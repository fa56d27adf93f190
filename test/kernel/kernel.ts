import type { CarpState } from '../../agent/core/model.ts';

/**
 * One host's carp(4) as a pure state machine with exact timers: FreeBSD
 * sys/netinet/ip_carp.c. The lab puts it on real packets, a simulation on
 * simulated ones. Times are monotonic milliseconds.
 */

export type Family = 4 | 6;
export type Release = 13 | 14 | 15;

/** One vhid on one interface: carp_softc. */
export interface Vhid {
  readonly interface: string;
  readonly vhid: number;
  readonly advbase: number;
  readonly advskew: number;
  readonly vips4: readonly string[];
  readonly vips6: readonly string[];
  readonly state: CarpState;
  /** Where adverts go; the group unless unicast (14.0 and later). */
  readonly peer: string;
  readonly peer6: string;
  /** Suppressed: its interface is down and its demotion counted. */
  readonly suppressed: boolean;
  readonly advertAtMs: number | null;
  readonly masterDown4AtMs: number | null;
  readonly masterDown6AtMs: number | null;
}

export interface Kernel {
  readonly release: Release;
  readonly preempt: boolean;
  readonly allow: boolean;
  readonly demotion: number;
  readonly ifdownFactor: number;
  readonly senderrFactor: number;
  readonly log: number;
  readonly links: Readonly<Record<string, boolean>>;
  readonly vhids: readonly Vhid[];
  readonly received: { readonly v4: number; readonly v6: number; readonly badAuth: number };
}

/** What the kernel does to the world, in order. */
export type Effect =
  | {
      readonly kind: 'state';
      readonly interface: string;
      readonly vhid: number;
      readonly from: CarpState;
      readonly to: CarpState;
      readonly reason: string;
    }
  | {
      readonly kind: 'advert';
      readonly interface: string;
      readonly vhid: number;
      readonly advbase: number;
      /** Demoted and clamped. */
      readonly advskew: number;
      readonly families: readonly Family[];
    }
  /** Gratuitous ARP for each IPv4 VIP, unsolicited NA for each IPv6 VIP. */
  | { readonly kind: 'announce'; readonly interface: string; readonly vhid: number }
  | { readonly kind: 'log'; readonly line: string };

export interface Change {
  readonly kernel: Kernel;
  readonly effects: readonly Effect[];
}

export const GROUP4 = '224.0.0.18';
export const GROUP6 = 'ff02::12';
const MAX_SKEW = 240;

export function newKernel(
  release: Release,
  preempt: boolean,
  interfaces: readonly string[],
): Kernel {
  return {
    release,
    preempt,
    allow: true,
    demotion: 0,
    ifdownFactor: 240,
    senderrFactor: 240,
    log: 1,
    links: Object.fromEntries(interfaces.map((name) => [name, true])),
    vhids: [],
    received: { v4: 0, v6: 0, badAuth: 0 },
  };
}

/** DEMOTE_ADVSKEW. 13.0 has no lower clamp and leaks the low byte of a negative value. */
export function demotedSkew(kernel: Kernel, advskew: number): number {
  const sum = advskew + kernel.demotion;
  if (sum > MAX_SKEW) return MAX_SKEW;
  if (sum >= 0) return sum;
  return kernel.release === 13 ? sum & 0xff : 0;
}

const skewMs = (advskew: number): number => Math.floor((advskew * 1_000_000) / 256) / 1000;

/** How long a BACKUP waits without adverts: not demoted, not clamped (carp_setrun). */
export const masterDownMs = (advbase: number, advskew: number): number =>
  3000 * advbase + skewMs(advskew);

/** Interval of adverts for an effective advskew. */
export const advertMs = (advbase: number, effective: number): number =>
  1000 * advbase + skewMs(effective);

/** When the next timer is due; null for none. */
export function nextTimerAtMs(kernel: Kernel): number | null {
  const times = kernel.vhids.flatMap(({ advertAtMs, masterDown4AtMs, masterDown6AtMs }) =>
    [advertAtMs, masterDown4AtMs, masterDown6AtMs].filter((at) => at !== null),
  );
  return times.length === 0 ? null : Math.min(...times);
}

export const find = (kernel: Kernel, name: string, vhid: number): Vhid | undefined =>
  kernel.vhids.find((one) => one.interface === name && one.vhid === vhid);

/** A kernel under change: collects effects while pieces are replaced. */
export class Draft {
  kernel: Kernel;
  readonly effects: Effect[] = [];
  readonly nowMs: number;

  constructor(kernel: Kernel, nowMs: number) {
    this.kernel = kernel;
    this.nowMs = nowMs;
  }

  change(): Change {
    return { kernel: this.kernel, effects: this.effects };
  }

  /** The vhid as it is now. */
  get(of: Vhid): Vhid {
    return find(this.kernel, of.interface, of.vhid) ?? of;
  }

  put(of: Vhid, change: Partial<Vhid>): Vhid {
    const next = { ...this.get(of), ...change };
    const vhids = this.kernel.vhids.map((one) =>
      one.interface === of.interface && one.vhid === of.vhid ? next : one,
    );
    this.kernel = { ...this.kernel, vhids };
    return next;
  }

  setState(of: Vhid, to: CarpState, reason: string): void {
    const { interface: name, vhid, state: from } = this.get(of);
    if (from === to) return;
    this.put(of, { state: to });
    this.effects.push({ kind: 'state', interface: name, vhid, from, to, reason });
    if (this.kernel.log > 0) this.log(`carp: ${vhid}@${name}: ${from} -> ${to} (${reason})`);
  }

  log(line: string): void {
    this.effects.push({ kind: 'log', line });
  }

  /** carp_send_ad_locked: advertises now and arms the next one by the demoted skew. */
  sendAdvert(of: Vhid): void {
    const vhid = this.get(of);
    const advskew = demotedSkew(this.kernel, vhid.advskew);
    const families: Family[] = [];
    if (vhid.vips4.length > 0) families.push(4);
    if (vhid.vips6.length > 0) families.push(6);
    const { interface: name, advbase } = vhid;
    this.effects.push({
      kind: 'advert',
      interface: name,
      vhid: vhid.vhid,
      advbase,
      advskew,
      families,
    });
    this.put(vhid, { advertAtMs: this.nowMs + advertMs(advbase, advskew) });
  }

  /** carp_setrun. `family`: whose advert arrived; null arms both that have addresses. */
  setRun(of: Vhid, family: Family | null): void {
    const vhid = this.get(of);
    switch (vhid.state) {
      case 'INIT':
        if (!this.isUp(vhid)) return;
        this.setState(vhid, 'BACKUP', 'initialization complete');
        this.setRun(vhid, null);
        return;
      case 'BACKUP': {
        const dueAtMs = this.nowMs + masterDownMs(vhid.advbase, vhid.advskew);
        this.put(vhid, {
          advertAtMs: null,
          ...(family !== 6 && vhid.vips4.length > 0 ? { masterDown4AtMs: dueAtMs } : {}),
          ...(family !== 4 && vhid.vips6.length > 0 ? { masterDown6AtMs: dueAtMs } : {}),
        });
        return;
      }
      case 'MASTER':
        // Once, right after becoming MASTER, by the skew without demotion.
        this.put(vhid, { advertAtMs: this.nowMs + advertMs(vhid.advbase, vhid.advskew) });
    }
  }

  isUp(vhid: Vhid): boolean {
    const linked = this.kernel.links[vhid.interface] ?? false;
    return linked && this.kernel.allow && vhid.vips4.length + vhid.vips6.length > 0;
  }

  /** carp_master_down_locked and everything that follows becoming MASTER, in the kernel's order. */
  becomeMaster(of: Vhid, reason: string): void {
    this.setState(of, 'MASTER', reason);
    this.put(of, { masterDown4AtMs: null, masterDown6AtMs: null });
    this.sendAdvert(of);
    const { interface: name, vhid } = of;
    this.effects.push({ kind: 'announce', interface: name, vhid });
    this.setRun(of, null);
  }

  becomeBackup(of: Vhid, reason: string): void {
    this.put(of, { advertAtMs: null });
    this.setState(of, 'BACKUP', reason);
    this.setRun(of, null);
  }

  /** carp_demote_adj: every MASTER vhid advertises at once with the new skew. */
  demote(by: number, reason: string): void {
    const demotion = this.kernel.demotion + by;
    this.kernel = { ...this.kernel, demotion };
    if (this.kernel.log > 0) this.log(`carp: demoted by ${by} to ${demotion} (${reason})`);
    for (const vhid of this.kernel.vhids) if (vhid.state === 'MASTER') this.sendAdvert(vhid);
  }

  /** carp_sc_state: the interface, its link, its addresses or `allow` may have changed. */
  refresh(of: Vhid): void {
    const vhid = this.get(of);
    const noAddress = vhid.vips4.length + vhid.vips6.length === 0;
    const down = !(this.kernel.links[vhid.interface] ?? false) || !this.kernel.allow;
    const stopped = { advertAtMs: null, masterDown4AtMs: null, masterDown6AtMs: null };
    if (down) {
      this.put(vhid, stopped);
      this.setState(vhid, 'INIT', 'hardware interface down');
      if (!vhid.suppressed) this.demote(this.kernel.ifdownFactor, 'interface down');
      this.put(vhid, { suppressed: true });
      return;
    }
    this.put(vhid, stopped);
    this.setState(vhid, 'INIT', 'hardware interface up');
    if (!noAddress) this.setRun(vhid, null);
    if (vhid.suppressed) this.demote(-this.kernel.ifdownFactor, 'interface up');
    this.put(vhid, { suppressed: false });
  }
}
