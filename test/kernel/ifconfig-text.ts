import { isIPv4 } from 'node:net';
import type { Host, HostInterface } from './host.ts';
import type { Vhid } from './kernel.ts';
import { wordOf } from './key.ts';

interface Form {
  /** -k, as root. */
  readonly keys?: boolean;
  /** -f inet:cidr. */
  readonly cidr?: boolean;
}

/** What `ifconfig` or `ifconfig IF` prints, in the form of the host's release. */
export function ifconfigText(host: Host, only: string | null = null, form: Form = {}): string {
  return host.interfaces
    .filter(({ name }) => only === null || name === only)
    .map((one) => interfaceText(host, one, form))
    .join('');
}

function interfaceText(
  host: Host,
  shown: HostInterface,
  { keys = false, cidr = false }: Form,
): string {
  const { kernel, module } = host;
  const vhids = module ? kernel.vhids.filter((one) => one.interface === shown.name) : [];
  const lines = [
    `${shown.name}: ${flagsText(host, shown.name, vhids.length > 0)} metric 0 mtu 1500`,
    `\tether ${shown.mac}`,
  ];
  for (const { address, length } of shown.addresses)
    lines.push(addressLine(address, length, '', cidr));
  for (const { vhid, vips4, vips6 } of vhids)
    for (const vip of [...vips4, ...vips6])
      lines.push(addressLine(vip, isIPv4(vip) ? 32 : 128, ` vhid ${vhid}`, cidr));
  for (const one of vhids) lines.push(...carpLines(host, one, keys));
  lines.push('\tmedia: Ethernet 10Gbase-T <full-duplex>');
  lines.push(`\tstatus: ${kernel.links[shown.name] === true ? 'active' : 'no carrier'}`);
  lines.push('\tnd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>');
  return `${lines.join('\n')}\n`;
}

function carpLines({ kernel, keys }: Host, one: Vhid, withKey: boolean): string[] {
  const { state, vhid, advbase, advskew, peer, peer6 } = one;
  const key = wordOf(keys[`${vhid}@${one.interface}`] ?? '');
  const suffix = withKey && key !== '' ? ` key "${key}"` : '';
  const line = `\tcarp: ${state} vhid ${vhid} advbase ${advbase} advskew ${advskew}${suffix}`;
  return kernel.release === 13 ? [line] : [line, `\t      peer ${peer} peer6 ${peer6}`];
}

const FLAGS = [
  ['UP', 0x1],
  ['BROADCAST', 0x2],
  ['RUNNING', 0x40],
  ['PROMISC', 0x100],
  ['SIMPLEX', 0x800],
  ['MULTICAST', 0x8000],
  ['LOWER_UP', 0x100_0000],
] as const;

/** The first vhid makes an interface promiscuous; LOWER_UP is 14.0's word for the carrier. */
function flagsText({ kernel }: Host, name: string, carp: boolean): string {
  const off = new Set<string>();
  if (kernel.down.includes(name)) off.add('UP').add('RUNNING');
  if (!carp) off.add('PROMISC');
  if (kernel.release === 13 || kernel.links[name] !== true) off.add('LOWER_UP');
  const on = FLAGS.filter(([word]) => !off.has(word));
  const bits = on.reduce((sum, [, bit]) => sum | bit, 0);
  return `flags=${bits.toString(16)}<${on.map(([word]) => word).join(',')}>`;
}

function addressLine(address: string, length: number, suffix: string, cidr: boolean): string {
  if (!isIPv4(address)) return `\tinet6 ${address} prefixlen ${length}${suffix}`;
  const mask = length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
  const bytes = address.split('.').map(Number);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const last = (value | ~mask) >>> 0;
  const broadcast = [24, 16, 8, 0].map((shift) => (last >>> shift) & 255).join('.');
  const hex = mask.toString(16).padStart(8, '0');
  const mine = cidr ? `${address}/${length}` : `${address} netmask 0x${hex}`;
  return `\tinet ${mine} broadcast ${broadcast}${suffix}`;
}
