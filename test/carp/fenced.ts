import { readFileSync } from 'node:fs';
import { carp, type CarpTools } from '../../agent/carp/carp.ts';
import { execWithin } from '../../agent/sys/exec.ts';

// Fences its host and stays: to be killed.
const [file = ''] = process.argv.slice(2);
const tools = JSON.parse(readFileSync(file, 'utf8')) as CarpTools;
await carp({ exec: execWithin(10_000), tools }).allow(false);
setInterval(() => undefined, 60_000);
