/** A frame as a switch sees it come in: all that it learns from. */
export interface Passing {
  readonly atMs: number;
  readonly port: string;
  /** The Ethernet source. */
  readonly mac: string;
}

/** An address came to the host behind `port`. */
export interface Taking {
  readonly atMs: number;
  readonly port: string;
}

/**
 * For each taking, how long until the next one the switch sent frames for `mac` to another port, ms.
 * A switch learns the source of every frame, whatever it is, and forgets the port it knew
 * (IEEE 802.1D, 7.8, the learning process): the last frame decides.
 */
export function wrongPortMs(
  mac: string,
  frames: readonly Passing[],
  takings: readonly Taking[],
): number[] {
  const learning = frames
    .filter((frame) => frame.mac === mac)
    .toSorted((one, other) => one.atMs - other.atMs);
  const endMs = learning.at(-1)?.atMs ?? 0;
  return takings.map(({ atMs, port }, at) => {
    const untilMs = takings[at + 1]?.atMs ?? endMs;
    let wrongMs = 0;
    let sinceMs = atMs;
    let known = learning.findLast((frame) => frame.atMs < atMs)?.port;
    for (const frame of learning.filter((one) => one.atMs >= atMs && one.atMs < untilMs)) {
      if (known !== port) wrongMs += frame.atMs - sinceMs;
      known = frame.port;
      sinceMs = frame.atMs;
    }
    return known === port ? wrongMs : wrongMs + untilMs - sinceMs;
  });
}
