import { randomBytes } from 'node:crypto';
import { happening, type Happening } from '../core/events/events.ts';
import { changesInWords, comparing, type ConfigChanges } from '../core/haproxy-config/changes.ts';
import type { ConfigReading } from '../core/haproxy-config/reading.ts';
import type { ConfigReader } from '../haproxy/config-reading.ts';
import type { Clock } from '../sys/clock.ts';
import { othersTurn } from '../sys/turn.ts';

const LOOK_MS = 10_000;

/**
 * Tells of files of HAProxy's configuration that are changed on this host while the agent runs:
 * between 10 and 20 s later, once they rest, so that one edit is one event. What HAProxy was started
 * with other files for is none.
 */
export function watchConfig(
  reader: ConfigReader,
  clock: Clock,
  tell: (happened: readonly Happening[]) => void,
): { stop(): void } {
  // Of secrets only this process can say whether they are what they were.
  const key = randomBytes(32);
  let known: ConfigReading | null = null;
  let [stamp, seen] = ['', ''];
  let stopped = false;
  let cancel = clock.after(0, () => void look());

  async function look(): Promise<void> {
    const now = await reader.stamp().catch(() => '');
    if (known === null || (now !== stamp && now === seen)) {
      const reading = await reader.read(key);
      // One that was written meanwhile is for the next look.
      if (!stopped && (await reader.stamp().catch(() => '')) === now) {
        if (known !== null) tell(await changes(known, reading));
        [known, stamp] = [reading, now];
      }
    }
    seen = now;
    if (!stopped) cancel = clock.after(LOOK_MS, () => void look());
  }

  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}

async function changes(before: ConfigReading, after: ConfigReading): Promise<Happening[]> {
  const events: Happening[] = [];
  const more = { from: before.version, to: after.version, remedy: REMEDY };
  for (const problem of after.problems.filter((one) => !before.problems.includes(one)))
    events.push(happening('haproxy-config-changed', problem.split(' ')[0] ?? '', problem, more));
  for (const { path, text, changedAt } of after.files) {
    const old = before.files.find((one) => one.path === path);
    if (old === undefined || old.text === text) continue;
    const what = changesInWords(await changesOf(old.text, text));
    const isLoaded = after.loaded === 'yes' ? '' : '; HAProxy has not loaded it yet';
    const said = `${path} was changed at ${changedAt.slice(0, 19)}Z: ${what}${isLoaded}`;
    events.push(happening('haproxy-config-changed', path, said, more));
  }
  return events;
}

async function changesOf(before: string, after: string): Promise<ConfigChanges> {
  const steps = comparing([before], [after]);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await othersTurn();
  }
}

const REMEDY = 'proxyctl config diff shows what differs between the nodes now';
