import type { ActHeader, PushAct } from '../../agent/core/acts.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { pushCertificate } from '../../agent/verbs/push.ts';
import type { Cut, SwapWorld } from './swap-world.ts';

export const KINDS: readonly Cut['kind'][] = [
  'agent-killed',
  'haproxy-killed',
  'disk-full',
  'peer-lost',
  'reply-lost',
];

export const header: ActHeader = {
  requestId: 'r1',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};

/** Pushes from n1 with one cut; what the operator read, null where the agent died. */
export async function pushedWith(
  world: SwapWorld,
  cut: Cut | null,
  bundles: PushAct['bundles'],
  more: Partial<ActHeader> = {},
): Promise<ActResult | null> {
  const died = world.cut(cut);
  const act = { header: { ...header, ...more }, bundles };
  const push = pushCertificate(world.pair('n1'), act, () => {});
  const ended = cut?.node === 'n1' ? await Promise.race([push, died]) : await push;
  return ended === 'killed' ? null : ended;
}

/** How pushes are made and where they may end. */
interface Trial {
  readonly world: () => SwapWorld;
  readonly push: (world: SwapWorld, cut: Cut | null) => Promise<ActResult | null>;
  readonly everywhere: (world: SwapWorld) => unknown;
  /** What `everywhere` is where nothing, or all, was changed. */
  readonly old: unknown;
  readonly new: unknown;
}

/**
 * One push for every step of either node, cut right after it, then healed. `wrong`: those that
 * ended on neither, or on another than the operator was told.
 */
export async function cutEverywhere(
  trial: Trial,
  kind: Cut['kind'],
): Promise<{ wrong: unknown[]; ends: { new: number; old: number; mixed: number } }> {
  const plain = trial.world();
  await trial.push(plain, null);
  const wrong: unknown[] = [];
  const ends = { new: 0, old: 0, mixed: 0 };
  for (const { node, steps } of plain.hosts)
    for (let at = 0; at < steps; at++) {
      const world = trial.world();
      const result = await trial.push(world, { node, at, kind });
      const where = `after ${world.host(node).done[at] ?? ''} (${at} of ${node})`;
      await world.heal();
      const found = trial.everywhere(world);
      const end = same(found, trial.new) ? 'new' : same(found, trial.old) ? 'old' : 'mixed';
      ends[end]++;
      const promised =
        result?.outcome === 'reached' || result?.outcome === 'partial'
          ? 'new'
          : result === null || result.outcome === 'result-unknown'
            ? end
            : 'old';
      if (end === 'mixed' || end !== promised)
        wrong.push({ where, end, outcome: result?.outcome, error: result?.error, found });
    }
  return { wrong, ends };
}

const same = (found: unknown, wanted: unknown): boolean =>
  JSON.stringify(found) === JSON.stringify(wanted);
