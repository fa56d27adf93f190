import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installedHaproxy, labDown, labUp } from '../lab/lab.ts';
import { BUGS } from './bugs.ts';
import { clientSaw, run } from './run.ts';

/**
 * npm run chaos -- [--minutes 5] [--seed S] [--nodes 2|3] [--report FILE] [--plant BUG]
 * The pair in the lab under faults and operators at random: the same seed has the same plan.
 * With a bug planted in the agents (test/chaos/bugs.ts) it is to be found: exit 0 where it is.
 * Exit 1 where something was seen that must not be, and the report says what; 2 where it did not run.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    nodes: { type: 'string', default: '2' },
    report: { type: 'string' },
    plant: { type: 'string' },
  },
});

const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const [minutes, nodes] = [Number(values.minutes), Number(values.nodes)];
const report = values.report ?? join(tmpdir(), `chaos-${seed}.txt`);
const lines: string[] = [];
const say = (text: string): void => {
  const line = `${new Date().toISOString().slice(11, 23)} ${text}`;
  lines.push(line);
  console.log(line);
  writeFileSync(report, `${lines.join('\n')}\n`);
};

try {
  process.exitCode = (await chaos(values.plant ?? null)) ? 0 : 1;
} catch (error) {
  say(`chaos: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}

/** True where all was well; with a bug planted, where it was found. */
async function chaos(plant: string | null): Promise<boolean> {
  if (plant !== null && !BUGS.some(({ name }) => name === plant))
    throw new Error(`no bug ${plant}; there are ${BUGS.map(({ name }) => name).join(', ')}`);
  if (!Number.isInteger(seed) || !(minutes > 0) || !Number.isInteger(nodes) || nodes < 2)
    throw new Error('--seed is an integer, --minutes over 0, --nodes 2 or more');
  const planted = plant === null ? '' : `, planted: ${plant}`;
  say(`seed ${seed}, ${nodes} nodes, ${minutes} minutes${planted}`);
  const name = `chaos${process.pid}`;
  const haproxy = installedHaproxy();
  const options = { name, freebsd: 14, preempt: false, haproxy, nodes, maxMoves: 1000 } as const;
  const lab = await labUp({ ...options, ...(plant === null ? {} : { bug: plant }) }, true);
  try {
    const results = await run(lab, { seed, minutes, say });
    const broken = results.filter(({ problems }) => problems.length > 0).length;
    const starved = results.filter((one) => one.starved).length;
    say(clientSaw(results));
    say(
      `${results.length} episodes, ${broken} broken, ${starved} not counted, for the machine was too busy`,
    );
    say(`the same again: npm run chaos -- --seed ${seed} --nodes ${nodes}; report: ${report}`);
    return (broken === 0) === (plant === null);
  } finally {
    await labDown(name);
  }
}
