import { parseArgs } from 'node:util';
import { all } from './all.ts';
import { compare } from './compare/compare.ts';
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
  compare,
  drain,
  idle,
  move,
  servers,
  start,
  swap,
  turns,
};

// Without a NAME all of them, and docs/benchmarks.md is written: npm run bench -- [--rounds N]

const [, , name = ''] = process.argv;
const bench = BENCHES[name];
if (name === '' || name.startsWith('--')) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
  process.stdout.write(`${JSON.stringify(await all(Number(values.rounds)))}\n`);
} else if (bench === undefined) {
  process.stderr.write(`bench: give one of ${Object.keys(BENCHES).join(', ')}, or none for all\n`);
  process.exitCode = 2;
} else {
  const figures = await bench();
  process.stdout.write(`${JSON.stringify({ bench: name, ...Object(figures) })}\n`);
}
