import { openSync } from 'node:fs';
import { listener } from '../../agent/haproxy/listener.ts';
import { olderProcesses } from '../../agent/haproxy/older.ts';
import { watchHaproxy } from '../../agent/haproxy/watch.ts';
import { systemClock } from '../../agent/sys/clock.ts';

// Watches a HAProxy from a process of its own and prints what is said of it, a line each.
//   nobody   as a user whom the mode of the stats socket keeps out
//   full     opens files until it has no descriptor left, once HAProxy is up
const [how = '', socketPath = '', config = ''] = process.argv.slice(2);
// From here on, since nobody may be kept out of the folder of the checkout.
if (how === 'nobody' && process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
let filling: NodeJS.Timeout | null = null;
watchHaproxy({
  socketPath,
  clock: systemClock,
  hungAfterMs: 5000,
  listener: listener({ config, frontends: [], probe: '', elsewhere: () => [] }),
  process: () => Promise.resolve(null),
  older: olderProcesses(systemClock),
  onChange(liveness) {
    process.stdout.write(`${JSON.stringify(liveness)}\n`);
    // What is closed meanwhile is taken too.
    if (how === 'full' && liveness.kind === 'up') filling ??= setInterval(fill, 10);
  },
});
// It ends with who started it.
process.stdin.resume().on('end', () => process.exit());

function fill(): void {
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {
    // EMFILE: that is what was wanted.
  }
}
