/** The CARP counters of a host since it was booted, packets each. */
export interface CarpCounters {
  readonly received4: number;
  readonly received6: number;
  readonly badTtl: number;
  readonly badChecksum: number;
  readonly badVersion: number;
  readonly tooShort: number;
  /** Another password, or another list of addresses. */
  readonly badAuth: number;
  readonly unknownVhid: number;
  readonly badAddressList: number;
  readonly sent4: number;
  readonly sent6: number;
  /** No memory for one; those that pf or an interface refuses are not in it (carp_send_ad_error only demotes). */
  readonly sendFailed: number;
}

// carp_stats(), FreeBSD usr.bin/netstat/inet.c: plurals as in "1 packet", "2 packets" and
// "discarded for bad checksums". The order is not relied on.
const LINES: Readonly<Record<keyof CarpCounters, RegExp>> = {
  received4: /^\s*(\d+) packets? received \(IPv4\)$/m,
  received6: /^\s*(\d+) packets? received \(IPv6\)$/m,
  badTtl: /^\s*(\d+) packets? discarded for wrong TTL$/m,
  badChecksum: /^\s*(\d+) (?:packets? )?discarded for bad checksums?$/m,
  badVersion: /^\s*(\d+) (?:discarded packets?|packets? discarded) with a bad version$/m,
  tooShort: /^\s*(\d+) discarded because packet (?:was )?too short$/m,
  badAuth: /^\s*(\d+) (?:packets? )?discarded for bad authentication$/m,
  unknownVhid: /^\s*(\d+) (?:packets? )?discarded for (?:bad|unknown) vhid$/m,
  badAddressList: /^\s*(\d+) (?:packets? )?discarded because of a bad address list$/m,
  sent4: /^\s*(\d+) packets? sent \(IPv4\)$/m,
  sent6: /^\s*(\d+) packets? sent \(IPv6\)$/m,
  sendFailed: /^\s*(\d+) send failed due to mbuf memory error$/m,
};

/** Everything of `netstat -s -p carp`; null where a counter is missing: without the module it prints nothing. */
export function parseCarpStatistics(text: string): CarpCounters | null {
  const counts: Partial<Record<string, number>> = {};
  for (const [name, pattern] of Object.entries(LINES)) {
    const count = pattern.exec(text)?.[1];
    if (count === undefined) return null;
    counts[name] = Number(count);
  }
  return counts as unknown as CarpCounters;
}
