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
 * Exit 1 where something was seen that must not be; the report says what.
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

const { plant } = values;
if (plant !== undefined && !BUGS.some(({ name }) => name === plant))
  throw new Error(`no bug ${plant}; there are ${BUGS.map(({ name }) => name).join(', ')}`);
say(
  `seed ${seed}, ${nodes} nodes, ${minutes} minutes${plant === undefined ? '' : `, planted: ${plant}`}`,
);
const name = `chaos${process.pid}`;
const haproxy = installedHaproxy();
const options = { name, freebsd: 14, preempt: false, haproxy, nodes, maxMoves: 1000 } as const;
const lab = await labUp({ ...options, ...(plant === undefined ? {} : { bug: plant }) }, true);
try {
  const results = await run(lab, { seed, minutes, say });
  const broken = results.filter(({ problems }) => problems.length > 0);
  const starved = results.filter(({ starved }) => starved);
  say(clientSaw(results));
  say(
    `${results.length} episodes, ${broken.length} broken, ${starved.length} with a machine too busy to say how long things took; again: npm run chaos -- --seed ${seed} --nodes ${nodes}; report: ${report}`,
  );
  process.exitCode = (broken.length === 0) === (plant === undefined) ? 0 : 1;
} finally {
  await labDown(name);
}
