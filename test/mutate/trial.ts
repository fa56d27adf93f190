import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutated, type Mutant } from './mutants.ts';
import { comesBy, counting, importedBy, type Reach } from './reach.ts';
import { runTests } from './run.ts';

/** What takes minutes, or other hosts, programs or the clock, is not asked. */
const LEFT_OUT = new Set(
  'pair long observed sim fuzz packaging kernel service ansible'
    .split(' ')
    .map((room) => `dist/test/${room}`),
);
/** Rooms whose tests touch nothing but memory: many files share one process. */
const PURE = /^dist\/test\/(core|doctor|gossip|wire)\//;
const MEASURED_LIMIT_MS = 60_000;
const SECONDS_MS = 20_000;
const GRACE_MS = 15_000;
/** Tests that reach a module over more imports than that are tests of something else; those of commands at all. */
const NEAR = 3;
const COMMANDS = /^dist\/test\/ctl\//;

/** A file of tests, how long it takes, and where it comes by. */
export interface Measured {
  readonly file: string;
  readonly ms: number;
  readonly reach: Reach;
  /** By module, over how many imports. */
  readonly imports: ReadonlyMap<string, number>;
}

/** Runs each file of tests once that is near one of these modules; what fails here or takes long is named and left out. */
export async function measure(
  shadows: readonly string[],
  modules: readonly string[],
  say: (line: string) => void = console.error,
): Promise<Measured[]> {
  const [first = ''] = shadows;
  const rest = readdirSync(join(first, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join('dist/test', name))
    .filter((file) => !LEFT_OUT.has(file.split('/').slice(0, 3).join('/')))
    .map((file) => ({ file, imports: importedBy(first, file) }))
    .filter(({ file, imports }) => modules.some((module) => isNear({ file, imports }, module)))
    .values();
  const measured: Measured[] = [];
  await Promise.all(
    shadows.map(async (shadow) => {
      for (const { file, imports } of rest) {
        const { folder, end } = counting(shadow);
        const run = await runTests(shadow, [file], MEASURED_LIMIT_MS, folder);
        const reach = end();
        if (run.end !== 'passed') say(`${file} is left out: ${run.end}; ${run.said.slice(0, 300)}`);
        else if (run.ms > SECONDS_MS)
          say(`${file} is left out: it takes ${(run.ms / 1000).toFixed(0)} s`);
        else measured.push({ file, ms: run.ms, reach, imports });
      }
    }),
  );
  return measured.sort((a, b) => a.ms - b.ms);
}

/** Which end the tests come to with this mutant in the shadow; `nobody` notices it where all pass. */
export async function tryMutant(
  shadow: string,
  { file, text, mutant }: { file: string; text: string; mutant: Mutant },
  measured: readonly Measured[],
  graceMs = GRACE_MS,
): Promise<'failed' | 'time' | 'nobody'> {
  const path = join(shadow, file);
  replace(path, mutated(text, mutant));
  try {
    for (const group of groupsFor(file, mutant, measured)) {
      const ms = group.reduce((sum, one) => sum + one.ms, 0);
      const files = group.map((one) => one.file);
      const { end } = await runTests(shadow, files, graceMs + 5 * ms);
      if (end !== 'passed') return end;
    }
    return 'nobody';
  } finally {
    replace(path, text);
  }
}

/** A process that has the old file open keeps it. */
function replace(path: string, text: string): void {
  rmSync(path);
  writeFileSync(path, text);
}

const isNear = ({ file, imports }: Pick<Measured, 'file' | 'imports'>, module: string): boolean =>
  (imports.get(module) ?? Infinity) <= (COMMANDS.test(file) ? 1 : NEAR);

/** The files of tests that come by, those of one process together, the quick ones first. */
function groupsFor(
  file: string,
  { start, end }: Mutant,
  measured: readonly Measured[],
): Measured[][] {
  const middle = Math.floor((start + end - 1) / 2);
  const near = measured.filter((one) => isNear(one, file));
  let some = near.filter(({ reach }) => comesBy(reach, file, middle));
  // A child that was killed has counted nothing.
  const room = file.split('/')[2] ?? '';
  if (some.length === 0) some = near.filter((one) => one.file.split('/')[2] === room);
  const pure = some.filter((one) => PURE.test(one.file));
  const others = some.filter((one) => !PURE.test(one.file)).map((one) => [one]);
  return pure.length > 0 ? [pure, ...others] : others;
}
