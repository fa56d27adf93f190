import type { CarpState } from '../../agent/core/model.ts';
import {
  advertMs,
  demotedSkew,
  find,
  masterDownMs,
  type Change,
  type Effect,
  type Family,
  type Kernel,
  type Vhid,
} from './kernel.ts';
import { draw } from './lateness.ts';

/**
 * A kernel under change: collects effects while pieces are replaced. Adverts
 * for a changed demotion leave when the act is over, as taskqueue(9) sends them:
 * a host that fences all its vhids says nothing more.
 */
export class Draft {
  kernel: Kernel;
  readonly effects: Effect[] = [];
  readonly nowMs: number;
  private demoted = false;

  constructor(kernel: Kernel, nowMs: number) {
    this.kernel = kernel;
    this.nowMs = nowMs;
  }

  /** The outcome; ends the act. */
  change(): Change {
    // carp_send_ad_all goes through carp_list, where the newest is first.
    if (this.demoted)
      for (const vhid of this.kernel.vhids.toReversed())
        if (vhid.state === 'MASTER') this.sendAdvert(vhid);
    this.demoted = false;
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

  /** When a callout of `ms` fires that is set now. */
  private due(ms: number): number {
    const { lateness } = this.kernel;
    if (lateness === null) return this.nowMs + ms;
    const { lateMs, next } = draw(lateness, ms);
    this.kernel = { ...this.kernel, lateness: next };
    return this.nowMs + ms + lateMs;
  }

  /** carp_send_ad_locked: advertises now and arms the next one by the demoted skew. */
  sendAdvert(of: Vhid): void {
    const vhid = this.get(of);
    const effective = demotedSkew(this.kernel, vhid.advskew);
    const families: Family[] = [];
    if (vhid.vips4.length > 0) families.push(4);
    if (vhid.vips6.length > 0) families.push(6);
    const { interface: name, advbase } = vhid;
    this.effects.push({
      kind: 'advert',
      interface: name,
      vhid: vhid.vhid,
      advbase,
      advskew: effective & 0xff,
      families,
    });
    this.put(vhid, { advertAtMs: this.due(advertMs(advbase, effective)) });
    const { v4, v6 } = this.kernel.sent;
    const sent = { v4: v4 + Math.sign(vhid.vips4.length), v6: v6 + Math.sign(vhid.vips6.length) };
    this.kernel = { ...this.kernel, sent };
  }

  /** carp_setrun. `family`: whose advert arrived; null arms both that have addresses. */
  setRun(of: Vhid, family: Family | null): void {
    const vhid = this.get(of);
    switch (vhid.state) {
      case 'INIT':
        if (!this.isRunning(vhid) || vhid.vips4.length + vhid.vips6.length === 0) return;
        this.setState(vhid, 'BACKUP', 'initialization complete');
        this.setRun(vhid, null);
        return;
      case 'BACKUP': {
        const ms = masterDownMs(vhid.advbase, vhid.advskew);
        this.put(vhid, { advertAtMs: null });
        if (family !== 6 && vhid.vips4.length > 0)
          this.put(vhid, { masterDown4AtMs: this.due(ms) });
        if (family !== 4 && vhid.vips6.length > 0)
          this.put(vhid, { masterDown6AtMs: this.due(ms) });
        return;
      }
      case 'MASTER':
        // Once, right after becoming MASTER, by the skew without demotion.
        this.put(vhid, { advertAtMs: this.due(advertMs(vhid.advbase, vhid.advskew)) });
    }
  }

  /** The interface is up, has its carrier, and CARP is allowed. */
  private isRunning({ interface: name }: Vhid): boolean {
    const { links, down, allow } = this.kernel;
    return (links[name] ?? false) && !down.includes(name) && allow !== 0;
  }

  /** carp_master_down_locked and everything that follows becoming MASTER, in the kernel's order. */
  becomeMaster(of: Vhid, reason: string): void {
    this.setState(of, 'MASTER', reason);
    this.put(of, { masterDown4AtMs: null, masterDown6AtMs: null });
    this.sendAdvert(of);
    const { interface: name, vhid } = of;
    this.effects.push({ kind: 'announce', interface: name, vhid });
    this.setRun(of, null);
    this.put(of, { routed4: this.get(of).vips4 });
  }

  becomeBackup(of: Vhid, reason: string): void {
    this.put(of, { advertAtMs: null });
    this.setState(of, 'BACKUP', reason);
    this.setRun(of, null);
    // carp_delroute takes each route away twice, and the second time it is not there.
    for (const _ of this.get(of).routed4) this.deletionFailed(of);
    this.put(of, { routed4: [] });
  }

  /** ifa_del_loopback_route(): ESRCH, as 12.1 prints it. */
  deletionFailed({ interface: name }: Vhid): void {
    this.log(`${name}: deletion failed: 3`);
  }

  /** carp_demote_adj: every MASTER vhid advertises with the new skew, whatever was added. */
  demote(by: number, reason: string): void {
    const demotion = this.kernel.demotion + by;
    this.kernel = { ...this.kernel, demotion };
    if (this.kernel.log > 0) this.log(`carp: demoted by ${by} to ${demotion} (${reason})`);
    this.demoted = true;
  }

  /** carp_sc_state: the interface, its link, its addresses or `allow` may have changed. */
  refresh(of: Vhid): void {
    const vhid = this.get(of);
    if (!this.isRunning(vhid)) {
      this.put(vhid, { advertAtMs: null, masterDown4AtMs: null, masterDown6AtMs: null });
      this.setState(vhid, 'INIT', 'hardware interface down');
      if (!vhid.suppressed) this.demote(this.kernel.ifdownFactor, 'interface down');
      this.put(vhid, { suppressed: true });
      return;
    }
    this.setState(vhid, 'INIT', 'hardware interface up');
    // Stops no master-down timer: one of a family that lost its last address still ends.
    this.setRun(vhid, null);
    if (vhid.suppressed) this.demote(-this.kernel.ifdownFactor, 'interface up');
    this.put(vhid, { suppressed: false });
  }
}
