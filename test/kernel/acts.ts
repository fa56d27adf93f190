import type { CarpState } from '../../agent/core/model.ts';
import { Draft } from './draft.ts';
import {
  demotedSkew,
  find,
  GROUP4,
  GROUP6,
  type Change,
  type Family,
  type Kernel,
  type PacketFault,
  type ReceiveCounter,
  type Vhid,
} from './kernel.ts';

/** What ifconfig puts into SIOCSVH: everything of a vhid, the present state included. */
export interface Settings {
  readonly advbase: number;
  readonly advskew: number;
  readonly state: CarpState;
  readonly peer: string;
  readonly peer6: string;
}

/** GET of a vhid; null where there is none (ENOENT). */
export function getVhid(kernel: Kernel, name: string, vhid: number): Settings | null {
  const known = find(kernel, name, vhid);
  if (known === undefined) return null;
  const { advbase, advskew, state, peer, peer6 } = known;
  return { advbase, advskew, state, peer, peer6 };
}

/** Values SET refuses with EINVAL. */
export const isInvalid = ({ advbase, advskew }: Settings): boolean =>
  advskew > 254 || advbase > 255;

/**
 * What a refused SET leaves behind. 13.x makes the vhid and stores a good
 * advbase before it looks at advskew; from 14.0 on netlink looks first.
 */
export function refuseVhid(
  kernel: Kernel,
  name: string,
  vhid: number,
  { advbase }: Settings,
  nowMs: number,
): Change {
  if (kernel.release !== 13) return { kernel, effects: [] };
  const draft = new Draft(kernel, nowMs);
  const made = withVhid(draft, name, vhid);
  if (advbase > 0 && advbase <= 255) draft.put(made, { advbase });
  return draft.change();
}

/**
 * SET of a vhid (carp_ioctl, carp_ioctl_set). Creates an empty one where there
 * is none. Values are stored before the state is acted on, so both are one
 * act. A state in INIT is ignored; so is `init`. What was in force when the
 * values were read comes back with them: a set that overlaps a change undoes it.
 */
export function setVhid(
  kernel: Kernel,
  name: string,
  vhid: number,
  settings: Settings,
  nowMs: number,
): Change {
  const draft = new Draft(kernel, nowMs);
  const known = withVhid(draft, name, vhid);
  const { advbase, advskew, peer, peer6 } = settings;
  draft.put(known, { advbase: advbase === 0 ? known.advbase : advbase, advskew, peer, peer6 });
  if (known.state === 'INIT' || settings.state === known.state) return draft.change();
  const reason = 'user requested via ifconfig';
  if (settings.state === 'MASTER') draft.becomeMaster(known, reason);
  // No advert is sent: the address is dark until a timer ends somewhere.
  if (settings.state === 'BACKUP') draft.becomeBackup(known, reason);
  return draft.change();
}

/** carp_alloc: the first vhid of an interface makes it promiscuous. */
function withVhid(draft: Draft, name: string, vhid: number): Vhid {
  const { kernel } = draft;
  const known = find(kernel, name, vhid);
  if (known !== undefined) return known;
  const empty: Vhid = {
    interface: name,
    vhid,
    advbase: 1,
    advskew: 0,
    vips4: [],
    vips6: [],
    routed4: [],
    state: 'INIT',
    peer: GROUP4,
    peer6: GROUP6,
    suppressed: false,
    advertAtMs: null,
    masterDown4AtMs: null,
    masterDown6AtMs: null,
    sendErrors: 0,
    sendSuccesses: 0,
  };
  if (!kernel.vhids.some((one) => one.interface === name))
    draft.log(`${name}: promiscuous mode enabled`);
  draft.kernel = { ...kernel, vhids: [...kernel.vhids, empty] };
  return empty;
}

/**
 * carp_attach, carp_detach: the vhid goes through INIT, so adding an alias drops mastership.
 * Routes of an IPv4 VIP that goes are deleted three times, if there is one or not.
 */
export function setAddresses(
  kernel: Kernel,
  name: string,
  vhid: number,
  vips: { readonly v4: readonly string[]; readonly v6: readonly string[] },
  nowMs: number,
): Change {
  const draft = new Draft(kernel, nowMs);
  const known = withVhid(draft, name, vhid);
  for (const vip of known.vips4)
    if (!vips.v4.includes(vip))
      for (let left = known.routed4.includes(vip) ? 2 : 3; left > 0; left--)
        draft.deletionFailed(known);
  const routed4 = known.routed4.filter((vip) => vips.v4.includes(vip));
  draft.put(known, { vips4: vips.v4, vips6: vips.v6, routed4 });
  draft.refresh(known);
  if (vips.v4.length + vips.v6.length > 0) return draft.change();
  if (draft.get(known).suppressed) draft.demote(-draft.kernel.ifdownFactor, 'vhid removed');
  const vhids = draft.kernel.vhids.filter((one) => one.interface !== name || one.vhid !== vhid);
  draft.kernel = { ...draft.kernel, vhids };
  if (!vhids.some((one) => one.interface === name)) draft.log(`${name}: promiscuous mode disabled`);
  return draft.change();
}

/** The interface's carrier came or went. */
export function setLink(kernel: Kernel, name: string, up: boolean, nowMs: number): Change {
  if (kernel.links[name] === up) return { kernel, effects: [] };
  const draft = new Draft({ ...kernel, links: { ...kernel.links, [name]: up } }, nowMs);
  for (const vhid of kernel.vhids) if (vhid.interface === name) draft.refresh(vhid);
  return draft.change();
}

/** `ifconfig IF up` and `ifconfig IF down` (IFF_UP). */
export function setUp(kernel: Kernel, name: string, up: boolean, nowMs: number): Change {
  if (kernel.down.includes(name) !== up) return { kernel, effects: [] };
  const others = kernel.down.filter((one) => one !== name);
  const draft = new Draft({ ...kernel, down: up ? others : [...others, name] }, nowMs);
  const own = kernel.vhids.filter((vhid) => vhid.interface === name);
  // rip_ctlinput(PRC_IFUP) makes the routes of every address anew, before carp(4) hears of it.
  if (up)
    for (const vhid of own) {
      for (const vip of vhid.vips4) if (!vhid.routed4.includes(vip)) draft.deletionFailed(vhid);
      draft.put(vhid, { routed4: vhid.vips4 });
    }
  for (const vhid of own) draft.refresh(vhid);
  return draft.change();
}

export type SysctlName =
  | 'allow'
  | 'preempt'
  | 'dscp'
  | 'log'
  | 'demotion'
  | 'ifdown_demotion_factor'
  | 'senderr_demotion_factor';

export const SYSCTL_NAMES: readonly SysctlName[] = [
  'ifdown_demotion_factor',
  'senderr_demotion_factor',
  'demotion',
  'log',
  'preempt',
  'dscp',
  'allow',
];

/** Reading of net.inet.carp.NAME. */
export function getSysctl(kernel: Kernel, name: SysctlName): number {
  switch (name) {
    case 'allow':
      return kernel.allow;
    case 'preempt':
      return Number(kernel.preempt);
    case 'dscp':
      return kernel.dscp;
    case 'log':
      return kernel.log;
    case 'demotion':
      return kernel.demotion;
    case 'ifdown_demotion_factor':
      return kernel.ifdownFactor;
    case 'senderr_demotion_factor':
      return kernel.senderrFactor;
  }
}

/** Writing net.inet.carp.NAME. Demotion: what is written is added. */
export function setSysctl(kernel: Kernel, name: SysctlName, value: number, nowMs: number): Change {
  const draft = new Draft(kernel, nowMs);
  switch (name) {
    case 'demotion':
      draft.demote(value, 'sysctl');
      break;
    case 'allow':
      // Any other value, 1 to 5 as well, sends every vhid through INIT; the newest goes first.
      draft.kernel = { ...kernel, allow: value };
      if (kernel.allow !== value) for (const vhid of kernel.vhids.toReversed()) draft.refresh(vhid);
      break;
    case 'preempt':
      draft.kernel = { ...kernel, preempt: value !== 0 };
      break;
    case 'dscp':
      draft.kernel = { ...kernel, dscp: value };
      break;
    case 'log':
      draft.kernel = { ...kernel, log: value };
      break;
    case 'ifdown_demotion_factor':
      draft.kernel = { ...kernel, ifdownFactor: value };
      break;
    case 'senderr_demotion_factor':
      draft.kernel = { ...kernel, senderrFactor: value };
  }
  return draft.change();
}

/** An advert as it comes out of the checks of carp_input_c. */
export interface Heard {
  readonly interface: string;
  readonly vhid: number;
  readonly family: Family;
  readonly advbase: number;
  readonly advskew: number;
  /** The HMAC was right. */
  readonly authentic: boolean;
}

const count = (kernel: Kernel, counter: ReceiveCounter): Kernel => ({
  ...kernel,
  received: { ...kernel.received, [counter]: kernel.received[counter] + 1 },
});

/** A packet that does not get as far as its vhid. Counted by family even with allow=0, its fault only without. */
export function hearFaulty(kernel: Kernel, family: Family, fault: PacketFault): Change {
  const counted = count(kernel, family === 4 ? 'v4' : 'v6');
  return { kernel: counted.allow !== 0 ? count(counted, fault) : counted, effects: [] };
}

/** carp_input_c. Adverts are counted before `allow` is looked at, bad ones after. */
export function hear(kernel: Kernel, heard: Heard, nowMs: number): Change {
  const counted = count(kernel, heard.family === 4 ? 'v4' : 'v6');
  if (counted.allow === 0) return { kernel: counted, effects: [] };
  const vhid = find(counted, heard.interface, heard.vhid);
  // carp_find_ifa: the vhid must have an address of the advert's family.
  const addressed = (heard.family === 4 ? vhid?.vips4 : vhid?.vips6) ?? [];
  if (vhid === undefined || addressed.length === 0)
    return { kernel: count(counted, 'badVhid'), effects: [] };
  if (!heard.authentic) return { kernel: count(counted, 'badAuth'), effects: [] };
  const draft = new Draft(counted, nowMs);
  // Both sides in 1/256 s: the own one demoted, the other as it was sent.
  const own = vhid.advbase * 256 + demotedSkew(counted, vhid.advskew);
  const theirs = heard.advbase * 256 + heard.advskew;
  switch (vhid.state) {
    case 'INIT':
      break;
    case 'MASTER':
      // Equal yields; a slower advert gets no answer.
      if (own >= theirs) draft.becomeBackup(vhid, 'more frequent advertisement received');
      break;
    case 'BACKUP':
      if (counted.preempt && own < theirs) draft.becomeMaster(vhid, 'preempting a slower master');
      else if (3 * vhid.advbase * 256 + demotedSkew(counted, vhid.advskew) < theirs)
        draft.becomeMaster(vhid, 'master will time out');
      else draft.setRun(vhid, heard.family);
  }
  return draft.change();
}

/** Runs every timer that is due. */
export function runTimers(kernel: Kernel, nowMs: number): Change {
  const draft = new Draft(kernel, nowMs);
  for (const vhid of kernel.vhids) {
    const { state, advertAtMs, masterDown4AtMs, masterDown6AtMs } = draft.get(vhid);
    const due = (at: number | null): boolean => at !== null && at <= nowMs;
    if (state === 'MASTER' && due(advertAtMs)) draft.sendAdvert(vhid);
    // The families' timers are apart: either one makes it MASTER.
    if (state === 'BACKUP' && (due(masterDown4AtMs) || due(masterDown6AtMs)))
      draft.becomeMaster(vhid, 'master timed out');
  }
  return draft.change();
}
