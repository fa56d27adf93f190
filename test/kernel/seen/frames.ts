import { virtualMac, type ArpFrame } from '../arp.ts';
import type { Host } from '../host.ts';
import { find, type Family, type Vhid } from '../kernel.ts';
import { isAuthentic, sealed } from '../packets.ts';
import { ipv4Packet, ipv6Packet, readAdvert } from '../wire.ts';

/** What of a simulated host its frames tell. */
interface Sender {
  readonly name: string;
  readonly interface: string;
  readonly kernel: Host['kernel'];
  readonly shell: { readonly host: Pick<Host, 'keys'> };
  /** The counter of the last advert heard or sent; null where it was not seen. */
  counter: bigint | null;
  /** Where its adverts come from. */
  source(family: Family): string;
}

/** A frame that a simulated host sent and that nobody has heard yet. */
export type Frame<S extends Sender = Sender> = { readonly madeMs: number; readonly by: S } & (
  | {
      readonly kind: 'advert';
      readonly family: Family;
      readonly vhid: number;
      readonly advbase: number;
      readonly advskew: number;
      /** Null where what it follows was not seen. */
      readonly counter: bigint | null;
    }
  | { readonly kind: 'arp'; readonly arp: ArpFrame }
);

/** What the sniffer of the traces took for the password and the addresses. */
export interface Sniffer {
  readonly key: string;
  readonly vips: readonly string[];
}

export const vipsOf = ({ vips4, vips6 }: Vhid): string[] => [...vips4, ...vips6];

export const keyOf = (host: Sender, vhid: number): string =>
  host.shell.host.keys[`${vhid}@${host.interface}`] ?? '';

export function payloadOf(
  { by, vhid, advbase, advskew }: Extract<Frame, { readonly kind: 'advert' }>,
  counter: bigint,
): Buffer {
  const one = find(by.kernel, by.interface, vhid);
  const vips = one === undefined ? [] : vipsOf(one);
  return sealed(keyOf(by, vhid), vips, { vhid, advbase, advskew, counter });
}

/** The frame as the sniffer writes it, out of the bytes that the simulated wire carries. */
export function wordsOf(frame: Frame, counter: bigint, sniffer: Sniffer): string {
  if (frame.kind === 'arp') {
    const { op, senderMac, senderIp, etherSource, etherTo } = frame.arp;
    return `op=${op} ip=${senderIp} sha=${senderMac} mac=${etherSource} dmac=${etherTo}`;
  }
  const { by, family, vhid } = frame;
  const payload = payloadOf(frame, counter);
  const from = by.source(family);
  const packet = (family === 4 ? ipv4Packet : ipv6Packet)(from, payload);
  const byte = (at: number): number => packet[at] ?? 0;
  const read = readAdvert(payload);
  if (typeof read === 'string') return read;
  const [to, dmac] =
    family === 4 ? ['224.0.0.18', '01:00:5e:00:00:12'] : ['ff02::12', '33:33:00:00:00:12'];
  const ttl = family === 4 ? byte(8) : byte(7);
  const tos = family === 4 ? byte(1) : ((byte(0) & 0x0f) << 4) | (byte(1) >> 4);
  const df = family === 4 && (byte(6) & 0x40) !== 0;
  const isRight = isAuthentic(sniffer.key, sniffer.vips, read);
  return [
    `vhid=${read.vhid} base=${read.advbase} skew=${read.advskew} from=${from} to=${to}`,
    `mac=${virtualMac(vhid)} dmac=${dmac} ttl=${ttl} tos=0x${tos.toString(16)}`,
    `df=${df ? 'True' : 'False'} len=${payload.length} b0=0x${(payload[0] ?? 0).toString(16)}`,
    `alen=${payload[3]} pad=${payload[4]} hmac=${isRight ? 'OK' : 'BAD'}`,
  ].join(' ');
}
