import { createHmac } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { PacketFault } from './kernel.ts';

/** The 36 bytes of a CARP header (FreeBSD sys/netinet/ip_carp.h, struct carp_header). */
export interface Advert {
  readonly vhid: number;
  /** As advertised: demoted and clamped. */
  readonly advskew: number;
  readonly advbase: number;
  readonly counter: bigint;
  /** HMAC-SHA1, 20 bytes. */
  readonly digest: Buffer;
}

export const CARP_PROTOCOL = 112;
const HEADER_LENGTH = 36;
const VERSION_AND_TYPE = 0x21;

/**
 * HMAC-SHA1 over version, type, vhid, the IPv4 VIPs ascending, the IPv6 VIPs
 * ascending, and the counter; advskew and advbase are not covered
 * (carp_hmac_prepare, carp_hmac_generate). The key is the
 * 20 bytes of the kernel (key.ts).
 */
export function advertDigest(
  key: string,
  vhid: number,
  vips: readonly string[],
  counter: bigint,
): Buffer {
  const tail = Buffer.alloc(8);
  tail.writeBigUInt64BE(counter);
  const bytes = vips.map((vip) => (isIPv4(vip) ? ipv4Bytes(vip) : ipv6Bytes(vip)));
  const sorted = bytes.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  return createHmac('sha1', Buffer.from(key, 'latin1').subarray(0, 20))
    .update(Buffer.from([2, 1, vhid]))
    .update(Buffer.concat(sorted))
    .update(tail)
    .digest();
}

export function encodeAdvert(advert: Advert): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.set([VERSION_AND_TYPE, advert.vhid, advert.advskew, 7, 0, advert.advbase]);
  header.writeBigUInt64BE(advert.counter, 8);
  advert.digest.copy(header, 16);
  header.writeUInt16BE(checksum(header), 6);
  return header;
}

/**
 * The advert in a protocol 112 payload, or what is wrong with it, by the
 * checks of carp_input: neither the type nor authlen is one of them.
 */
export function readAdvert(payload: Buffer): Advert | PacketFault {
  if (payload.length < HEADER_LENGTH) return 'tooShort';
  if (payload.readUInt8(0) >> 4 !== VERSION_AND_TYPE >> 4) return 'badVersion';
  if (checksum(payload) !== 0) return 'badSum';
  return {
    vhid: payload.readUInt8(1),
    advskew: payload.readUInt8(2),
    advbase: payload.readUInt8(5),
    counter: payload.readBigUInt64BE(8),
    digest: Buffer.from(payload.subarray(16, HEADER_LENGTH)),
  };
}

/** RFC 1071 over the bytes given; 0 over bytes that carry their right checksum. */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** A whole IPv4 packet to 224.0.0.18: TTL 255, don't fragment, DSCP 56. */
export function ipv4Packet(source: string, payload: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.set([0x45, 0xe0]);
  head.writeUInt16BE(20 + payload.length, 2);
  head.writeUInt16BE(0x4000, 6);
  head.set([255, CARP_PROTOCOL], 8);
  ipv4Bytes(source).copy(head, 12);
  ipv4Bytes('224.0.0.18').copy(head, 16);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, payload]);
}

/** A whole IPv6 packet to ff02::12, hop limit 255. */
export function ipv6Packet(source: string, payload: Buffer): Buffer {
  const head = Buffer.alloc(40);
  head.set([0x6e, 0x00]);
  head.writeUInt16BE(payload.length, 4);
  head.set([CARP_PROTOCOL, 255], 6);
  ipv6Bytes(source).copy(head, 8);
  ipv6Bytes('ff02::12').copy(head, 24);
  return Buffer.concat([head, payload]);
}

/** The frame in which an IPv6 advert of a vhid leaves: from the virtual MAC to the group's. */
export const advertFrame6 = (vhid: number, source: string, payload: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('333300000012', 'hex'),
    Buffer.from([0, 0, 0x5e, 0, 1, vhid, 0x86, 0xdd]),
    ipv6Packet(source, payload),
  ]);

/** What an IPv4 raw socket hands over: the packet with its header. */
export function ipv4Payload(packet: Buffer): Buffer | PacketFault {
  const length = ((packet[0] ?? 0) & 0x0f) * 4;
  if (length < 20 || packet.length < length) return 'tooShort';
  return packet[8] === 255 ? packet.subarray(length) : 'badTtl';
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** The 16 bytes of an IPv6 address, its scope left out. */
export function ipv6Bytes(address: string): Buffer {
  const [left = '', right] = (address.split('%')[0] ?? '').split('::');
  const words = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const tail = right === undefined ? [] : words(right);
  const head = words(left);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [at, part] of [...head, ...zeros, ...tail].entries())
    bytes.writeUInt16BE(Number.parseInt(part, 16), at * 2);
  return bytes;
}
