#!/usr/bin/env node
import { listenForInterrupts } from './interrupt.ts';
import { run } from './program.ts';
import { exit, streams } from './streams.ts';

async function main(): Promise<void> {
  const [first, ...others] = process.argv.slice(2);
  if (first === '__complete') {
    const { complete } = await import('./complete/answer.ts');
    return exit(await complete(others));
  }
  listenForInterrupts();
  exit(await run(process.argv.slice(2), streams));
}

// No top-level await: the bundle is CommonJS.
void main();
