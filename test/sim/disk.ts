import type { Disk } from '../../agent/store/disk.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/**
 * One host's disk. A replacement is there whole or not at all, and its
 * predecessor under its other name; a controller that lied about a flush tears
 * a file, a repair brings an empty or an old disk.
 */
export class SimDisk {
  readonly #world: World;
  readonly #node: string;
  readonly #files = new Map<string, string>();
  full = false;

  constructor(world: World, node: string) {
    this.#world = world;
    this.#node = node;
  }

  /** As one process sees it: its calls end with it, and wait while it is stopped. */
  for(process: Process): Disk {
    const { random } = this.#world;
    const soon = <T>(ms: number, act: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        process.later(ms, () => {
          try {
            resolve(act());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
    return {
      makeDirectory: () => soon(0.1, () => undefined),
      read: (path) => soon(0.2, () => this.#files.get(path) ?? null),
      replace: async (path, content, keepAs) => {
        await soon(random.delay(0.5, 8), () => {
          if (this.full) throw new Error('ENOSPC: no space left on device, write');
        });
        await soon(0.2, () => {
          const old = this.#files.get(path);
          if (old !== undefined) this.#files.set(keepAs, old);
        });
        await soon(0.2, () => this.#files.set(path, content));
      },
      rename: (from, to) =>
        soon(0.2, () => {
          const content = this.#files.get(from);
          if (content === undefined) throw new Error(`ENOENT: ${from}`);
          this.#files.delete(from);
          this.#files.set(to, content);
        }),
    };
  }

  /** One file is damaged, as by a bad sector or a lost flush. */
  tear(path: string): void {
    const content = this.#files.get(path);
    if (content === undefined) return;
    this.#world.story.say(this.#node, `disk: ${path} is torn`);
    this.#files.set(path, content.slice(0, content.length >> 1));
  }

  /** A new disk. */
  empty(): void {
    this.#world.story.say(this.#node, 'disk: empty');
    this.#files.clear();
  }

  content(path: string): string | null {
    return this.#files.get(path) ?? null;
  }

  /** For a backup to be restored later. */
  copyAll(): ReadonlyMap<string, string> {
    return new Map(this.#files);
  }

  restore(backup: ReadonlyMap<string, string>): void {
    this.#world.story.say(this.#node, 'disk: restored from a backup');
    this.#files.clear();
    for (const [path, content] of backup) this.#files.set(path, content);
  }
}
