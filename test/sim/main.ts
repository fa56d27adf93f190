import { parseArgs } from 'node:util';
import { BUGS } from './bugs.ts';
import { fieldKind } from './plan.ts';
import { runSeed, type Result, type RunOptions } from './run.ts';
import { firstFailure, runSeeds } from './workers.ts';

/**
 * npm run sim -- [--seeds N] [--first S] [--nodes 2|3] [--minutes 10]   many seeds; exit 1 when one fails
 *    [--often KIND]                                                      with one kind of the field's faults in most storms
 * npm run sim -- --bugs [--seeds N]                                      every planted bug is found; exit 1 when one is not
 * npm run sim -- --seed S [--nodes 2|3] [--minutes 10]                  one seed, with its whole story
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    nodes: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    lines: { type: 'string', default: '120' },
    keep: { type: 'boolean', default: false },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
    often: { type: 'string' },
  },
});

const options: RunOptions = {
  nodes: values.nodes === undefined ? null : Number(values.nodes),
  minutes: Number(values.minutes),
  lines: { failed: Number(values.lines), passed: 0 },
  ...(values.often === undefined ? {} : { often: fieldKind(values.often) }),
  ...(values.bug === undefined ? {} : { bug: values.bug }),
};

if (values.bugs) {
  process.exitCode = (await hunt()) ? 0 : 1;
} else if (values.seed !== undefined) {
  const all = { failed: Infinity, passed: Infinity };
  const result = await runSeed(Number(values.seed), { ...options, lines: all });
  console.log(result.story);
  console.log(verdict(result));
  process.exitCode = result.violation === null ? 0 : 1;
} else {
  const first = Number(values.first);
  const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => first + at);
  const startedAt = performance.now();
  const failures: Result[] = [];
  let cpuMs = 0;
  let done = 0;
  await runSeeds(seeds, options, (result) => {
    ({ cpuMs } = { cpuMs: cpuMs + result.cpuMs });
    done += 1;
    // Of a run of an hour that somebody ends before its time this is what is known.
    if (done % 500 === 0) console.error(`${done} of ${seeds.length}: ${failures.length} failed`);
    if (result.violation === null) return true;
    failures.push(result);
    console.log(verdict(result));
    return true;
  });
  for (const result of failures.slice(0, values.keep ? Infinity : 1)) {
    console.log(
      `\nseed ${result.seed}, its last lines (npm run sim -- --seed ${result.seed} has all):`,
    );
    console.log(result.story);
  }
  const took = ((performance.now() - startedAt) / 1000).toFixed(1);
  const each = (cpuMs / seeds.length / 1000).toFixed(2);
  console.log(
    `${seeds.length} seeds of ${options.minutes} minutes: ${failures.length} failed; ${took} s, ${each} s of processor each`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Looks for every bug that was planted; true when each was found. */
async function hunt(): Promise<boolean> {
  const first = Number(values.first);
  const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => first + at);
  const wanted = BUGS.filter((one) => values.bug === undefined || one.name === values.bug);
  let all = true;
  for (const { name, often } of wanted) {
    const found = await firstFailure(seeds, { ...options, bug: name, ...(often && { often }) });
    all &&= found !== null;
    console.log(
      `${name}: ${found === null ? `NOT FOUND in ${seeds.length} seeds` : verdict(found)}`,
    );
  }
  return all;
}

function verdict({ seed, violation, cpuMs }: Result): string {
  if (violation === null) return `seed ${seed}: ok (${cpuMs.toFixed(0)} ms)`;
  const seconds = (violation.atMs / 1000).toFixed(1);
  return `seed ${seed}: ${violation.invariant} at ${seconds} s: ${violation.text}`;
}
