import { CommandError, type Exec } from '../sys/exec.ts';
import type { Received } from '../core/model.ts';
import { parseCarpStatistics } from './netstat.ts';
import { directActs, VRRP_TOP, type CarpActs, type CarpChange, type KnownVhid } from './acts.ts';
import {
  IfconfigError,
  parseIfconfig,
  type CarpLine,
  type InterfaceLine,
  type InterfacesReading,
  type VrrpLine,
} from './ifconfig.ts';

/** carp(4)'s default of net.inet.carp.ifdown_demotion_factor. */
const DOWN_FACTOR = 240;

/** How CARP on this host could not be read or set. */
export type CarpFailure =
  | { readonly kind: 'text'; readonly line: string }
  | { readonly kind: 'module' }
  | { readonly kind: 'no-vhid'; readonly interface: string; readonly vhid: number };

export class CarpError extends Error {
  override readonly name = 'CarpError';
  readonly failure: CarpFailure;

  constructor(message: string, failure: CarpFailure, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

export interface CarpReading {
  /** VRRPv3 vhids too, their priority as advskew (VRRP_TOP). */
  readonly addresses: readonly CarpLine[];
  readonly vrrp: readonly VrrpLine[];
  /** net.inet.carp.preempt; null where sysctl does not know it. */
  readonly preempt: boolean | null;
  /** net.inet.carp.demotion: the sum of everybody's. */
  readonly demotion: number;
  /** net.inet.carp.ifdown_demotion_factor: what each vhid of a dead interface adds. */
  readonly downFactor: number;
  /** net.inet.carp.allow; null where sysctl does not know it. */
  readonly allow: boolean | null;
  readonly interfaces: readonly InterfaceLine[];
}

/** What is to be set of one vhid that the last reading showed. */
export interface VhidChange extends CarpChange {
  readonly interface: string;
  readonly vhid: number;
}

export interface CarpTools {
  readonly ifconfig: string;
  readonly sysctl: string;
  readonly kldstat: string;
  readonly netstat: string;
  readonly ngctl: string;
}

/**
 * CARP of this host through ifconfig(8), sysctl(8) and kldstat(8). Reads are
 * whole and parsed; a set names vhids that the last read showed (ifconfig
 * would create an unknown one), repeats unicast peers (14.0 forgets them), and
 * a vhid is set by one at a time, since ifconfig reads, changes and writes back
 * everything of it. A set is not proof: read again. Rejects with CarpError, or as `acts` do: with
 * CommandError where this process sets by itself.
 */
export function carp(options: {
  readonly exec: Exec;
  readonly tools: CarpTools;
  /** Who does what needs root; absent: this process. */
  readonly acts?: CarpActs;
}) {
  const { exec, tools, acts = directActs(exec, tools) } = options;
  let known: readonly KnownVhid[] = [];
  let moduleSeen = false;
  let queue: Promise<unknown> = Promise.resolve();

  const alone = <T>(task: () => Promise<T>): Promise<T> => {
    const next = queue.then(task, task);
    queue = next.catch(() => undefined);
    return next;
  };

  async function requireModule(): Promise<void> {
    if (moduleSeen) return;
    try {
      await exec(tools.kldstat, ['-q', '-m', 'carp']);
      moduleSeen = true;
    } catch (error) {
      if (!(error instanceof CommandError) || error.failure.kind !== 'exit') throw error;
      const remedy = 'kldload carp, and carp_load="YES" in /boot/loader.conf';
      throw new CarpError(`carp(4) is not loaded: ${remedy}`, { kind: 'module' }, { cause: error });
    }
  }

  function shown(name: string, vhid: number): KnownVhid {
    const line = known.find((one) => one.interface === name && one.vhid === vhid);
    if (line !== undefined) return line;
    const failure = { kind: 'no-vhid', interface: name, vhid } as const;
    throw new CarpError(`${name} does not carry vhid ${vhid}: nothing was set`, failure);
  }

  return {
    async read(): Promise<CarpReading> {
      await requireModule();
      const [text, sysctls] = await Promise.all([
        exec(tools.ifconfig, []),
        exec(tools.sysctl, ['net.inet.carp']),
      ]);
      const interfaces = understood(text);
      const values = parseSysctl(sysctls);
      const demotion = values.get('net.inet.carp.demotion');
      if (demotion === undefined) {
        const line = sysctls.split('\n')[0] ?? '';
        const message = `sysctl net.inet.carp named no demotion: "${line}"`;
        throw new CarpError(message, { kind: 'text', line });
      }
      const addresses = [...interfaces.carp, ...interfaces.vrrp.map((line) => asCarp(line))];
      known = addresses.map((line, at) => ({ ...line, isVrrp: at >= interfaces.carp.length }));
      const flag = (name: string): boolean | null => {
        const value = values.get(`net.inet.carp.${name}`);
        return value === undefined ? null : value !== 0;
      };
      return {
        addresses,
        vrrp: interfaces.vrrp,
        preempt: flag('preempt'),
        demotion,
        downFactor: values.get('net.inet.carp.ifdown_demotion_factor') ?? DOWN_FACTOR,
        allow: flag('allow'),
        interfaces: interfaces.interfaces,
      };
    },

    /**
     * Many vhids in one call, each one command: the kernel stores advskew before it acts on state,
     * so both are one act. One that fails keeps no other from being set.
     */
    set(changes: readonly VhidChange[]): Promise<void> {
      return alone(async () =>
        acts.set(
          changes.map(({ interface: name, vhid, ...change }) => ({
            vhid: shown(name, vhid),
            change,
          })),
        ),
      );
    },

    /** Advert counters of the host; null where netstat(1) does not print them. */
    async received(): Promise<Received | null> {
      const all = parseCarpStatistics(await exec(tools.netstat, ['-s', '-p', 'carp']));
      return all === null ? null : { v4: all.received4, v6: all.received6, badAuth: all.badAuth };
    },

    /** False: fenced on a lease that the host undoes by itself. True: not fenced. */
    allow: (on: boolean): Promise<void> => alone(() => acts.allow(on)),

    advertise: (): Promise<void> => alone(() => acts.advertise()),

    /** Sets nothing, so that it need not wait for what does. */
    tell: acts.tell,
  };
}

/** A VRRP line in CARP's words; its interval in whole seconds, as advbase is. */
const asCarp = ({ vrid, priority, interval, ...line }: VrrpLine): CarpLine => ({
  ...line,
  vhid: vrid,
  advbase: Math.max(1, Math.ceil(interval / 100)),
  advskew: VRRP_TOP - priority,
  peer: null,
  peer6: null,
});

function understood(text: string): InterfacesReading {
  try {
    return parseIfconfig(text);
  } catch (error) {
    if (!(error instanceof IfconfigError)) throw error;
    throw new CarpError(error.message, { kind: 'text', line: error.line }, { cause: error });
  }
}

/** `name: value` lines of sysctl(8); values that are no numbers (net.inet.carp.stats) are left out. */
export function parseSysctl(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([\w.]+): (-?\d+)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  return values;
}
