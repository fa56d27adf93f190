import { drain } from './drain.ts';
import { idle } from './idle.ts';
import { move } from './move.ts';
import { servers } from './servers.ts';
import { start } from './start.ts';
import { swap } from './swap.ts';
import { turns } from './turns.ts';

// Benchmarks by name: npm run -s bench -- NAME. Each prints one JSON object on one line. With the Node
// that the package depends on: npm run -s bench:node -- 24 NAME.

const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  drain,
  idle,
  move,
  servers,
  start,
  swap,
  turns,
};

const [, , name = ''] = process.argv;
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`bench: give one of ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
} else {
  const figures = await bench();
  process.stdout.write(`${JSON.stringify({ bench: name, ...Object(figures) })}\n`);
}
