import { isAuthentic } from '../kernel/packets.ts';
import { ipv4Payload, readAdvert, type Advert } from '../kernel/wire.ts';
import { start, type Program } from './carp-hosts.ts';

/** What a client on the switch sees of CARP, ARP and neighbour discovery. */
export type Frame =
  | {
      readonly kind: 'advert';
      readonly family: 4 | 6;
      readonly from: string;
      readonly to: string;
      readonly advert: Advert;
    }
  | {
      readonly kind: 'arp';
      readonly from: string;
      readonly op: 'request' | 'reply';
      readonly sender: string;
      readonly target: string;
    }
  | {
      readonly kind: 'na';
      readonly from: string;
      readonly override: boolean;
      readonly target: string;
    };

/** perl without modules: every frame of the namespace's devices as hexadecimal digits, one a line. */
const SNIFFER = `$|=1; socket(S,17,3,unpack("S",pack("n",3))) or die "socket: $!\\n"; print "listening\\n";
while (defined recv(S,$p,2048,0)) { print unpack("H*",$p),"\\n" }`;

export async function capture(namespace: string): Promise<{
  readonly frames: () => Frame[];
  readonly program: Program;
}> {
  const program = start(namespace, ['perl', '-e', SNIFFER]);
  await program.line(/^listening$/, 5000);
  const frames = (): Frame[] =>
    program.lines.flatMap((line) => {
      const frame = /^[0-9a-f]{28,}$/.test(line) ? parse(Buffer.from(line, 'hex')) : null;
      return frame === null ? [] : [frame];
    });
  return { frames, program };
}

const mac = (bytes: Buffer): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');

function parse(frame: Buffer): Frame | null {
  const from = mac(frame.subarray(6, 12));
  const to = mac(frame.subarray(0, 6));
  const packet = frame.subarray(14);
  switch (frame.readUInt16BE(12)) {
    case 0x0800: {
      const payload = packet[9] === 112 ? ipv4Payload(packet) : 'other';
      return typeof payload === 'string' ? null : carp(4, from, to, payload);
    }
    case 0x86dd:
      if (packet[6] === 112 && packet[7] === 255) return carp(6, from, to, packet.subarray(40));
      return packet[6] === 58 && packet[40] === 136 ? neighbour(from, packet.subarray(40)) : null;
    case 0x0806: {
      const op = packet.readUInt16BE(6) === 1 ? 'request' : 'reply';
      const [sender, target] = [packet.subarray(14, 18), packet.subarray(24, 28)];
      return { kind: 'arp', from, op, sender: sender.join('.'), target: target.join('.') };
    }
    default:
      return null;
  }
}

function carp(family: 4 | 6, from: string, to: string, payload: Buffer): Frame | null {
  const advert = readAdvert(payload);
  return typeof advert === 'string' ? null : { kind: 'advert', family, from, to, advert };
}

/** A neighbour advertisement (RFC 4861): its flags, and whom it is about as 32 digits. */
const neighbour = (from: string, icmp: Buffer): Frame => ({
  kind: 'na',
  from,
  override: ((icmp[4] ?? 0) & 0x20) !== 0,
  target: icmp.subarray(8, 24).toString('hex'),
});

/** The adverts among them whose HMAC is right. */
export const adverts = (
  frames: readonly Frame[],
  key: string,
  vips: readonly string[],
): Extract<Frame, { kind: 'advert' }>[] =>
  frames.flatMap((one) =>
    one.kind === 'advert' && isAuthentic(key, vips, one.advert) ? [one] : [],
  );
