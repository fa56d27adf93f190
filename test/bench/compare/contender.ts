import { setTimeout as sleep } from 'node:timers/promises';
import { labOrder } from '../../lab/lab.ts';
import type { LabNode, LabReport } from '../../lab/report.ts';

/** What keeps the address on a living host: ours, or what people have instead. */
export interface Contender {
  readonly name: string;
  /** What it is and how it was set up, one line for whoever reads the table. */
  readonly text: string;
  /** What its planned move is: the words an operator says. */
  readonly moves: string;
  /** Makes it run over a lab that is up, the preferred host holding the address. */
  readonly start: (lab: LabReport) => Promise<Running>;
}

export interface Running {
  /** A planned move; resolves when its command has ended. */
  readonly move: (from: LabNode, to: LabNode) => Promise<void>;
  /** Kills its own daemon on a host, or starts that again; null: it has none there. */
  readonly daemon: ((node: LabNode, state: 'dies' | 'lives') => Promise<void>) | null;
  /** After a fault is mended: what an operator does so that the preferred host has it again. */
  readonly home: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Switches a fault of the lab on one host. */
export const broken = (
  { name }: LabReport,
  fault: string,
  state: 'on' | 'off',
  node: LabNode,
): Promise<unknown> => labOrder(name, { op: 'fault', fault, state, node: node.name });

/** Resolves once it holds; rejects with `what` after a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs; await sleep(100))
    if (await holds()) return;
  throw new Error(`not within a minute: ${what}`);
}
