import { readFileSync, readdirSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { setPriority } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutantsOf, mutated, type Mutant } from './mutants.ts';
import { endRuns } from './run.ts';
import { readSame, linesOf } from './same.ts';
import { removeShadow, shadowOf } from './shadow.ts';
import { measure, tryMutant, type Measured } from './trial.ts';

/**
 * npm run mutate -- [PATH...] [--seed S] [--most N] [--all] [--again FILE]
 *   small changes, one at a time, that the tests should notice; exit 1 when less than 90 % are
 *   --again: only those that nobody noticed according to FILE, the output of an earlier run
 */
const WORKERS = 2;
const WANTED = 0.9;
const PLACES = ['agent/core', 'agent/gossip', 'agent/certs/swap.ts', 'agent/privilege'];
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    most: { type: 'string', default: '200' },
    all: { type: 'boolean', default: false },
    again: { type: 'string' },
  },
});

interface Chosen {
  readonly file: string;
  readonly text: string;
  readonly mutant: Mutant;
}
interface Told extends Chosen {
  readonly end: string;
}

// Whoever else works on this machine goes first.
setPriority(19);
process.umask(0o022);
const startedMs = performance.now();
const files = (positionals.length > 0 ? positionals : PLACES).flatMap(builtFrom).sort();
const all = files.flatMap((file): Chosen[] => {
  const text = readFileSync(join(root, file), 'utf8');
  return mutantsOf(text).map((mutant) => ({ file, text, mutant }));
});
const unnoticed = values.again === undefined ? null : readFileSync(values.again, 'utf8');
const chosen = shuffled(all, Number(values.seed))
  .filter((one) => unnoticed === null || unnoticed.includes(`\n${linesNamed(one)}\n`))
  .slice(0, values.all || unnoticed !== null ? undefined : Number(values.most));
console.error(`${all.length} mutants of ${files.length} files; ${chosen.length} are tried`);
const same = readSame(join(root, 'test/mutate/same.txt'));
const shadows = Array.from({ length: WORKERS }, () => shadowOf(root));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endRuns();
    shadows.forEach(removeShadow);
    process.exit(130);
  });
try {
  const measured = await measure(shadows, files);
  const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(0);
  console.error(`${measured.length} files of tests reach them, measured in ${seconds()} s`);
  const told = await tryAll(measured);
  report(told);
  console.log(`seed ${values.seed}, ${seconds()} s`);
} finally {
  shadows.forEach(removeShadow);
}

async function tryAll(measured: readonly Measured[]): Promise<Told[]> {
  const rest = chosen.entries();
  const told: Told[] = [];
  await Promise.all(
    shadows.map(async (shadow) => {
      for (const [, one] of rest) {
        const end = isListed(one) ? 'listed' : await tryMutant(shadow, one, measured);
        told.push({ ...one, end });
        if (end === 'nobody') console.log(`not noticed: ${named(one)}`);
        if (told.length % 50 === 0) console.error(`${told.length} of ${chosen.length}`);
      }
    }),
  );
  return told;
}

function report(told: readonly Told[]): void {
  const places = new Map<string, Told[]>();
  for (const one of told) {
    const place = dirname(relative('dist', one.file));
    places.set(place, [...(places.get(place) ?? []), one]);
  }
  for (const [place, some] of [...places].sort()) console.log(`${place}: ${counts(some)}`);
  console.log(`all: ${counts(told)}`);
  const { noticed, tried } = numbers(told);
  process.exitCode = noticed >= WANTED * tried ? 0 : 1;
}

function counts(some: readonly Told[]): string {
  const { noticed, tried, late, listed } = numbers(some);
  const share = tried === 0 ? 100 : (100 * noticed) / tried;
  return `${noticed} of ${tried} noticed (${share.toFixed(1)} %), ${late} of them by the time limit; ${listed} more are listed as the same program`;
}

function numbers(some: readonly Told[]) {
  const of = (end: string): number => some.filter((one) => one.end === end).length;
  const late = of('time');
  const noticed = of('failed') + late;
  return { noticed, late, tried: noticed + of('nobody'), listed: of('listed') };
}

function isListed({ file, text, mutant }: Chosen): boolean {
  const [was, becomes] = linesOf(text, mutated(text, mutant), mutant.start);
  const source = sourceOf(file);
  return same.some((one) => one.file === source && one.was === was && one.becomes === becomes);
}

function named(one: Chosen): string {
  const { file, text, mutant } = one;
  const lines = text.slice(0, mutant.start).split('\n');
  const map = new SourceMap(JSON.parse(readFileSync(join(root, `${file}.map`), 'utf8')));
  const entry = map.findEntry(lines.length - 1, (lines.at(-1) ?? '').length);
  const line = 'originalLine' in entry ? entry.originalLine + 1 : '?';
  return `${sourceOf(file)}:${line}\n${linesNamed(one)}`;
}

function linesNamed({ text, mutant }: Chosen): string {
  const [was, becomes] = linesOf(text, mutated(text, mutant), mutant.start);
  return `- ${was}\n+ ${becomes}`;
}

function sourceOf(file: string): string {
  return relative('dist', file).replace(/\.js$/, '.ts');
}

/** The built modules of a source file or folder. */
function builtFrom(path: string): string[] {
  const built = join('dist', path).replace(/\.ts$/, '.js');
  if (built.endsWith('.js')) return [built];
  return readdirSync(join(root, built), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(built, name));
}

/** The same order for the same seed. */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = list.map((one) => ({ one, by: random() }));
  return order.sort((a, b) => a.by - b.by).map(({ one }) => one);
}
