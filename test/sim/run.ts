import { planted } from './bugs.ts';
import { optionsFor, storms, type FieldKind } from './plan.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

/** What one seed came to. */
export interface Result {
  readonly seed: number;
  /** Null: every invariant held. */
  readonly violation: {
    readonly invariant: string;
    readonly text: string;
    readonly atMs: number;
  } | null;
  /** Lines of what happened. */
  readonly story: string;
  readonly cpuMs: number;
}

export interface RunOptions {
  /** Null: two mostly, some three. */
  readonly nodes: number | null;
  readonly minutes: number;
  /** Lines of story wanted: of a run that failed, and of one that did not. */
  readonly lines: { readonly failed: number; readonly passed: number };
  /** Goes wrong in most storms, besides what is drawn. */
  readonly often?: FieldKind;
  /** Name of a bug on purpose. */
  readonly bug?: string;
}

/** One seed from beginning to end; the same seed always comes to the same. */
export async function runSeed(seed: number, options: RunOptions): Promise<Result> {
  const startedAt = process.cpuUsage();
  const world = new World({ ...optionsFor(seed, options.nodes), planted: planted(options.bug) });
  let violation: Result['violation'] = null;
  // A rejection that nobody handles would have ended the agent.
  const escaped: unknown[] = [];
  const crashed = (error: unknown): void => void escaped.push(error);
  process.on('unhandledRejection', crashed);
  try {
    await world.begin();
    const endMs = world.nowMs + options.minutes * 60_000;
    storms(world, endMs, options.often);
    while (world.nowMs < endMs && escaped.length === 0)
      await world.run(Math.min(1000, endMs - world.nowMs));
    for (const error of escaped) throw error;
  } catch (error) {
    const { nowMs } = world;
    const text = error instanceof Error ? error.message : String(error);
    const invariant = error instanceof Violation ? error.invariant : 'no-crash';
    const where = error instanceof Violation || !(error instanceof Error) ? '' : `\n${error.stack}`;
    world.story.say('', `VIOLATION ${invariant}: ${text}${where}`);
    violation = { invariant, text, atMs: nowMs };
  } finally {
    process.off('unhandledRejection', crashed);
  }
  const { user, system } = process.cpuUsage(startedAt);
  const { failed, passed } = options.lines;
  const story = world.story.text(violation === null ? passed : failed);
  return { seed, violation, story, cpuMs: (user + system) / 1000 };
}
