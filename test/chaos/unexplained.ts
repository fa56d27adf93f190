import { faultOf } from './actions.ts';
import type { Seen } from './words.ts';

/** So long after it clients may feel what has happened: neighbours learn anew, TCP asks again. */
const AFTER_MS = 5000;
/** A machine that is busy loses one or two for nobody's fault. */
const FEW = 2;

/**
 * Requests and long sessions that failed while the address stayed and nothing was broken that clients
 * can feel: no agent's death, no command and no new certificate costs them anything. One sentence each.
 */
export function unexplained({ attempts, sessions, held, broken, nodes }: Seen): string[] {
  const felt = broken.filter(({ name }) => faultOf(name)?.felt === true);
  const quiet = (fromMs: number, toMs: number): boolean =>
    !held.some(({ atMs }) => atMs >= fromMs - AFTER_MS && atMs <= toMs) &&
    !felt.some((one) => one.fromMs <= toMs && one.toMs >= fromMs - AFTER_MS);
  const failed = attempts.filter(
    ({ by, to, atMs, tookMs }) => by === null && !nodes.includes(to) && quiet(atMs, atMs + tookMs),
  );
  const cut = sessions.filter(({ whole, atMs, tookMs }) => !whole && quiet(atMs, atMs + tookMs));
  const [first] = failed;
  return [
    ...(first === undefined || failed.length <= FEW
      ? []
      : [
          `${failed.length} requests failed though the address stayed and nothing was broken that clients feel; the first to ${first.to}, ${first.why}, at ${time(first.atMs)}`,
        ]),
    ...cut.map(
      ({ atMs }) =>
        `a long session of ${time(atMs)} was cut though the address stayed and nothing was broken that clients feel`,
    ),
  ];
}

const time = (atMs: number): string => new Date(atMs).toISOString().slice(11, 23);
