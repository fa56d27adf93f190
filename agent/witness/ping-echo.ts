import { noDescriptor } from '../core/descriptors.ts';
import type { Exec } from '../sys/exec.ts';
import type { Echo, OnReply } from './echo.ts';

/**
 * Echo through ping(8), one process a probe, for hosts where raw-socket is not built: while somebody
 * is suspect (standing-ping.ts asks while all is well). Slower, so it asks less often; one probe per
 * address at a time. `onUnsent` hears of those that no descriptor was left for: they are no silence.
 */
export function pingEcho(
  exec: Exec,
  ping: string,
  onReply: OnReply,
  onUnsent: OnReply = () => undefined,
): Echo {
  const underWay = new Set<string>();
  // -t is the limit on FreeBSD and the hop limit on Linux, where -W is the limit.
  const limit = process.platform === 'freebsd' ? ['-t', '1'] : ['-W', '1'];
  return {
    kind: 'ping',
    calmMs: 1000,
    hastyMs: 150,
    send(address) {
      if (underWay.has(address)) return;
      underWay.add(address);
      const asked = exec(ping, ['-n', '-c', '1', ...limit, address]);
      void asked
        .then(() => onReply(address))
        .catch((error: unknown) => {
          if (noDescriptor(error) !== null) onUnsent(address);
        })
        .finally(() => underWay.delete(address));
    },
    close: () => undefined,
  };
}
