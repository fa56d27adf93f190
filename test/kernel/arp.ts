import type { Vhid } from './kernel.ts';

/** An ARP frame of Ethernet and IPv4, as far as CARP shows in it. */
export interface ArpFrame {
  /** 1 asks, 2 answers. */
  readonly op: 1 | 2;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetIp: string;
  readonly etherSource: string;
  readonly etherTo: string;
}

export const virtualMac = (vhid: number): string =>
  `00:00:5e:00:01:${vhid.toString(16).padStart(2, '0')}`;

/**
 * The gratuitous requests of a vhid that became MASTER, one an IPv4 VIP (carp_send_arp): the
 * virtual MAC is in them, but they leave from the physical one. Only adverts teach a switch
 * where the virtual MAC is. For IPv6 nothing leaves: no source address can be found for it.
 */
export const announcements = (mac: string, { vhid, vips4 }: Vhid): ArpFrame[] =>
  vips4.map((vip) => ({
    op: 1,
    senderMac: virtualMac(vhid),
    senderIp: vip,
    targetIp: vip,
    etherSource: mac,
    etherTo: 'ff:ff:ff:ff:ff:ff',
  }));

/**
 * What a host that hears `frame` answers (in_arpinput). Its own addresses it answers with the
 * physical MAC, a VIP with the virtual one and only as MASTER. But a request whose sender claims
 * an address that this host carries is answered with the physical MAC, in BACKUP and INIT as
 * well: so every gratuitous request of a new MASTER gets an answer from the host before it.
 */
export function arpAnswer(
  host: { readonly mac: string; readonly own: readonly string[]; readonly vhids: readonly Vhid[] },
  frame: ArpFrame,
): ArpFrame | null {
  const { op, senderMac, senderIp, targetIp } = frame;
  if (op !== 1) return null;
  const answer = (mac: string, ip: string): ArpFrame | null =>
    // Its own words come back by the virtual MAC.
    senderMac === mac
      ? null
      : {
          op: 2,
          senderMac: mac,
          senderIp: ip,
          targetIp: senderIp,
          etherSource: host.mac,
          etherTo: senderMac,
        };
  if (host.own.includes(targetIp)) return answer(host.mac, targetIp);
  const holds = host.vhids.find(
    ({ state, vips4 }) => state === 'MASTER' && vips4.includes(targetIp),
  );
  if (holds !== undefined) return answer(virtualMac(holds.vhid), targetIp);
  const carried = [...host.own, ...host.vhids.flatMap(({ vips4 }) => vips4)];
  return carried.includes(senderIp) ? answer(host.mac, senderIp) : null;
}

/** The frame with its Ethernet header (RFC 826). */
export function arpBytes({
  op,
  senderMac,
  senderIp,
  targetIp,
  etherSource,
  etherTo,
}: ArpFrame): Buffer {
  const mac = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
  const ip = (text: string): Buffer => Buffer.from(text.split('.').map(Number));
  return Buffer.concat([
    mac(etherTo),
    mac(etherSource),
    Buffer.from([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, op]),
    mac(senderMac),
    ip(senderIp),
    op === 1 ? Buffer.alloc(6) : mac(etherTo),
    ip(targetIp),
  ]);
}

/** The frame in these bytes; null where it is no ARP of Ethernet and IPv4. */
export function readArp(bytes: Buffer): ArpFrame | null {
  if (bytes.length < 42 || bytes.readUInt32BE(12) !== 0x0806_0001) return null;
  if (bytes.readUInt32BE(16) !== 0x0800_0604) return null;
  const mac = (at: number): string =>
    (
      bytes
        .subarray(at, at + 6)
        .toString('hex')
        .match(/../g) ?? []
    ).join(':');
  const ip = (at: number): string => [...bytes.subarray(at, at + 4)].join('.');
  const op = bytes.readUInt16BE(20);
  if (op !== 1 && op !== 2) return null;
  return {
    op,
    senderMac: mac(22),
    senderIp: ip(28),
    targetIp: ip(38),
    etherSource: mac(6),
    etherTo: mac(0),
  };
}
