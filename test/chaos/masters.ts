import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabReport } from '../lab/report.ts';
import type { Held } from './words.ts';

const LOOK_MS = 50;

/** Nodes whose own kernel says MASTER. A host without a kernel has none. */
export const mastersNow = (lab: LabReport): string[] =>
  lab.nodes
    .filter(({ tools }) => {
      try {
        const text = readFileSync(join(tools, '..', 'text', 'ifconfig'), 'utf8');
        return text.includes('carp: MASTER');
      } catch {
        return false;
      }
    })
    .map(({ name }) => name);

/** Watches who is MASTER, and how late this process has its turn. */
export class Masters {
  readonly #timer: NodeJS.Timeout;
  #held: Held[] = [];
  #last = '?';
  #lateMs = 0;

  constructor(lab: LabReport) {
    let lookedMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.#lateMs = Math.max(this.#lateMs, nowMs - lookedMs - LOOK_MS);
      lookedMs = nowMs;
      this.#look(mastersNow(lab));
    }, LOOK_MS);
  }

  #look(masters: readonly string[]): void {
    if (masters.join() === this.#last) return;
    this.#last = masters.join();
    this.#held.push({ atMs: Date.now(), masters });
  }

  /** What has changed since it was asked last, who was MASTER then before it, and the longest wait for its turn, ms. */
  take(): { readonly held: readonly Held[]; readonly lateMs: number } {
    const taken = { held: this.#held, lateMs: Math.round(this.#lateMs) };
    const last = this.#held.at(-1);
    this.#held = last === undefined ? [] : [{ ...last, atMs: Date.now() }];
    this.#lateMs = 0;
    return taken;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
