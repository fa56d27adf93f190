import { isIPv6, SocketAddress } from 'node:net';

/** An answer as ping(8) prints it. */
export interface PingReply {
  readonly address: string;
  readonly sequence: number;
  readonly tookMs: number;
}

/**
 * One line of ping(8) with `-n`: `64 bytes from 192.0.2.1: icmp_seq=0 ttl=64 time=0.045 ms`
 * (FreeBSD sbin/ping/ping.c, iputils), `16 bytes from 2001:db8::1, icmp_seq=0 hlim=64 time=0.2 ms`
 * (FreeBSD sbin/ping/ping6.c). Null for every other line: headings, what routers say, a second
 * answer to the same probe.
 */
export function parseReply(line: string): PingReply | null {
  const [, address, sequence, took] =
    /^\d+ bytes from ([\da-f.:]+)(?:%\w+)?[:,] icmp_seq=(\d+) (?:ttl|hlim)=\d+ time=([\d.]+) ms\r?$/i.exec(
      line,
    ) ?? [];
  if (address === undefined) return null;
  return { address, sequence: Number(sequence), tookMs: Number(took) };
}

/** The two write one address. */
export const isSameAddress = (a: string, b: string): boolean =>
  a === b || (isIPv6(a) && isIPv6(b) && canonical(a) === canonical(b));

/** As inet_ntop(3) writes it, without a zone. */
const canonical = (address: string): string =>
  new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' }).address;
