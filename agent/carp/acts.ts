import type { Exec } from '../sys/exec.ts';
import { othersTurn } from '../sys/turn.ts';
import { fenceLease } from './fence.ts';
import { directTell, type Tell } from './tell.ts';

export interface CarpChange {
  readonly advskew?: number;
  readonly state?: 'MASTER' | 'BACKUP';
}

/** A vhid that ifconfig showed, with what a set of it has to say. */
export interface KnownVhid {
  readonly interface: string;
  readonly vhid: number;
  /** `carpver 3`, 15.0 and later. */
  readonly isVrrp: boolean;
  /** Null where none is printed. */
  readonly peer: string | null;
  readonly peer6: string | null;
}

/** One vhid and what is to be set of it. */
export interface CarpSet {
  readonly vhid: KnownVhid;
  readonly change: CarpChange;
}

/** What needs root, one act a call. Each rejects with a sentence when it was not done. */
export interface CarpActs {
  /**
   * Sets several vhids, each once, in no order. One that fails keeps no other from being set; the
   * first of those is what it rejects with.
   */
  set(sets: readonly CarpSet[]): Promise<void>;
  /** Adds nothing to the demotion and so makes every MASTER vhid send its advert now. */
  advertise(): Promise<void>;
  /** net.inet.carp.allow. False is a lease: the host undoes it 3 s after it was said last. */
  allow(on: boolean): Promise<void>;
  readonly tell: Tell;
}

/**
 * VRRPv3 knows a priority, 255 first, in advskew's place: it is shown and set
 * as 255 less advskew, so that 254 (lowered) is priority 1 and nothing else of
 * the agent has to know.
 */
export const VRRP_TOP = 255;

/** The words of ifconfig(8) for a change: the kernel stores advskew before it acts on state. */
export function wordsOf(vhid: KnownVhid, change: CarpChange): readonly (readonly string[])[] {
  const words: (readonly string[])[] = [];
  if (change.advskew !== undefined)
    words.push(
      vhid.isVrrp
        ? ['vrrpprio', String(VRRP_TOP - change.advskew)]
        : ['advskew', String(change.advskew)],
    );
  if (change.state !== undefined) words.push(['state', change.state.toLowerCase()]);
  return words;
}

/** Groups that stand for "no unicast peer": CARP's own. */
const MULTICAST = new Set(['224.0.0.18', 'ff02::12']);

/** Programs started in one turn of the loop: each start copies this process's page tables (fork(2)). */
const A_TURN = 4;

/**
 * The acts with this process's own rights: root's. Several vhids are as many ifconfigs side by side:
 * one keeps a single vhid in static variables and sets that one (setcarp_vhid(), FreeBSD
 * sbin/ifconfig/carp.c), and what two of them read and write back is of different vhids.
 */
export function directActs(
  exec: Exec,
  tools: { readonly ifconfig: string; readonly sysctl: string; readonly ngctl: string },
): CarpActs {
  const lease = fenceLease(exec, tools.sysctl);
  return {
    async set(sets) {
      const started: Promise<{ readonly reason: unknown } | null>[] = [];
      for (const [at, { vhid, change }] of sets.entries()) {
        if (at > 0 && at % A_TURN === 0) await othersTurn();
        const words = wordsOf(vhid, change).flat();
        const args = [vhid.interface, 'vhid', String(vhid.vhid), ...words, ...unicast(vhid)];
        started.push(
          exec(tools.ifconfig, args).then(
            () => null,
            (reason: unknown) => ({ reason }),
          ),
        );
      }
      const failed = (await Promise.all(started)).find((one) => one !== null);
      if (failed !== undefined) throw failed?.reason;
    },
    async advertise() {
      await exec(tools.sysctl, ['net.inet.carp.demotion=0']);
    },
    allow: (on) => (on ? lease.end() : lease.renew()),
    tell: directTell(exec, tools),
  };
}

function unicast({ peer, peer6 }: KnownVhid): string[] {
  const words: string[] = [];
  if (peer !== null && !MULTICAST.has(peer)) words.push('peer', peer);
  if (peer6 !== null && !MULTICAST.has(peer6)) words.push('peer6', peer6);
  return words;
}
