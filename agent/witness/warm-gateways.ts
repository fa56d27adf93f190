import { isIPv6 } from 'node:net';
import type { Clock } from '../sys/clock.ts';
import type { Echo } from './echo.ts';

/** An entry that is used so often is asked for again before it ends (FreeBSD 12.1: every 5 s did). */
const WARM_MS = 5000;
/** Router advertisements may name another gateway. */
const READ_MS = 60_000;

/**
 * The same echo, which also asks the IPv6 default gateways of `read`, every five seconds or sooner,
 * as long as `wanted`. Their answers are nobody's. A MASTER without an entry for its gateway asks for
 * it with a VIP and the physical MAC, and the gateway then stays on this host when the VIP moves; a
 * host that sends to it from an address of its own, which the kernel prefers, has the entry already.
 */
export function warmGateways(
  echo: Echo,
  options: {
    readonly clock: Clock;
    readonly read: () => Promise<readonly string[]>;
    readonly wanted: () => boolean;
  },
): Echo {
  const { clock, read, wanted } = options;
  if (echo.kind === 'none') return echo;
  let gateways: readonly string[] = [];
  let followed: readonly string[] = [];
  let readAtMs = -Infinity;
  let closed = false;
  let cancel = (): void => {};

  const follow = (): void => echo.follow?.([...new Set([...followed, ...gateways])]);

  async function look(): Promise<void> {
    readAtMs = clock.nowMs();
    const found = (await read().catch(() => gateways)).filter((one) => isIPv6(one));
    const isNew = found.join() !== gateways.join();
    gateways = found;
    if (isNew && !closed) follow();
  }

  async function tick(): Promise<void> {
    if (wanted() && clock.nowMs() - readAtMs >= READ_MS) await look();
    if (closed) return;
    if (echo.follow === undefined) for (const address of gateways) echo.send(address);
    cancel = clock.after(WARM_MS, () => void tick());
  }

  void tick();
  return {
    ...echo,
    ...(echo.follow === undefined
      ? {}
      : {
          follow(addresses) {
            followed = addresses;
            follow();
          },
        }),
    close() {
      closed = true;
      cancel();
      echo.close();
    },
  };
}
