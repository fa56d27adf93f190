import {
  hear,
  runTimers,
  setAddresses,
  setLink,
  setSysctl,
  setUp,
  setVhid,
  type Heard,
  type Settings,
  type SysctlName,
} from './acts.ts';
import { reportSend } from './sends.ts';
import {
  find,
  GROUP4,
  GROUP6,
  newKernel,
  nextTimerAtMs,
  type Change,
  type Effect,
  type Family,
  type Kernel,
  type Release,
  type Vhid,
} from './kernel.ts';

export const IF = 'vtnet0';
export const VIP4 = '192.0.2.200';
export const VIP6 = '2001:db8::200';

interface Start {
  readonly release?: Release;
  readonly preempt?: boolean;
  readonly advbase?: number;
  readonly advskew?: number;
  readonly v4?: readonly string[];
  readonly v6?: readonly string[];
}

/** One kernel with a clock, driven act by act; every act says what it did. */
export class Scene {
  kernel: Kernel;
  nowMs = 0;

  constructor(release: Release = 14, preempt = false, interfaces: readonly string[] = [IF]) {
    this.kernel = newKernel(release, preempt, interfaces);
  }

  /** Takes a change over; the effects in words. */
  take({ kernel, effects }: Change): string[] {
    this.kernel = kernel;
    return effects.filter(({ kind }) => kind !== 'log').map(words);
  }

  /** Like `take`, the kernel's log instead. */
  log({ kernel, effects }: Change): string[] {
    this.kernel = kernel;
    return effects.flatMap((effect) => (effect.kind === 'log' ? [effect.line] : []));
  }

  vhid(vhid = 1, name = IF): Vhid {
    const found = find(this.kernel, name, vhid);
    if (found === undefined) throw new Error(`no vhid ${vhid} on ${name}`);
    return found;
  }

  get state(): string {
    return this.vhid().state;
  }

  set(settings: Partial<Settings>, vhid = 1, name = IF): string[] {
    const known = find(this.kernel, name, vhid);
    const read: Settings = known ?? {
      advbase: 0,
      advskew: 0,
      state: 'INIT',
      peer: GROUP4,
      peer6: GROUP6,
    };
    const { advbase, advskew, state, peer, peer6 } = { ...read, ...settings };
    const all = { advbase, advskew, state, peer, peer6 };
    return this.take(setVhid(this.kernel, name, vhid, all, this.nowMs));
  }

  addresses(v4: readonly string[], v6: readonly string[], vhid = 1, name = IF): string[] {
    return this.take(setAddresses(this.kernel, name, vhid, { v4, v6 }, this.nowMs));
  }

  link(up: boolean, name = IF): string[] {
    return this.take(setLink(this.kernel, name, up, this.nowMs));
  }

  up(up: boolean, name = IF): string[] {
    return this.take(setUp(this.kernel, name, up, this.nowMs));
  }

  sysctl(name: SysctlName, value: number): string[] {
    return this.take(setSysctl(this.kernel, name, value, this.nowMs));
  }

  /** An authentic IPv4 advert of advbase 1, unless told otherwise. */
  hear(advskew: number, over: Partial<Heard> = {}): string[] {
    return this.take(hear(this.kernel, { ...advert(4, advskew), ...over }, this.nowMs));
  }

  sent(errno: number | null): string[] {
    return this.take(reportSend(this.kernel, IF, 1, errno, this.nowMs));
  }

  /** Runs the timers that are due up to `ms` from now, each at its time. */
  advance(ms: number): string[] {
    const untilMs = this.nowMs + ms;
    const said: string[] = [];
    for (;;) {
      const dueAtMs = nextTimerAtMs(this.kernel);
      if (dueAtMs === null || dueAtMs > untilMs) break;
      this.nowMs = dueAtMs;
      said.push(
        ...this.take(runTimers(this.kernel, dueAtMs)).map((one) => `${dueAtMs} ms: ${one}`),
      );
    }
    this.nowMs = untilMs;
    return said;
  }
}

const advert = (family: Family, advskew: number): Heard => ({
  interface: IF,
  vhid: 1,
  family,
  advbase: 1,
  advskew,
  authentic: true,
});

function words(effect: Effect): string {
  switch (effect.kind) {
    case 'state':
      return `${effect.vhid}@${effect.interface} ${effect.from} -> ${effect.to}: ${effect.reason}`;
    case 'advert':
      return `advert ${effect.vhid}@${effect.interface} ${effect.advbase}/${effect.advskew} on ${effect.families.map((one) => `IPv${one}`).join(' ')}`;
    case 'announce':
      return `announce ${effect.vhid}@${effect.interface}`;
    case 'log':
      return effect.line;
  }
}

/** A host whose vhid 1 is BACKUP since 0 ms, with one IPv4 VIP. */
export function backup({
  release = 14,
  preempt = false,
  advbase = 1,
  advskew = 0,
  v4 = [VIP4],
  v6 = [],
}: Start = {}): Scene {
  const scene = new Scene(release, preempt);
  scene.set({ advbase, advskew });
  scene.addresses(v4, v6);
  return scene;
}

/** The same host, MASTER since 0 ms by the administrator's word. */
export function master(start: Start = {}): Scene {
  const scene = backup(start);
  scene.set({ state: 'MASTER' });
  return scene;
}
