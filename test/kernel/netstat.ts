import type { Kernel } from './kernel.ts';

/**
 * What `netstat -s -p carp` prints: carp_stats() of FreeBSD's
 * usr.bin/netstat/inet.c. Nothing where the module is not loaded. The three
 * counters that stay 0 are those this kernel has no way to raise.
 */
export function netstatText({ received, sent }: Kernel): string {
  const s = (count: number): string => (count === 1 ? '' : 's');
  const packets = (count: number, what: string): string => `${count} packet${s(count)} ${what}`;
  const { badSum, badVersion } = received;
  const lines = [
    packets(received.v4, 'received (IPv4)'),
    packets(received.v6, 'received (IPv6)'),
    `\t${packets(received.badTtl, 'discarded for wrong TTL')}`,
    `\t${packets(0, 'shorter than header')}`,
    `\t${badSum} discarded for bad checksum${s(badSum)}`,
    `\t${badVersion} discarded packet${s(badVersion)} with a bad version`,
    `\t${received.tooShort} discarded because packet too short`,
    `\t${received.badAuth} discarded for bad authentication`,
    `\t${received.badVhid} discarded for bad vhid`,
    '\t0 discarded because of a bad address list',
    packets(sent.v4, 'sent (IPv4)'),
    packets(sent.v6, 'sent (IPv6)'),
    '\t0 send failed due to mbuf memory error',
  ];
  return `carp:\n${lines.map((line) => `\t${line}\n`).join('')}`;
}
