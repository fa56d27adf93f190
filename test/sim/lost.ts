import { compareStamps } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { decode } from '../../agent/store/state.ts';
import { STATE_FILE } from './agent.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/** A disk was replaced: what no disk and no living agent holds any more can come back from nowhere. */
export function forgetLost(world: World): void {
  for (const [key, acked] of world.acknowledged) {
    const holds = (intent: Intent): boolean =>
      intent.key === key && compareStamps(intent.stamp, acked.stamp) >= 0;
    if (!world.hosts.some((host) => held(host).some(holds))) world.acknowledged.delete(key);
  }
}

const held = (host: Host): readonly Intent[] => [
  ...(host.agent?.intents().values() ?? []),
  ...stored(host, STATE_FILE),
  ...stored(host, `${STATE_FILE}.1`),
];

function stored(host: Host, path: string): readonly Intent[] {
  try {
    return decode(host.disk.content(path) ?? '').intents;
  } catch {
    return [];
  }
}
