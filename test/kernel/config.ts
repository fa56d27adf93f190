import { randomInt } from 'node:crypto';
import type { Host } from './host.ts';
import { newKernel, type Release } from './kernel.ts';
import { keyAfter } from './key.ts';

/** What one host's kernel is started with; rc.conf's part is replayed at `reboot`. */
export interface HostConfig {
  readonly freebsd: Release;
  readonly preempt: boolean;
  /** kern.timecounter.alloweddeviation; absent: 5, as hosts have it. Null: timers end on the microsecond. */
  readonly deviation?: number | null;
  /** The VIPs are addresses of the host in every state, as on FreeBSD: packets on its own MAC are answered. */
  readonly holds?: boolean;
  /** Default gateways, as `netstat -rn` shows them; on the first interface. */
  readonly gateways?: readonly string[];
  /** A short directory of its own for sockets, texts and stand-ins. */
  readonly runtime: string;
  readonly interfaces: readonly {
    /** As FreeBSD calls it. */
    readonly name: string;
    /** As Linux calls it. */
    readonly device: string;
    /** ADDRESS/LENGTH, of the host itself. */
    readonly addresses: readonly string[];
    readonly vhids: readonly {
      readonly vhid: number;
      readonly advbase: number;
      readonly advskew: number;
      readonly pass: string;
      readonly vips: readonly string[];
    }[];
  }[];
}

/** The host as it boots: carp.ko is loaded and knows its passwords, no vhid is made yet. */
export function bootedHost(config: HostConfig): Host {
  const { deviation = 5 } = config;
  // Each boot throws its own dice.
  const lateness = deviation === null ? null : { deviation, seed: randomInt(1, 2 ** 31) };
  const names = config.interfaces.map(({ name }) => name);
  return {
    kernel: { ...newKernel(config.freebsd, config.preempt, names), lateness },
    interfaces: config.interfaces.map(({ name, addresses }, at) => ({
      name,
      mac: `58:9c:fc:00:${(at + 1).toString(16).padStart(2, '0')}:01`,
      addresses: addresses.map((one) => {
        const [address = '', length = '0'] = one.split('/');
        return { address, length: Number(length) };
      }),
    })),
    module: true,
    keys: Object.fromEntries(
      config.interfaces.flatMap(({ name, vhids }) =>
        vhids.map(({ vhid, pass }) => [`${vhid}@${name}`, keyAfter('', pass)]),
      ),
    ),
  };
}
