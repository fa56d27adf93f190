import { RuntimeError, runtime } from '../../agent/haproxy/runtime.ts';

// Asks a stats socket it has no right to, and prints how that failed.
const [path = ''] = process.argv.slice(2);
try {
  await runtime(path, { deadlineMs: 5000 })('show info');
} catch (error) {
  process.stdout.write(JSON.stringify(error instanceof RuntimeError ? error.failure : null));
}
