import { writeSync } from 'node:fs';
import { createServer } from 'node:net';

// Listens at a path with a queue for one and never accepts: what comes finds the queue full.
const [path = ''] = process.argv.slice(2);
createServer().listen({ path, backlog: 1 });
writeSync(1, 'listens\n');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
