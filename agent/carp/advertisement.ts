/** The virtual MAC of a vhid, which switches and neighbours are to have (sys/netinet/ip_carp.c). */
const macOf = (vhid: number): readonly number[] => [0x00, 0x00, 0x5e, 0x00, 0x01, vhid];
/** Every node of a link. */
export const ALL_NODES = 'ff02::1';
export const ICMP6 = 58;
const OVERRIDE = 0x20;

/**
 * The sixteen bytes of an IPv6 address in any of its spellings without a dot; a scope is left out.
 * What is no address gives bytes all the same: it comes from ifconfig.
 */
function bytesOf(address: string): Buffer {
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, behind] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - behind.length }, () => '0');
  const all = [...before, ...zeros, ...behind];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/**
 * An unsolicited neighbour advertisement for a VIP (RFC 4861, 4.4 and 7.2.6), 32 bytes of ICMPv6
 * without a checksum: override flag, and the virtual MAC as target link-layer address.
 */
export function advertisement(vhid: number, vip: string): Buffer {
  const head = Buffer.from([136, 0, 0, 0, OVERRIDE, 0, 0, 0]);
  return Buffer.concat([head, bytesOf(vip), Buffer.from([2, 1, ...macOf(vhid)])]);
}

/**
 * The same as a whole Ethernet frame of 86 bytes, from the link-local address `source` to all
 * nodes. The virtual MAC is its source as well, so that switches learn where it is now.
 */
export function advertisementFrame(source: string, vhid: number, vip: string): Buffer {
  const payload = advertisement(vhid, vip);
  const ethernet = Buffer.from([0x33, 0x33, 0, 0, 0, 1, ...macOf(vhid), 0x86, 0xdd]);
  const ends = Buffer.concat([bytesOf(source), bytesOf(ALL_NODES)]);
  const ipv6 = Buffer.from([0x60, 0, 0, 0, 0, payload.length, ICMP6, 255]);
  const pseudo = Buffer.from([0, 0, 0, payload.length, 0, 0, 0, ICMP6]);
  payload.writeUInt16BE(checksum(Buffer.concat([ends, pseudo, payload])), 2);
  return Buffer.concat([ethernet, ipv6, ends, payload]);
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
