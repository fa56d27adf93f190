import { isIPv4 } from 'node:net';
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

const HEADS = [
  ['Internet:', 'Destination        Gateway            Flags     Netif Expire', 19],
  [
    'Internet6:',
    'Destination                       Gateway                       Flags     Netif Expire',
    34,
  ],
] as const;

/** What `netstat -rn` prints of default routes, columns as on 13.2. */
export function routesText(gateways: readonly string[], name: string): string {
  const tables = HEADS.map(([title, head, width], at) => {
    const own = gateways.filter((one) => isIPv4(one) === (at === 0));
    const rows = own.map((one) => `${'default'.padEnd(width)}${one.padEnd(width)}UGS      ${name}`);
    return [title, head, ...rows].join('\n');
  });
  return `Routing tables\n\n${tables.join('\n\n')}\n`;
}
