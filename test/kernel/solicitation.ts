import { checksum, ipv6Bytes } from './wire.ts';

/** Six bytes of a MAC as it is printed. */
const bytesOf = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');

/**
 * A neighbour solicitation (RFC 4861, 4.3) as a frame: `source` asks for `target` and says that its
 * own MAC is `mac`. A MASTER on 12.1 that has no entry for a neighbour asks so with a VIP.
 */
export function solicitation(source: string, mac: string, target: string): Buffer {
  const last = ipv6Bytes(target).subarray(13);
  const group = Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), last]);
  const icmp = Buffer.concat([
    Buffer.from([135, 0, 0, 0, 0, 0, 0, 0]),
    ipv6Bytes(target),
    Buffer.from([1, 1]),
    bytesOf(mac),
  ]);
  const ends = Buffer.concat([ipv6Bytes(source), group]);
  const pseudo = Buffer.from([0, 0, 0, icmp.length, 0, 0, 0, 58]);
  icmp.writeUInt16BE(checksum(Buffer.concat([ends, pseudo, icmp])), 2);
  const ethernet = [Buffer.from([0x33, 0x33, 0xff]), last, bytesOf(mac), Buffer.from([0x86, 0xdd])];
  const ipv6 = Buffer.from([0x60, 0, 0, 0, 0, icmp.length, 58, 255]);
  return Buffer.concat([...ethernet, ipv6, ends, icmp]);
}
