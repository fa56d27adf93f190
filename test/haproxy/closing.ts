import { frontends } from '../../agent/haproxy/frontends.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { haproxy } from '../reports.ts';

// An agent's part that closes frontends: node closing.js SOCKET FOLDER NAME..., says "closed", waits.
const [path = '', folder = '', ...names] = process.argv.slice(2);
const closing = frontends({
  node: 'haproxy01',
  clock: systemClock,
  ask: runtime(path, { deadlineMs: 5000 }),
  path: () => path,
  report: () => haproxy({ frontends: names.map((name) => ({ name, open: true, required: true })) }),
  look: () => Promise.resolve(),
  onChange: () => undefined,
  folder,
});
await closing.close('frontends', 60_000);
process.stdout.write('closed\n');
setInterval(() => undefined, 60_000);
