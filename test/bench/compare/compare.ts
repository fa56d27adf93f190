import { parseArgs } from 'node:util';
import { installedHaproxy, labDown, labUp } from '../../lab/lab.ts';
import { quantile, tenth } from '../figures.ts';
import type { Contender } from './contender.ts';
import { keepaliveds, keepalivedVersion } from './keepalived.ts';
import { carp, pair } from './ours.ts';
import { play, SCENES, type Scene, type Seen, type Stage } from './scenes.ts';

/** One cell of the table. */
export interface Cell {
  readonly contender: string;
  readonly scene: string;
  readonly rounds: number;
  /** How often the other host took over. */
  readonly moved: number;
  readonly gap_ms: { readonly median: number; readonly most: number };
  readonly lost: { readonly median: number; readonly most: number };
}

/** Rounds of a scene in which nobody takes over: more of them would say the same. */
const ENOUGH = 2;

/**
 * The same hosts, HAProxy and client, and what keeps the address alive as the only difference: this
 * pair, CARP alone, and keepalived in two ways where it is installed. `--rounds N`, 10 unless said;
 * `--only NAME` one contender, `--scene NAME` one scene.
 */
export async function compare(): Promise<unknown> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      rounds: { type: 'string', default: '10' },
      only: { type: 'string' },
      scene: { type: 'string' },
    },
  });
  const version = keepalivedVersion();
  if (version === null) process.stderr.write('keepalived is not installed: left out\n');
  const contenders = [pair, carp, ...(version === null ? [] : keepaliveds)].filter(
    ({ name }) => values.only === undefined || name === values.only,
  );
  const scenes = SCENES.filter(({ name }) => values.scene === undefined || name === values.scene);
  const cells: Cell[] = [];
  for (const contender of contenders)
    cells.push(...(await table(contender, scenes, Number(values.rounds))));
  return {
    rounds: Number(values.rounds),
    keepalived: version,
    contenders: contenders.map(({ name, text, moves }) => ({ name, text, moves })),
    cells,
    node_version: process.versions.node,
  };
}

async function table(
  contender: Contender,
  scenes: readonly Scene[],
  rounds: number,
): Promise<Cell[]> {
  const name = `bc${process.pid}`;
  const lab = await labUp(
    { name, freebsd: 14, preempt: false, haproxy: installedHaproxy(), nodes: 2, maxMoves: 1000 },
    true,
  );
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('the lab has no two hosts');
  const running = await contender.start(lab);
  const stage: Stage = { lab, running, first, second };
  try {
    await running.home();
    const cells: Cell[] = [];
    for (const scene of scenes) {
      const all = await playAll(scene, stage, rounds);
      if (all.length === 0) continue;
      const cell = cellOf(contender.name, scene.name, all);
      process.stderr.write(
        `${cell.contender}: ${cell.scene}: gap ${cell.gap_ms.median} to ${cell.gap_ms.most} ms, ` +
          `${cell.lost.median} to ${cell.lost.most} lost, moved ${cell.moved} of ${cell.rounds}\n`,
      );
      cells.push(cell);
    }
    return cells;
  } finally {
    await running.end();
    await labDown(name);
  }
}

async function playAll(scene: Scene, stage: Stage, rounds: number): Promise<Seen[]> {
  const all: Seen[] = [];
  while (all.length < rounds) {
    const seen = await play(scene, stage);
    if (seen === null) break;
    all.push(seen);
    if (all.length >= ENOUGH && all.every(({ moved }) => !moved)) break;
  }
  return all;
}

const cellOf = (contender: string, scene: string, all: readonly Seen[]): Cell => {
  const figures = (list: readonly number[]) => ({
    median: tenth(quantile(list, 0.5)),
    most: tenth(Math.max(...list)),
  });
  return {
    contender,
    scene,
    rounds: all.length,
    moved: all.filter(({ moved }) => moved).length,
    gap_ms: figures(all.map(({ gapMs }) => gapMs)),
    lost: figures(all.map(({ lost }) => lost)),
  };
};
