import { readFileSync } from 'node:fs';
import type { HostConfig } from './config.ts';
import { runHost } from './daemon.ts';

// One FreeBSD host's CARP kernel in this network namespace: node main.js CONFIG.json
const path = process.argv[2];
if (path === undefined) {
  process.stderr.write('usage: main.js CONFIG.json\n');
  process.exit(2);
}
await runHost(JSON.parse(readFileSync(path, 'utf8')) as HostConfig);
process.stdout.write('ready\n');
