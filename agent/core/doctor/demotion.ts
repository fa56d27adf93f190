/** What net.inet.carp.demotion is the sum of, as far as it can be known. */
export interface Demotion {
  /** net.inet.carp.demotion */
  readonly demotion: number;
  /** net.inet.carp.ifdown_demotion_factor */
  readonly downFactor: number;
  /** Vhids of this host in INIT, whosever they are; a fence puts all of them there. */
  readonly inInit: number;
}

/**
 * What of the demotion no vhid in INIT explains; 0: nothing. Each vhid of an
 * interface that is down adds the factor, one without an address adds none
 * (carp_sc_state() in FreeBSD sys/netinet/ip_carp.c). Left over is what send
 * errors, pfsync or a program added: a MASTER that could not send and has become
 * BACKUP sends nothing, and so never takes it back.
 */
export function unexplained({ demotion, downFactor, inInit }: Demotion): number {
  const times = downFactor > 0 ? Math.floor(Math.max(0, demotion) / downFactor) : 0;
  return demotion - Math.min(inInit, times) * downFactor;
}

/** The line that takes it back: a set of this sysctl adds. */
export const undoDemotion = (left: number): string => `sysctl net.inet.carp.demotion=${-left}`;
