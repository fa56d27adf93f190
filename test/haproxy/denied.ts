import { RuntimeError, runtime } from '../../agent/haproxy/runtime.ts';

// Asks a stats socket it has no right to, and prints how that failed. Root may connect to anything,
// so root asks as nobody: from here on, since nobody may be kept out of the folder of the checkout.
const [path = ''] = process.argv.slice(2);
if (process.getuid?.() === 0) {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
try {
  await runtime(path, { deadlineMs: 5000 })('show info');
} catch (error) {
  process.stdout.write(JSON.stringify(error instanceof RuntimeError ? error.failure : null));
}
