import { isIPv4, isIPv6 } from 'node:net';
import { getVhid, isInvalid, setAddresses, setLink, setVhid, type Settings } from './acts.ts';
import { find, GROUP4, GROUP6, type Change, type Effect, type Kernel } from './kernel.ts';
import type { Host, HostInterface } from './host.ts';

/** What a tool printed and did, as a shell sees it. */
export interface ToolRun {
  readonly host: Host;
  readonly effects: readonly Effect[];
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** The words of one ifconfig command line, GET not yet overlaid. */
interface Wanted {
  vhid: number | null;
  readonly settings: { -readonly [K in keyof Settings]?: Settings[K] };
  pass: string | null;
  address: string | null;
  remove: boolean;
  up: boolean | null;
}

class Refusal extends Error {}

/**
 * ifconfig(8) on this host: reads the vhid (GET), lays the words over it, and
 * writes everything back (SET). `during` runs between the two, so that a test
 * can let the kernel change under a slow ifconfig. FreeBSD sbin/ifconfig/carp.c.
 */
export function ifconfig(
  host: Host,
  args: readonly string[],
  nowMs: number,
  during: (host: Host) => { readonly host: Host; readonly effects: readonly Effect[] } = (
    same,
  ) => ({
    host: same,
    effects: [],
  }),
): ToolRun {
  const done = (over: Partial<ToolRun>): ToolRun => ({
    host,
    effects: [],
    stdout: '',
    stderr: '',
    code: 0,
    ...over,
  });
  const fail = (text: string, over: Partial<ToolRun> = {}): ToolRun =>
    done({ stderr: `ifconfig: ${text}\n`, code: 1, ...over });
  const [name = '', ...words] = args;
  const shown = host.interfaces.find((one) => one.name === name);
  if (shown === undefined) return fail(`interface ${name} does not exist`);
  let wanted: Wanted;
  try {
    wanted = parseWords(words, host.kernel.release);
  } catch (error) {
    if (error instanceof Refusal) return fail(error.message);
    throw error;
  }
  if (wanted.up !== null) return apply(done, host, setLink(host.kernel, name, wanted.up, nowMs));
  if (wanted.vhid === null) return removed(done, fail, host, name, wanted, nowMs);
  if (!host.module) {
    // 14.0 and later give up without a word (ifconfig_carp_get_vhid).
    return host.kernel.release === 13 ? fail('SIOCGVH: Protocol not supported') : done({});
  }
  const { vhid } = wanted;
  const read = getVhid(host.kernel, name, vhid) ?? {
    advbase: 1,
    advskew: 0,
    state: 'INIT' as const,
    peer: GROUP4,
    peer6: GROUP6,
  };
  // 14.0's constructor presets the groups, so every vhid command forgets unicast peers.
  const presets = host.kernel.release === 14 ? { peer: GROUP4, peer6: GROUP6 } : {};
  const settings = { ...read, ...presets, ...wanted.settings };
  const meanwhile = during(host);
  const { kernel } = meanwhile.host;
  if (isInvalid(settings)) return invalid(fail, meanwhile.host, name, vhid, settings, nowMs);
  const set = setVhid(kernel, name, vhid, settings, nowMs);
  const keys =
    wanted.pass === null
      ? meanwhile.host.keys
      : { ...meanwhile.host.keys, [`${vhid}@${name}`]: wanted.pass };
  let change: Change = { kernel: set.kernel, effects: [...meanwhile.effects, ...set.effects] };
  if (wanted.address !== null) change = withAddress(change, name, vhid, wanted.address, nowMs);
  return apply(done, { ...meanwhile.host, keys }, change);
}

const apply = (
  done: (over: Partial<ToolRun>) => ToolRun,
  host: Host,
  { kernel, effects }: Change,
): ToolRun => done({ host: { ...host, kernel }, effects });

/** EINVAL. Before 15.0 a good advbase is stored although advskew is refused. */
function invalid(
  fail: (text: string, over?: Partial<ToolRun>) => ToolRun,
  host: Host,
  name: string,
  vhid: number,
  settings: Settings,
  nowMs: number,
): ToolRun {
  const { kernel } = host;
  // From 14.0 on err(3) is called with whatever errno was left over.
  const text = kernel.release === 13 ? 'SIOCSVH: Invalid argument' : 'SIOCSVH: No error: 0';
  const known = find(kernel, name, vhid);
  if (kernel.release === 15 || known === undefined || settings.advbase > 255)
    return fail(text, { host });
  const half = setVhid(
    kernel,
    name,
    vhid,
    { ...settings, advskew: known.advskew, state: known.state },
    nowMs,
  );
  return fail(text, { host: { ...host, kernel: half.kernel }, effects: half.effects });
}

function withAddress(
  before: Change,
  name: string,
  vhid: number,
  address: string,
  nowMs: number,
): Change {
  const known = find(before.kernel, name, vhid);
  const { vips4 = [], vips6 = [] } = known ?? {};
  const add = (list: readonly string[]): string[] => [...new Set([...list, address])];
  const vips = isIPv4(address) ? { v4: add(vips4), v6: vips6 } : { v4: vips4, v6: add(vips6) };
  const { kernel, effects } = setAddresses(before.kernel, name, vhid, vips, nowMs);
  return { kernel, effects: [...before.effects, ...effects] };
}

/** `ifconfig IF inet ADDR -alias`: the vhid that carried it goes through INIT, the last one away. */
function removed(
  done: (over: Partial<ToolRun>) => ToolRun,
  fail: (text: string) => ToolRun,
  host: Host,
  name: string,
  { address, remove }: Wanted,
  nowMs: number,
): ToolRun {
  if (address === null) return done({});
  if (!remove) return fail('only addresses with a vhid can be added to this host');
  const carrier = host.kernel.vhids.find(
    (one) => one.interface === name && [...one.vips4, ...one.vips6].includes(address),
  );
  if (carrier === undefined) return fail("ioctl (SIOCDIFADDR): Can't assign requested address");
  const vips = {
    v4: carrier.vips4.filter((one) => one !== address),
    v6: carrier.vips6.filter((one) => one !== address),
  };
  return apply(done, host, setAddresses(host.kernel, name, carrier.vhid, vips, nowMs));
}

function parseWords(words: readonly string[], release: Kernel['release']): Wanted {
  const wanted: Wanted = {
    vhid: null,
    settings: {},
    pass: null,
    address: null,
    remove: false,
    up: null,
  };
  const queue = [...words];
  const next = (word: string): string => {
    const value = queue.shift();
    if (value === undefined) throw new Refusal(`'${word}' requires argument`);
    return value;
  };
  const needsVhid = (word: string): void => {
    if (wanted.vhid === null) throw new Refusal(`${word} requires vhid`);
  };
  // atoi(3): "abc" is 0; a negative value is let pass by a `> -1` test.
  const number = (word: string): number | null => {
    const value = Number.parseInt(next(word), 10);
    return Number.isNaN(value) ? 0 : value > -1 ? value : null;
  };
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    switch (word) {
      case 'inet':
      case 'inet6':
      case 'alias':
      case 'add':
        break;
      case '-alias':
      case 'delete':
        wanted.remove = true;
        break;
      case 'up':
      case 'down':
        wanted.up = word === 'up';
        break;
      case 'vhid': {
        const vhid = Number.parseInt(next(word), 10);
        if (!(vhid > 0 && vhid <= 255))
          throw new Refusal('vhid must be greater than 0 and less than 255');
        wanted.vhid = vhid;
        break;
      }
      case 'advbase':
      case 'advskew': {
        needsVhid(word);
        const value = number(word);
        if (value !== null) wanted.settings[word] = value;
        break;
      }
      case 'pass':
        needsVhid('passwd');
        wanted.pass = next(word).slice(0, 19);
        break;
      case 'state': {
        needsVhid(word);
        const state = next(word).toUpperCase();
        if (state !== 'INIT' && state !== 'BACKUP' && state !== 'MASTER')
          throw new Refusal('unknown state');
        wanted.settings.state = state;
        break;
      }
      case 'peer':
      case 'peer6':
      case 'mcast':
      case 'mcast6':
        if (release === 13) throw new Refusal(`${word}: bad value`);
        if (word === 'peer') wanted.settings.peer = next(word);
        else if (word === 'peer6') wanted.settings.peer6 = peer6(next(word));
        else if (word === 'mcast') wanted.settings.peer = GROUP4;
        else wanted.settings.peer6 = GROUP6;
        break;
      default:
        wanted.address = addressOf(word);
    }
  }
  return wanted;
}

function peer6(text: string): string {
  if (!isIPv6(text)) throw new Refusal(`Invalid IPv6 address ${text}`);
  return text;
}

function addressOf(word: string): string {
  const address = word.replace(/\/\d+$/, '');
  if (isIPv4(address) || isIPv6(address)) return address;
  throw new Refusal(`${word}: bad value`);
}

/** What `ifconfig` or `ifconfig IF` prints, in the form of the host's release. */
export function ifconfigText(host: Host, only: string | null = null): string {
  return host.interfaces
    .filter(({ name }) => only === null || name === only)
    .map((one) => interfaceText(host, one))
    .join('');
}

function interfaceText({ kernel, module }: Host, shown: HostInterface): string {
  const up = kernel.links[shown.name] ?? false;
  const vhids = module ? kernel.vhids.filter((one) => one.interface === shown.name) : [];
  const words = ['UP', 'BROADCAST', ...(up ? ['RUNNING'] : []), 'PROMISC', 'SIMPLEX', 'MULTICAST'];
  const flags =
    kernel.release === 13
      ? `flags=8943<${words.join(',')}>`
      : `flags=1008943<${[...words, ...(up ? ['LOWER_UP'] : [])].join(',')}>`;
  const lines = [`${shown.name}: ${flags} metric 0 mtu 1500`, `\tether ${shown.mac}`];
  for (const { address, length } of shown.addresses) lines.push(addressLine(address, length, ''));
  for (const { vhid, vips4, vips6 } of vhids)
    for (const vip of [...vips4, ...vips6])
      lines.push(addressLine(vip, isIPv4(vip) ? 32 : 128, ` vhid ${vhid}`));
  for (const one of vhids) {
    const { state, vhid, advbase, advskew, peer, peer6: six } = one;
    lines.push(`\tcarp: ${state} vhid ${vhid} advbase ${advbase} advskew ${advskew}`);
    if (kernel.release !== 13) lines.push(`\t      peer ${peer} peer6 ${six}`);
  }
  lines.push('\tmedia: Ethernet 10Gbase-T <full-duplex>');
  lines.push(`\tstatus: ${up ? 'active' : 'no carrier'}`);
  lines.push('\tnd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>');
  return `${lines.join('\n')}\n`;
}

function addressLine(address: string, length: number, suffix: string): string {
  if (!isIPv4(address)) return `\tinet6 ${address} prefixlen ${length}${suffix}`;
  const mask = length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
  const bytes = address.split('.').map(Number);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const last = (value | ~mask) >>> 0;
  const broadcast = [24, 16, 8, 0].map((shift) => (last >>> shift) & 255).join('.');
  const hex = mask.toString(16).padStart(8, '0');
  return `\tinet ${address} netmask 0x${hex} broadcast ${broadcast}${suffix}`;
}
