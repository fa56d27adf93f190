import type { Action } from '../core/decide/decision.ts';
import type { Memory } from '../core/decide/memory.ts';
import type { Problem } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import { problem } from '../problems.ts';
import type { LoopOptions } from './ports.ts';
import type { CarpControl, VhidChange } from './ports.ts';
import { movesTo } from './move-times.ts';

/** After an action failed nothing is tried again for this long. */
const RETRY_MS = 1000;

/** Performs what was decided, and keeps on disk what a restart must find: the fence and the budget. */
export function applying(
  options: Pick<LoopOptions, 'carp' | 'clock' | 'log' | 'save' | 'durable'> & {
    /** The kernel may be another now: read it again, then decide. */
    readonly acted: () => void;
  },
) {
  const { carp, clock, log, save } = options;
  let { fenceMine } = options.durable;
  let trouble: Problem | null = null;
  let retryAtMs = 0;

  function failed(step: Step, error: unknown): void {
    const cause = sentence(error);
    retryAtMs = clock.nowMs() + RETRY_MS;
    const known = trouble === null ? [] : [trouble];
    const remedy = 'tried again every second; see the log';
    trouble = problem(known, 'action', cause, remedy, clock.nowMs());
    const kinds = [...new Set(step.actions.map(({ kind }) => kind))];
    log.actionFailed({ action: kinds.join(', '), cause, retry_ms: RETRY_MS });
  }

  return {
    /** This agent has fenced the host and not lifted it. */
    fenceMine: (): boolean => fenceMine,
    /** Why the last action failed; null once one went well. */
    problem: (): Problem | null => trouble,
    /** When a failed action may be tried again; Infinity where none failed lately. */
    retryAtMs: (nowMs: number): number => (retryAtMs > nowMs ? retryAtMs : Infinity),
    /**
     * In order, sets of vhids that follow each other in one call: no address waits for the others.
     * The first step that fails ends the round, and the next decides afresh.
     */
    async act(actions: readonly Action[]): Promise<void> {
      for (const step of stepsOf(actions)) {
        try {
          // On disk before it is in force: only our own fence is ever undone.
          if (step.kind === 'fence' && !fenceMine) {
            await save({ fenceMine: true });
            fenceMine = true;
          }
          await perform(step, carp);
          if (step.kind === 'unfence') {
            fenceMine = false;
            await save({ fenceMine: false });
          }
          trouble = null;
        } catch (error) {
          failed(step, error);
          break;
        } finally {
          // Done or failed: only the kernel says what is so now.
          options.acted();
        }
      }
    },
    /** Stores the budget when a move was counted, and gives up a fence that is gone. `allow`: as last read. */
    async keep(before: Memory, after: Memory, allow: boolean | null): Promise<void> {
      const now = movesTo(after.moves, clock);
      const changed = JSON.stringify(movesTo(before.moves, clock)) !== JSON.stringify(now);
      const lifted = fenceMine && allow === true && (after.lost?.renewedAtMs ?? null) === null;
      if (lifted) fenceMine = false;
      if (changed || lifted)
        await save({ ...(changed ? { moves: now } : {}), fenceMine }).catch(() => undefined);
    },
    /** Only the own fence is undone by a stop. */
    async stop(): Promise<void> {
      if (fenceMine) await carp.allow(true).catch(() => undefined);
    },
  };
}

/** Actions that are one call to the host. */
type Step =
  | { readonly kind: 'set'; readonly actions: Action[]; readonly changes: VhidChange[] }
  | { readonly kind: 'advertise' | 'fence' | 'unfence'; readonly actions: Action[] };

/** What a set asks of the vhid's state beside its advskew. */
const STATE_AFTER = {
  'set-advskew': {},
  take: { state: 'MASTER' },
  'step-out': { state: 'BACKUP' },
} as const;

/** A new kind of action does not compile until it has a case here. */
function stepsOf(actions: readonly Action[]): Step[] {
  const steps: Step[] = [];
  for (const action of actions) {
    switch (action.kind) {
      case 'set-advskew':
      case 'take':
      case 'step-out': {
        const { interface: name, vhid, advskew } = action;
        const state = STATE_AFTER[action.kind];
        const before = steps.at(-1);
        const change = { interface: name, vhid, advskew, ...state };
        if (before?.kind === 'set') {
          before.actions.push(action);
          before.changes.push(change);
        } else steps.push({ kind: 'set', actions: [action], changes: [change] });
        break;
      }
      case 'advertise':
      case 'fence':
      case 'unfence':
        steps.push({ kind: action.kind, actions: [action] });
    }
  }
  return steps;
}

function perform(step: Step, carp: CarpControl): Promise<void> {
  switch (step.kind) {
    case 'set':
      return carp.set(step.changes);
    case 'advertise':
      return carp.advertise();
    case 'fence':
      return carp.allow(false);
    case 'unfence':
      return carp.allow(true);
  }
}
