import type { Clock } from '../sys/clock.ts';

/** ntpd slews by 0.5 ms a second at most; what is more in one look was a step. */
const STEP_MS = 100;

/** Tells at each call whether the wall clock was set, by more than 0.1 s either way, since the call before. */
export function clockSteps(clock: Clock): () => boolean {
  const ahead = (): number => clock.wallMs() - clock.nowMs();
  let last = ahead();
  return () => {
    const now = ahead();
    const stepped = Math.abs(now - last) > STEP_MS;
    last = now;
    return stepped;
  };
}
