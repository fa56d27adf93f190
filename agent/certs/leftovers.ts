import type { NodeSwapParts } from './port.ts';

/**
 * Removes what an agent that was killed has staged beside the files of all loaded certificates:
 * there may be a key in it. Only while no swap is open, whose files they would be. One whose files
 * are not certain has none beside them: a push there is refused. Rejects where HAProxy cannot be
 * asked or a file cannot be removed.
 */
export async function removeLeftovers({ haproxy, files, placing }: NodeSwapParts): Promise<void> {
  const paths = await haproxy.paths();
  const places = await Promise.allSettled(paths.map(placing()));
  const beside = places.flatMap((place) =>
    place.status === 'fulfilled' ? [place.value.certificate, place.value.key] : [],
  );
  await files.unstage([...new Set(beside)].filter((path) => path !== null));
}
