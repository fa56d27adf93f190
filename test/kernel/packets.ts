import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readArp, type ArpFrame } from './arp.ts';
import type { Family, PacketFault } from './kernel.ts';
import { advertDigest, encodeAdvert, ipv4Packet, ipv4Payload, ipv6Packet } from './wire.ts';
import { readAdvert, type Advert } from './wire.ts';

/** A packet of protocol 112 as it came in. */
export interface Arrival {
  readonly device: string;
  readonly family: Family;
  readonly advert: Advert | PacketFault;
}

export interface Wire {
  /** Opens what is needed to send from a virtual device. */
  open(device: string): void;
  send(family: Family, device: string, source: string, payload: Buffer): void;
  /** An Ethernet frame from a physical device, as it is. */
  sendFrame(device: string, frame: Buffer): void;
}

export interface WireEvents {
  /** Every packet of protocol 112, whatever its vhid. */
  readonly onArrival: (arrival: Arrival) => void;
  readonly onArp: (device: string, frame: ArpFrame) => void;
  /** An advert left from the virtual device; or could not, with its errno. */
  readonly onSent: (device: string, errno: number | null) => void;
}

/** Raw sockets on these devices, held by a perl child. */
export async function openWire(
  devices: readonly string[],
  { onArrival, onArp, onSent }: WireEvents,
): Promise<Wire> {
  const script = fileURLToPath(new URL('../../../test/kernel/wire.pl', import.meta.url));
  const child = spawn('perl', [script, ...devices], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const [what = '', device = '', hex = ''] = line.split(' ');
    if (what === 'sent') onSent(device, Number(hex) === 0 ? null : Number(hex));
    if (what === 'arp') {
      const frame = readArp(Buffer.from(hex, 'hex'));
      if (frame !== null) onArp(device, frame);
    }
    if (what !== '4' && what !== '6') return;
    const packet = Buffer.from(hex, 'hex');
    // A Linux IPv6 raw socket hands over the payload alone.
    const payload = what === '4' ? ipv4Payload(packet) : packet;
    const advert = typeof payload === 'string' ? payload : readAdvert(payload);
    onArrival({ device, family: what === '4' ? 4 : 6, advert });
  });
  // Without raw sockets there is no CARP: the whole kernel ends with a reason on stderr.
  child.once('exit', (code) => process.exit(code ?? 1));
  await once(lines, 'line');
  return {
    open: (device) => void child.stdin.write(`open ${device}\n`),
    sendFrame: (device, frame) =>
      void child.stdin.write(`frame ${device} ${frame.toString('hex')}\n`),
    send: (family, device, source, payload) => {
      const packet = family === 4 ? ipv4Packet(source, payload) : ipv6Packet(source, payload);
      child.stdin.write(`${family} ${device} ${packet.toString('hex')}\n`);
    },
  };
}

/** One vhid's counter: fresh and random for every advert until one was received, then one more each time. */
export function counters() {
  const adopted = new Map<string, bigint>();
  return {
    next(id: string): bigint {
      const known = adopted.get(id);
      if (known === undefined) return randomBytes(8).readBigUInt64BE();
      const counter = BigInt.asUintN(64, known + 1n);
      adopted.set(id, counter);
      return counter;
    },
    /** There is no replay protection: whatever was authentic is taken over. */
    adopt: (id: string, counter: bigint): void => void adopted.set(id, counter),
  };
}

/** The payload of one advert, with its HMAC. */
export function sealed(
  key: string,
  vips: readonly string[],
  fields: Pick<Advert, 'vhid' | 'advbase' | 'advskew' | 'counter'>,
): Buffer {
  return encodeAdvert({
    ...fields,
    digest: advertDigest(key, fields.vhid, vips, fields.counter),
  });
}

export const isAuthentic = (key: string, vips: readonly string[], advert: Advert): boolean =>
  advertDigest(key, advert.vhid, vips, advert.counter).equals(advert.digest);
