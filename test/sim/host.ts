import type { NodeReport } from '../../agent/core/model.ts';
import {
  getVhid,
  hear,
  runTimers,
  setAddresses,
  setLink,
  setSysctl,
  setVhid,
  type Heard,
  type Settings,
} from '../kernel/acts.ts';
import { keyAfter } from '../kernel/key.ts';
import { nextTimerAtMs, type Change, type Kernel } from '../kernel/kernel.ts';
import { Agent } from './agent.ts';
import { SimDisk } from './disk.ts';
import { INTERFACE } from './interface.ts';
import { Haproxy } from './haproxy.ts';
import type { HostClock } from './host-clock.ts';
import { bootedKernel } from './rc-conf.ts';
import type { Happening } from './queue.ts';
import type { World } from './world.ts';

/** The host undoes a fence by itself this long after the last renewal, ms. */
const LEASE_MS = 3000;

/** One FreeBSD host: its kernel's carp(4), its HAProxy, its disk and its agent. */
export class Host {
  readonly world: World;
  readonly name: string;
  readonly at: number;
  readonly clock: HostClock;
  readonly disk: SimDisk;
  readonly haproxy: Haproxy;
  kernel: Kernel;
  agent: Agent | null = null;
  up = true;
  linkUp = true;
  /** The password of every vhid in rc.conf, and in the kernel as that keeps it. */
  rcPassword = 'secret';
  key = 'secret';
  /** The whole machine stands still. */
  paused = false;
  /** Added to every ifconfig, ms: a machine under load. */
  slowMs = 0;
  /** devd(8) is not there: the agent has to poll. */
  deaf = false;
  /** Which start of the machine this is. */
  boot = 1;
  /** What a restored disk holds: as of when the hosts had come up. */
  backup: ReadonlyMap<string, string> = new Map();
  /** Promotions by ifconfig; not `meant` where it wrote back a state that it had read before. */
  readonly forced: { atMs: number; vhid: number; meant: boolean }[] = [];
  /** Vhids whose advskew an administrator set by hand. */
  readonly byHand = new Set<number>();
  #meant = false;
  #timer: Happening | null = null;
  #lease: Happening | null = null;
  #pausedWork: (() => void)[] = [];

  constructor(world: World, name: string, at: number) {
    this.world = world;
    this.name = name;
    this.at = at;
    const { random } = world;
    this.clock = {
      monotonicMs: Math.round(random.between(1_000, 1_000_000)),
      wallMs: 1_700_000_000_000 + Math.round(random.between(-400, 400)),
    };
    this.disk = new SimDisk(world, name);
    this.haproxy = new Haproxy(world, name);
    this.kernel = bootedKernel(world.options, at, world.nowMs);
  }

  get address(): string {
    return `192.0.2.${11 + this.at}`;
  }

  say(text: string): void {
    this.world.story.say(this.name, text);
  }

  state(vhid = 1): 'INIT' | 'BACKUP' | 'MASTER' {
    const found = this.kernel.vhids.find((one) => one.vhid === vhid);
    return this.up ? (found?.state ?? 'INIT') : 'INIT';
  }

  advskew(vhid = 1): number {
    return this.kernel.vhids.find((one) => one.vhid === vhid)?.advskew ?? -1;
  }

  base(vhid = 1): number {
    return this.world.options.vhids.find((one) => one.vhid === vhid)?.advskew[this.at] ?? 0;
  }

  isMaster = (vhid = 1): boolean => this.up && this.state(vhid) === 'MASTER';

  report(): NodeReport | null {
    return this.agent?.loop?.report() ?? null;
  }

  /** The interface comes up with its addresses: INIT to BACKUP. */
  configure(): void {
    for (const { vhid, vips4, vips6 } of this.world.options.vhids)
      this.apply(
        setAddresses(this.kernel, INTERFACE, vhid, { v4: vips4, v6: vips6 }, this.world.nowMs),
      );
  }

  /** Takes over what the kernel became, and lets the world see what it did. */
  apply({ kernel, effects }: Change): void {
    this.kernel = kernel;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'advert':
          if (this.linkUp) this.world.network.advert(this, effect, effect.families);
          break;
        case 'state':
          this.say(`kernel: vhid ${effect.vhid} ${effect.from} -> ${effect.to} (${effect.reason})`);
          if (effect.to === 'MASTER' && effect.reason.startsWith('user'))
            this.forced.push({ atMs: this.world.nowMs, vhid: effect.vhid, meant: this.#meant });
          this.world.changed();
          if (!this.deaf)
            this.world.in(this.world.random.delay(0.5, 8), () => this.agent?.carpChanged());
          break;
        case 'announce':
        case 'log':
          break;
      }
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) this.#timer.cancelled = true;
    this.#timer = null;
    if (!this.up || this.paused) return;
    const dueMs = nextTimerAtMs(this.kernel);
    if (dueMs === null) return;
    // tvtohz(): rounded up to ticks, and one more.
    const inMs = Math.max(0, dueMs - this.world.nowMs) + this.world.random.between(1, 2);
    this.#timer = this.world.in(inMs, () => this.apply(runTimers(this.kernel, this.world.nowMs)));
  }

  hear(heard: Heard): void {
    if (!this.up || this.paused || !this.linkUp) return;
    this.apply(hear(this.kernel, heard, this.world.nowMs));
  }

  setLink(up: boolean): void {
    if (this.linkUp === up || !this.up) return;
    this.linkUp = up;
    this.say(`link ${up ? 'up' : 'down'}`);
    this.apply(setLink(this.kernel, INTERFACE, up, this.world.nowMs));
  }

  /** Does something on this host a little later, unless it is gone or starts anew by then. */
  onHost(ms: number, work: () => void): void {
    const { boot } = this;
    this.world.in(ms, () => {
      if (!this.up || this.boot !== boot) return;
      if (this.paused) this.#pausedWork.push(work);
      else work();
    });
  }

  /** ifconfig(8) as it is: reads all of a vhid, changes it, writes all of it back a moment later. */
  ifconfig(
    vhid: number,
    change: Partial<Settings>,
    done: () => void,
    by = 'ifconfig',
    limitMs = Infinity,
  ): void {
    const { random } = this.world;
    const getMs = random.delay(0.8, 4) + this.slowMs * random.between(0, 0.5);
    const setMs = getMs + random.delay(0.2, 2) + this.slowMs * random.between(0, 0.5);
    // Whoever started it kills it when it takes too long.
    if (setMs > limitMs) return;
    let read: Settings | null = null;
    this.onHost(getMs, () => {
      read = getVhid(this.kernel, INTERFACE, vhid);
    });
    this.onHost(setMs, () => {
      if (read !== null) {
        const words = Object.entries(change).map(([name, value]) => `${name} ${value}`);
        this.say(`${by}: vhid ${vhid} ${words.join(' ')}`);
        const settings = { ...read, ...change };
        this.#meant = change.state === 'MASTER';
        this.apply(setVhid(this.kernel, INTERFACE, vhid, settings, this.world.nowMs));
        this.world.changed();
      }
      this.onHost(random.delay(0.2, 2), done);
    });
  }

  /** `ifconfig IF vhid N pass WORD`, of every vhid; rc.conf stays as it is. */
  typePassword(word: string): void {
    this.say('ifconfig: another password');
    this.key = keyAfter(this.key, word);
  }

  sysctl(name: 'demotion' | 'allow' | 'preempt', value: number): void {
    if (name === 'allow' && this.kernel.allow !== value)
      this.say(`sysctl: net.inet.carp.allow=${value}`);
    this.apply(setSysctl(this.kernel, name, value, this.world.nowMs));
    this.world.changed();
  }

  /** Adds to net.inet.carp.demotion, as a send error does; gone with a reboot. */
  demote(by: number): void {
    if (!this.up || this.kernel.demotion + by < 0) return;
    this.say(`demotion ${by > 0 ? '+' : ''}${by}`);
    this.sysctl('demotion', by);
  }

  /** The lease of a fence: a process of the host lifts it, whatever becomes of the agent. */
  lease(on: boolean): void {
    if (this.#lease !== null) this.#lease.cancelled = true;
    this.#lease = null;
    if (!on) return;
    const { boot } = this;
    this.#lease = this.world.in(LEASE_MS, () => {
      if (!this.up || this.boot !== boot) return;
      this.say('the lease of the fence is over');
      this.sysctl('allow', 1);
    });
  }

  /** Power is gone. */
  crash(): void {
    if (!this.up) return;
    this.say('host: crash');
    this.agent?.kill('crash');
    this.agent = null;
    this.up = false;
    this.lease(false);
    this.#pausedWork = [];
    this.paused = false;
    this.haproxy.stop('crash');
    this.#arm();
    this.world.changed();
  }

  /** Boots: CARP first, HAProxy and the agent as they come up. */
  start(haproxyMs = 0, agentMs = 0): void {
    if (this.up) return;
    this.boot++;
    this.up = true;
    this.linkUp = true;
    this.clock.monotonicMs = -this.world.nowMs + this.world.random.between(5_000, 20_000);
    this.say('host: starts');
    this.kernel = bootedKernel(this.world.options, this.at, this.world.nowMs);
    this.key = keyAfter('', this.rcPassword);
    this.configure();
    this.onHost(haproxyMs, () => {
      this.world.troubled();
      this.haproxy.start();
    });
    this.onHost(agentMs, () => this.startAgent());
    this.world.changed();
  }

  startAgent(): void {
    if (!this.up || this.agent !== null) return;
    this.world.troubled();
    this.agent = new Agent(this);
    void this.agent.start();
    this.world.stirred();
  }

  /** kill -9, or a clean stop that says goodbye. */
  endAgent(how: 'kill' | 'stop'): void {
    const { agent } = this;
    if (agent === null) return;
    if (how === 'kill') {
      agent.kill('kill');
      this.agent = null;
      return;
    }
    agent.stop(() => {
      if (this.agent === agent) this.agent = null;
    });
  }

  /** The machine stands still (a virtual machine paused): nothing runs, nothing is heard. */
  setPaused(paused: boolean): void {
    if (this.paused === paused || !this.up) return;
    this.paused = paused;
    this.say(paused ? 'host: stands still' : 'host: goes on');
    if (paused) {
      this.agent?.process.stop();
      this.#arm();
      return;
    }
    this.apply(runTimers(this.kernel, this.world.nowMs));
    for (const work of this.#pausedWork.splice(0)) work();
    this.agent?.process.resume();
  }
}
