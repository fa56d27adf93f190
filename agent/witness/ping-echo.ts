import type { Exec } from '../sys/exec.ts';
import type { Echo, OnReply } from './echo.ts';

/**
 * Echo through ping(8), one process a probe: for hosts where raw-socket is not
 * built. Slower, so it asks less often; one probe per address at a time.
 */
export function pingEcho(exec: Exec, ping: string, onReply: OnReply): Echo {
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
        .catch(() => undefined)
        .finally(() => underWay.delete(address));
    },
    close: () => undefined,
  };
}
