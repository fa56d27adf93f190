import type { CarpState } from '../core/model.ts';
import { withoutSecrets } from '../core/secrets.ts';

/** One `carp:` line of ifconfig(8) with what belongs to it. */
export interface CarpLine {
  readonly interface: string;
  readonly vhid: number;
  readonly state: CarpState;
  /** Seconds. */
  readonly advbase: number;
  readonly advskew: number;
  /** Addresses that carry this vhid, in the order ifconfig prints them. */
  readonly vips: readonly string[];
  /** Where adverts go; null on releases that do not print it (13.x). */
  readonly peer: string | null;
  readonly peer6: string | null;
}

/** One `vrrp:` line (15.0 and later, carpver 3). */
export interface VrrpLine {
  readonly interface: string;
  readonly vrid: number;
  readonly state: CarpState;
  readonly priority: number;
  /** Centiseconds. */
  readonly interval: number;
  readonly vips: readonly string[];
}

/** An interface and the host's own addresses on it, as ADDRESS/LENGTH: those without a vhid. */
export interface InterfaceLine {
  readonly interface: string;
  readonly addresses: readonly string[];
}

export interface InterfacesReading {
  readonly interfaces: readonly InterfaceLine[];
  readonly carp: readonly CarpLine[];
  readonly vrrp: readonly VrrpLine[];
}

/** Text that looks like CARP and is not understood. Never a default. */
export class IfconfigError extends Error {
  override readonly name = 'IfconfigError';
  readonly line: string;

  constructor(line: string) {
    // A key that is printed (ifconfig -k) is not passed on, not even here.
    const shown = withoutSecrets(line.trim(), '"..."');
    super(`ifconfig printed a line that is not understood: "${shown}"`);
    this.line = shown;
  }
}

const HEADER = /^([^\s:]+): flags=/;
// "\tcarp: MASTER vhid 1 advbase 1 advskew 0[ key "…"]": carp_status(), sbin/ifconfig/carp.c
// ("…, peer 224.0.0.18" on the same line: snapshots on the way to 14.0)
const CARP =
  /^\s+carp: (INIT|BACKUP|MASTER) vhid (\d+) advbase (\d+) advskew (\d+)(?: key ".*")?(?:,? peer (\S+)(?: peer6 (\S+))?)?\s*$/;
// "\t      peer 224.0.0.18 peer6 ff02::12": 14.0 and later, after its carp line
const PEERS = /^\s+peer (\S+) peer6 (\S+)\s*$/;
// "\tvrrp: MASTER vrid 1 prio 100 interval 100": 15.0 and later
const VRRP = /^\s+vrrp: (INIT|BACKUP|MASTER) vrid (\d+) prio (\d+) interval (\d+)\s*$/;
const ADDRESS = /^\s+inet6? (\S+)(.*)$/;
const CARP_LIKE = /^\s+(carp|vrrp):/;

interface Block {
  readonly name: string;
  readonly carp: CarpLine[];
  readonly vrrp: VrrpLine[];
  readonly vips: Map<number, string[]>;
  readonly own: string[];
}

/**
 * Every CARP and VRRP vhid in the output of `ifconfig` or `ifconfig IF`, of
 * 13.x, 14.x and 15.x. The order of the lines within an interface does not
 * matter. Throws IfconfigError on CARP text it does not know, and on text that
 * names no interface at all. A key that is printed is not kept.
 */
export function parseIfconfig(text: string): InterfacesReading {
  const blocks: Block[] = [];
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line);
    if (header?.[1] !== undefined) {
      blocks.push({ name: header[1], carp: [], vrrp: [], vips: new Map(), own: [] });
      continue;
    }
    const block = blocks.at(-1);
    if (block !== undefined) readLine(block, line);
    else if (line.trim() !== '') throw new IfconfigError(line);
  }
  if (blocks.length === 0) throw new IfconfigError('');
  return {
    interfaces: blocks.map(({ name, own }) => ({ interface: name, addresses: own })),
    carp: blocks.flatMap(({ carp, vips }) =>
      carp.map((one) => ({ ...one, vips: vips.get(one.vhid) ?? [] })),
    ),
    vrrp: blocks.flatMap(({ vrrp, vips }) =>
      vrrp.map((one) => ({ ...one, vips: vips.get(one.vrid) ?? [] })),
    ),
  };
}

function readLine(block: Block, line: string): void {
  const carp = CARP.exec(line);
  if (carp !== null) {
    const [, state, vhid, advbase, advskew, peer = null, peer6 = null] = carp;
    block.carp.push({
      interface: block.name,
      vhid: Number(vhid),
      state: stateOf(state, line),
      advbase: Number(advbase),
      advskew: Number(advskew),
      vips: [],
      peer,
      peer6,
    });
    return;
  }
  const vrrp = VRRP.exec(line);
  if (vrrp !== null) {
    const [, state, vrid, priority, interval] = vrrp;
    block.vrrp.push({
      interface: block.name,
      vrid: Number(vrid),
      state: stateOf(state, line),
      priority: Number(priority),
      interval: Number(interval),
      vips: [],
    });
    return;
  }
  if (CARP_LIKE.test(line)) throw new IfconfigError(line);
  const peers = PEERS.exec(line);
  const last = block.carp.at(-1);
  if (peers !== null && last !== undefined) {
    block.carp[block.carp.length - 1] = {
      ...last,
      peer: peers[1] ?? null,
      peer6: peers[2] ?? null,
    };
    return;
  }
  const [, address, rest = ''] = ADDRESS.exec(line) ?? [];
  if (address === undefined) return;
  // "10.1.60.200/32" where the host sets IFCONFIG_FORMAT; the address alone is the VIP.
  const bare = address.replace(/\/\d+$/, '');
  const vhid = / vhid (\d+)(?:\s|$)/.exec(rest)?.[1];
  if (vhid === undefined) block.own.push(`${bare}/${lengthOf(address, rest)}`);
  else block.vips.set(Number(vhid), [...(block.vips.get(Number(vhid)) ?? []), bare]);
}

/** The addresses of vhids as ADDRESS/LENGTH, in the order of `ifconfig`. */
export function vhidPrefixes(
  text: string,
): { readonly interface: string; readonly vhid: number; readonly prefix: string }[] {
  let on = '';
  return text.split('\n').flatMap((line) => {
    on = HEADER.exec(line)?.[1] ?? on;
    const [, address, rest = ''] = ADDRESS.exec(line) ?? [];
    const vhid = / vhid (\d+)(?:\s|$)/.exec(rest)?.[1];
    if (address === undefined || vhid === undefined) return [];
    const prefix = `${address.replace(/\/\d+$/, '')}/${lengthOf(address, rest)}`;
    return [{ interface: on, vhid: Number(vhid), prefix }];
  });
}

/** Prefix length from "netmask 0xffffff00", "prefixlen 64" or the address's own "/24". */
function lengthOf(address: string, rest: string): number {
  const cidr = /\/(\d+)$/.exec(address)?.[1] ?? / prefixlen (\d+)/.exec(rest)?.[1];
  if (cidr !== undefined) return Number(cidr);
  const mask = Number.parseInt(/ netmask 0x([0-9a-f]{8})/.exec(rest)?.[1] ?? 'ffffffff', 16);
  return mask === 0 ? 0 : 32 - Math.log2((~mask >>> 0) + 1);
}

function stateOf(word: string | undefined, line: string): CarpState {
  if (word === 'INIT' || word === 'BACKUP' || word === 'MASTER') return word;
  throw new IfconfigError(line);
}
