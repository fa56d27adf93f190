import type { Early, Memory } from './memory.ts';
import type { AddressReport, NodeReport } from '../model.ts';
import { isPaused } from './candidates.ts';
import type { View } from './view.ts';
import { isSilent, speaksAgainst } from '../peers.ts';
import { put, type Situation } from './situation.ts';
import {
  EARLY_OFF_MAX_MS,
  EARLY_OFF_MS,
  EARLY_WRONG_MS,
  LATE_SHADOW_MS,
  PATH_PROVEN_MS,
} from '../timing.ts';

/** A MASTER that may be replaced before CARP's own timer, and since when it is silent. */
export interface DeadMaster {
  readonly node: string;
  readonly silentSinceMs: number;
}

/**
 * The MASTER that is dead by every test, or null. Its agent ended neither by a
 * closed connection nor frozen; echo on the vhid's own interface was answered
 * shortly before and is silent now; a witness there answered since; this loop
 * was on time and serves; it has not been done for this silence.
 */
export function deadMaster(at: Situation): DeadMaster | null {
  const { view, me, mine, memory, masters, ownership, nowMs } = at;
  const { earlyTakeoverMs } = view.policy;
  if (earlyTakeoverMs === 0 || isPaused(view) || me.health === 'down') return null;
  if (masters.length > 0 || ownership.owner?.node !== view.self) return null;
  if (view.lateAtMs !== null && nowMs - view.lateAtMs < LATE_SHADOW_MS) return null;
  const paths = view.paths.filter(({ network }) => network === mine.network);
  for (const { node, peerClass, heardAtMs, report } of view.nodes) {
    if (peerClass !== 'dead' || heardAtMs === null || !wasMaster(report, mine)) continue;
    const path = paths.find((one) => one.node === node);
    const answeredAtMs = path?.answeredAtMs ?? null;
    if (path === undefined || answeredAtMs === null || !isSilent(path)) continue;
    if (nowMs - answeredAtMs > PATH_PROVEN_MS || nowMs - heardAtMs < earlyTakeoverMs) continue;
    // Its host answered long after its agent fell silent: frozen, and not ours to replace.
    if (answeredAtMs - heardAtMs >= view.timing.freshMs) continue;
    const witnessed = paths.some((one) => one.node === null && speaksAgainst(one, path));
    const known = memory.early.get(node);
    const done = known !== undefined && known.silentSinceMs === heardAtMs;
    const off = known !== undefined && nowMs < known.offUntilMs;
    if (witnessed && !done && !off) return { node, silentSinceMs: heardAtMs };
  }
  return null;
}

const wasMaster = (report: NodeReport | null, { address }: AddressReport): boolean =>
  report?.addresses.some((theirs) => theirs.address === address && theirs.state === 'MASTER') ??
  false;

/** Memory after the address of a dead MASTER was taken. */
export function tookEarly(memory: Memory, dead: DeadMaster, nowMs: number): Memory {
  const known = memory.early.get(dead.node);
  const { offUntilMs = 0, offMs = 0 } = known ?? {};
  const entry: Early = {
    silentSinceMs: dead.silentSinceMs,
    atMs: nowMs,
    wrong: false,
    offUntilMs,
    offMs,
  };
  return { ...memory, early: put(memory.early, dead.node, entry) };
}

/** Early takeovers that were wrong: the peer was heard at once, or our kernel yielded at once. */
export function judgeEarly(view: View, before: Memory, yielded: boolean, nowMs: number): Memory {
  let { early } = before;
  for (const [node, entry] of before.early) {
    if (entry.wrong || nowMs - entry.atMs > EARLY_WRONG_MS) continue;
    const heardAtMs = view.nodes.find((one) => one.node === node)?.heardAtMs ?? 0;
    if (heardAtMs <= entry.silentSinceMs && !yielded) continue;
    const offMs = Math.min(EARLY_OFF_MAX_MS, Math.max(EARLY_OFF_MS, 2 * entry.offMs));
    early = put(early, node, { ...entry, wrong: true, offMs, offUntilMs: nowMs + offMs });
  }
  return { ...before, early };
}
