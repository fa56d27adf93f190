/** Something that listens where agent.toml says, and nowhere as long as it says so. */
export interface Shown<Place> {
  /** From now on there. Resolves once it is on its way; what cannot be had is told as a problem. */
  become(place: Place): Promise<void>;
  close(): void;
}

/** Starts it by `start` when there is an address for the first time; one change after the other. */
export function shown<Place extends { readonly listen: readonly string[] }>(
  start: (place: Place) => Promise<{ become(place: Place): void; close(): void }>,
): Shown<Place> {
  let running: Awaited<ReturnType<typeof start>> | null = null;
  let closed = false;
  let last: Promise<void> = Promise.resolve();

  async function change(place: Place): Promise<void> {
    if (closed) return;
    if (running !== null) return running.become(place);
    if (place.listen.length === 0) return;
    running = await start(place);
    if (closed) running.close();
  }
  return {
    become: (place) => (last = last.then(() => change(place))),
    close() {
      closed = true;
      running?.close();
    },
  };
}
