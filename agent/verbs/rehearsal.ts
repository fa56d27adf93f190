import type { DrillAct } from '../core/drill.ts';
import { ActFailure } from '../core/results.ts';
import type { DarkTimes } from './dark.ts';
import type { DrillTarget } from './drill-checks.ts';
import { move } from './move.ts';
import type { Pair } from './pair.ts';

/** A move that takes longer than this is no rescue, ms. */
const MOVE_MS = 5000;
/** The pins of a drill end by themselves this much after the time that the other node serves, ms. */
const PIN_MS = 20_000;

export interface Rehearsed {
  readonly pair: Pair;
  readonly act: DrillAct;
  readonly target: DrillTarget;
  readonly say: (step: string, text: string) => void;
}

/**
 * Does what is rehearsed, up to the moment from which everything is to be put back. Resolves to how
 * long each address that moved was without MASTER at most; rejects with ActFailure where no rescue came.
 */
export async function rehearsal(parts: Rehearsed): Promise<DarkTimes> {
  const dark = await movedAway(parts);
  await stay(parts);
  return dark;
}

/** The planned move to the other node. */
async function movedAway({ pair, act, target, say }: Rehearsed): Promise<DarkTimes> {
  const { header } = act;
  const dark = new Map<string, number>();
  const asked = { ...header, timeoutMs: MOVE_MS, seen: null };
  const untilMs = act.stayMs + PIN_MS;
  const moves = [...new Set(target.moving.map(({ to }) => to))].map(async (to) => {
    const ids = target.moving.filter((one) => one.to === to).map(({ address }) => address.id);
    const one = { header: asked, addresses: ids, to, toggle: false, unpin: false, untilMs };
    const { outcome, addresses, error } = await move(pair, one, () => undefined);
    if (outcome !== 'reached')
      throw new ActFailure('failed', {
        ...(error ?? { code: 'not_moved', message: `${ids.join(', ')} did not move to ${to}` }),
        code: 'not_moved',
      });
    for (const { address, darkMsMax } of addresses)
      if (darkMsMax !== null) dark.set(address, darkMsMax);
  });
  await Promise.all(moves);
  say('away', target.moving.map(({ address: { id }, to }) => `${id} is on ${to}`).join(', '));
  return dark;
}

/** The other node serves for a while. */
async function stay({ pair, act, target, say }: Rehearsed): Promise<void> {
  await new Promise<void>((resolve) => void pair.clock.after(act.stayMs, resolve));
  say('stayed', `${target.node} was not needed for ${act.stayMs} ms`);
}
