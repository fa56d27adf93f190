import type { Kernel } from './kernel.ts';

/** One FreeBSD host as its tools see it: the kernel and what ifconfig prints besides. */
export interface Host {
  readonly kernel: Kernel;
  readonly interfaces: readonly HostInterface[];
  /** carp.ko is loaded. */
  readonly module: boolean;
  /** Keys by VHID@IF: the password, and behind a zero what is left of a longer one before it. */
  readonly keys: Readonly<Record<string, string>>;
}

export interface HostInterface {
  /** As FreeBSD calls it. */
  readonly name: string;
  readonly mac: string;
  /** The host's own, without VIPs. */
  readonly addresses: readonly { readonly address: string; readonly length: number }[];
}
