import type { AdminState } from '../acts.ts';
import type { ServerReading } from '../answers.ts';

/**
 * Bits of srv_admin_state in `show servers state`, HAProxy
 * include/haproxy/server-t.h (SRV_ADMF_*). 04 is history: set by `disabled` in
 * the configuration, together with 01, and still there after `ready`.
 */
const FORCED_MAINT = 0x01;
const INHERITED_MAINT = 0x02;
const CONFIGURED_MAINT = 0x04;
const FORCED_DRAIN = 0x08;
const INHERITED_DRAIN = 0x10;
const NO_ADDRESS = 0x20;

/** What HAProxy was told of a server: not what it inherits, nor what its name's lookup says. */
export function adminState(bits: number): AdminState {
  if ((bits & FORCED_MAINT) !== 0) return 'maint';
  return (bits & FORCED_DRAIN) === 0 ? 'ready' : 'drain';
}

/** `disabled` stands in the configuration of this server. */
export const isConfiguredOut = (bits: number): boolean => (bits & CONFIGURED_MAINT) !== 0;

export type AdminWord =
  'ready' | 'drain' | 'maint' | 'disabled' | 'maint-dns' | 'maint-track' | 'drain-track';

/**
 * Why a server takes traffic or not, in one word. `wished`: an operator's word
 * is stored; without one, maintenance of a server that is configured
 * `disabled` is the configuration's.
 */
export function adminWord(bits: number, wished: boolean): AdminWord {
  if ((bits & FORCED_MAINT) !== 0) return isConfiguredOut(bits) && !wished ? 'disabled' : 'maint';
  if ((bits & NO_ADDRESS) !== 0) return 'maint-dns';
  if ((bits & INHERITED_MAINT) !== 0) return 'maint-track';
  if ((bits & FORCED_DRAIN) !== 0) return 'drain';
  return (bits & INHERITED_DRAIN) === 0 ? 'ready' : 'drain-track';
}

/** UP, DOWN, unchecked; or why it is out, with DOWN where its check fails too. */
export function stateWord(
  { status, adminBits, backup }: Pick<ServerReading, 'status' | 'adminBits' | 'backup'>,
  wished: boolean,
): string {
  const word = adminWord(adminBits, wished);
  const up = status === 'no check' ? 'no-check' : status;
  const state = word === 'ready' ? up : status === 'DOWN' ? `${word}/DOWN` : word;
  return backup ? `${state}/bck` : state;
}
