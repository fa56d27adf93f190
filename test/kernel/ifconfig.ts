import { isIPv4 } from 'node:net';
import {
  getVhid,
  isInvalid,
  refuseVhid,
  setAddresses,
  setUp,
  setVhid,
  type Settings,
} from './acts.ts';
import type { Host } from './host.ts';
import { ifconfigText } from './ifconfig-text.ts';
import { keyAfter } from './key.ts';
import { parseWords, Refusal, type Wanted } from './ifconfig-words.ts';
import { find, GROUP4, GROUP6, type Change, type Effect } from './kernel.ts';

/** What a tool printed and did, as a shell sees it. */
export interface ToolRun {
  readonly host: Host;
  readonly effects: readonly Effect[];
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** What happens on the host between ifconfig's GET and its SET. */
export type During = (host: Host) => { readonly host: Host; readonly effects: readonly Effect[] };

const nothing: During = (host) => ({ host, effects: [] });

export interface Caller {
  readonly during?: During;
  /** False: anybody else. Reads, and sees no key. */
  readonly root?: boolean;
}

/** What GET leaves in ifconfig's hands where there is no such vhid. */
const UNKNOWN: Settings = { advbase: 0, advskew: 0, state: 'INIT', peer: GROUP4, peer6: GROUP6 };

/**
 * ifconfig(8) on this host: reads the vhid (GET), lays the words over it, and
 * writes everything back (SET). `during` runs between the two, so that a test
 * can let the kernel change under a slow ifconfig. FreeBSD sbin/ifconfig/carp.c.
 */
export function ifconfig(
  host: Host,
  args: readonly string[],
  nowMs: number,
  { during = nothing, root = true }: Caller = {},
): ToolRun {
  const {
    options,
    words: [name, ...words],
  } = optionsOf(args);
  const shown = { keys: root && options.has('-k'), cidr: options.has('inet:cidr') };
  if (name === undefined) return printed(host, ifconfigText(host, null, shown));
  if (!host.interfaces.some((one) => one.name === name))
    return failed(host, `interface ${name} does not exist`);
  if (words.length === 0) return printed(host, ifconfigText(host, name, shown));
  let wanted: Wanted;
  try {
    wanted = parseWords(words, host.kernel.release);
  } catch (error) {
    if (error instanceof Refusal) return failed(host, error.message);
    throw error;
  }
  if (!root && wanted.vhid === null) return failed(host, 'ioctl (set flags): permission denied');
  if (wanted.up !== null) return changed(host, setUp(host.kernel, name, wanted.up, nowMs));
  if (wanted.vhid === null) return removeAddress(host, name, wanted, nowMs);
  if (!host.module) return withoutModule(host, wanted);
  // carp(4) knows Ethernet, VLANs and bridges.
  if (name.startsWith('lo')) return failed(host, 'SIOCGVH: Operation not supported');
  if (!root) return failed(host, 'SIOCSVH: Operation not permitted');
  return setCarp(host, name, wanted.vhid, wanted, nowMs, during);
}

/** -k, -v and -f FORMAT stand before the interface. */
function optionsOf(args: readonly string[]): { options: Set<string>; words: string[] } {
  const options = new Set<string>();
  const words = [...args];
  while (words[0]?.startsWith('-') === true) {
    const option = words.shift() ?? '';
    options.add(option === '-f' ? (words.shift() ?? '') : option);
  }
  return { options, words };
}

const printed = (host: Host, stdout: string): ToolRun => ({
  host,
  effects: [],
  stdout,
  stderr: '',
  code: 0,
});

const changed = (host: Host, { kernel, effects }: Change): ToolRun => ({
  ...printed({ ...host, kernel }, ''),
  effects,
});

const failed = (host: Host, text: string, effects: readonly Effect[] = []): ToolRun => ({
  host,
  effects,
  stdout: '',
  stderr: `ifconfig: ${text}\n`,
  code: 1,
});

/** From 14.0 on the set alone gives up without a word (ifconfig_carp_get_vhid); the address does not. */
function withoutModule(host: Host, { address }: Wanted): ToolRun {
  if (host.kernel.release === 13) return failed(host, 'SIOCGVH: Protocol not supported');
  if (address === null) return printed(host, '');
  return failed(host, 'ioctl (SIOCAIFADDR): Protocol not supported');
}

function setCarp(
  host: Host,
  name: string,
  vhid: number,
  wanted: Wanted,
  nowMs: number,
  during: During,
): ToolRun {
  const { release } = host.kernel;
  const read = getVhid(host.kernel, name, vhid) ?? UNKNOWN;
  // 14.0's constructor presets the groups, so every vhid command forgets unicast peers.
  const presets = release === 14 ? { peer: GROUP4, peer6: GROUP6 } : {};
  const settings = { ...read, ...presets, ...wanted.settings };
  const now = during(host);
  if (isInvalid(settings)) {
    const left = refuseVhid(now.host.kernel, name, vhid, settings, nowMs);
    // From 14.0 on err(3) is called with whatever errno was left over.
    const text = release === 13 ? 'SIOCSVH: Invalid argument' : 'SIOCSVH: No error: 0';
    const effects = [...now.effects, ...left.effects];
    return failed({ ...now.host, kernel: left.kernel }, text, effects);
  }
  let change = setVhid(now.host.kernel, name, vhid, settings, nowMs);
  if (wanted.address !== null) {
    const added = addAddress(change, name, vhid, wanted.address, nowMs);
    change = { kernel: added.kernel, effects: [...change.effects, ...added.effects] };
  }
  const { keys } = now.host;
  const id = `${vhid}@${name}`;
  // Until 13 ifconfig(8) writes the new word over the key that GET showed; from 14.0 on it sends the word.
  const { [id]: before = '' } = keys;
  const over = release === 13 || wanted.pass === '' ? before : '';
  const known = { ...keys, [id]: keyAfter(over, wanted.pass) };
  const after = { ...now.host, keys: known };
  return changed(after, { kernel: change.kernel, effects: [...now.effects, ...change.effects] });
}

function addAddress(
  { kernel }: Change,
  name: string,
  vhid: number,
  address: string,
  nowMs: number,
): Change {
  const { vips4 = [], vips6 = [] } = find(kernel, name, vhid) ?? {};
  const add = (list: readonly string[]): string[] => [...new Set([...list, address])];
  const vips = isIPv4(address) ? { v4: add(vips4), v6: vips6 } : { v4: vips4, v6: add(vips6) };
  return setAddresses(kernel, name, vhid, vips, nowMs);
}

/** `ifconfig IF inet ADDR -alias`: the vhid that carried it goes through INIT, the last one away. */
function removeAddress(
  host: Host,
  name: string,
  { address, remove }: Wanted,
  nowMs: number,
): ToolRun {
  if (address === null) return printed(host, '');
  if (!remove) return failed(host, 'only addresses with a vhid can be added to this host');
  const carrier = host.kernel.vhids.find(
    (one) => one.interface === name && [...one.vips4, ...one.vips6].includes(address),
  );
  if (carrier === undefined)
    return failed(host, "ioctl (SIOCDIFADDR): Can't assign requested address");
  const vips = {
    v4: carrier.vips4.filter((one) => one !== address),
    v6: carrier.vips6.filter((one) => one !== address),
  };
  const change = setAddresses(host.kernel, name, carrier.vhid, vips, nowMs);
  const { [`${carrier.vhid}@${name}`]: gone, ...others } = host.keys;
  const stays = gone === undefined || find(change.kernel, name, carrier.vhid) !== undefined;
  return changed(stays ? host : { ...host, keys: others }, change);
}
