import { setTimeout as sleep } from 'node:timers/promises';
import { startProbe, type Probe } from '../../lab/client.ts';
import type { LabNode, LabReport } from '../../lab/report.ts';
import { broken, type Running } from './contender.ts';

/** Something that happens to the host that has the address. */
export interface Scene {
  readonly name: string;
  /** Null: this contender has nothing that could break so. */
  readonly act: (at: Stage) => Promise<void> | null;
  readonly mend: (at: Stage) => Promise<void>;
}

export interface Stage {
  readonly lab: LabReport;
  readonly running: Running;
  /** The host that has the address, and the other one. */
  readonly first: LabNode;
  readonly second: LabNode;
}

/** What a client with 200 new connections a second saw of one scene. */
export interface Seen {
  readonly gapMs: number;
  readonly lost: number;
  /** The other host answered within the time that was given. */
  readonly moved: boolean;
}

/** A client is started anew so often until somebody answers it: neighbour entries can be old. */
const TRIES = 3;
/** Longer nobody is waited for: the address stays where it is. */
const PATIENCE_MS = 10_000;
/** In which a second gap would show, of an address that both hosts want. */
const AFTERWARDS = 300;

const nothing = (): Promise<void> => Promise.resolve();
const fault = (name: string, fault: string): Scene => ({
  name,
  act: ({ lab, first }) => broken(lab, fault, 'on', first).then(() => undefined),
  mend: ({ lab, first }) => broken(lab, fault, 'off', first).then(() => undefined),
});

/** Every scene of the comparison, in the order of the table. */
export const SCENES: readonly Scene[] = [
  {
    name: 'planned move',
    act: ({ running, first, second }) => running.move(first, second),
    mend: nothing,
  },
  fault('HAProxy killed', 'kill-haproxy'),
  fault('HAProxy stopped softly', 'soft-stop-haproxy'),
  fault('HAProxy frozen', 'freeze-haproxy'),
  fault('its host cut off', 'cut'),
  {
    name: 'its daemon killed',
    act: ({ running, first }) => running.daemon?.(first, 'dies') ?? null,
    mend: async ({ running, first }) => running.daemon?.(first, 'lives'),
  },
  fault('adverts filtered', 'carp'),
];

/** Plays one scene once, mends it, and has the address at home again; null: nothing could break so. */
export async function play(scene: Scene, stage: Stage): Promise<Seen | null> {
  const { lab, running, first, second } = stage;
  const probe = await settledProbe(lab, first);
  const done = scene.act(stage);
  if (done === null) {
    await probe.end();
    return null;
  }
  await done;
  const moved = await movedTo(probe, second);
  const { longest_gap_ms: gapMs, failed } = await probe.end();
  await scene.mend(stage);
  await running.home();
  return { gapMs, lost: failed, moved };
}

/**
 * A client that has had nothing but answers of this host for a while: what it waited for at first
 * belongs to what was before.
 */
async function settledProbe(lab: LabReport, { name }: LabNode): Promise<Probe> {
  for (let tries = 1; ; tries++) {
    const first = await startProbe(lab).catch((error: unknown) => {
      if (tries === TRIES) throw error;
      return null;
    });
    if (first === null) continue;
    await first.answeredBy(name, 100);
    await first.end();
    const probe = await startProbe(lab);
    await probe.answeredBy(name, 20);
    return probe;
  }
}

/** Whether a host answers within what one is ready to wait; what comes afterwards is seen too. */
async function movedTo(probe: Probe, { name }: LabNode): Promise<boolean> {
  const answered = probe.answeredBy(name, 20).then(
    () => true,
    () => false,
  );
  const moved = await Promise.race([answered, sleep(PATIENCE_MS, false)]);
  if (moved) await probe.more(AFTERWARDS);
  return moved;
}
