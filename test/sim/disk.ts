import type { Disk } from '../../agent/store/disk.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

interface File {
  content: string;
  /** What a crash of the machine leaves of it; null: nothing. */
  durable: string | null;
  /** When it was written: after a while it is on disk without being asked for. */
  readonly writtenAtMs: number;
}

/** syncer(4) has written everything by then. */
const SYNCER_MS = 30_000;

/**
 * One host's disk. A replacement is there whole and durable or not at all; a
 * copy is neither until something syncs it, so a crash may leave it torn,
 * empty or as it was.
 */
export class SimDisk {
  readonly #world: World;
  readonly #node: string;
  readonly #files = new Map<string, File>();
  full = false;
  /** Added to each write, ms. */
  slowMs = 0;

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
    const refuse = (): void => {
      if (this.full) throw new Error('ENOSPC: no space left on device, write');
    };
    return {
      makeDirectory: () => soon(0.1, () => undefined),
      read: (path) => soon(0.2, () => this.#files.get(path)?.content ?? null),
      replace: (path, content) =>
        soon(random.delay(0.5, 8) + this.slowMs, () => {
          refuse();
          this.#set(path, content, content);
        }),
      copy: (from, to) => {
        // What a kill in the middle of it leaves.
        const source = this.#files.get(from);
        const before = this.#files.get(to);
        if (source === undefined) return Promise.resolve();
        if (!this.full) {
          const half = source.content.slice(0, source.content.length >> 1);
          this.#set(to, half, before?.durable ?? null);
        }
        return soon(random.delay(0.1, 1), () => {
          refuse();
          this.#set(to, source.content, before?.durable ?? null);
        });
      },
      rename: (from, to) =>
        soon(0.2, () => {
          const source = this.#files.get(from);
          if (source === undefined) throw new Error(`ENOENT: ${from}`);
          this.#files.delete(from);
          this.#files.set(to, source);
        }),
    };
  }

  #set(path: string, content: string, durable: string | null): void {
    this.#files.set(path, { content, durable, writtenAtMs: this.#world.nowMs });
  }

  /** Power is lost: of what was not durable, the old, a torn or an empty file is left, or it was just in time. */
  crash(): void {
    for (const [path, file] of this.#files) {
      if (file.content === file.durable) continue;
      if (this.#world.nowMs - file.writtenAtMs > SYNCER_MS) continue;
      const half = file.content.slice(0, file.content.length >> 1);
      const left = this.#world.random.pick([file.durable, file.content, half, '']);
      if (left === null) this.#files.delete(path);
      else this.#set(path, left, left);
    }
  }

  /** One file is damaged, as by a bad sector or a controller that lied about a flush. */
  tear(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#world.story.say(this.#node, `disk: ${path} is torn`);
    const half = file.content.slice(0, file.content.length >> 1);
    this.#set(path, half, half);
  }

  /** A new disk. */
  empty(): void {
    this.#world.story.say(this.#node, 'disk: empty');
    this.#files.clear();
  }

  content(path: string): string | null {
    return this.#files.get(path)?.content ?? null;
  }

  /** For a backup to be restored later. */
  copyAll(): ReadonlyMap<string, string> {
    return new Map([...this.#files].map(([path, { content }]) => [path, content]));
  }

  restore(backup: ReadonlyMap<string, string>): void {
    this.#world.story.say(this.#node, 'disk: restored from a backup');
    this.#files.clear();
    for (const [path, content] of backup) this.#set(path, content, content);
  }
}
