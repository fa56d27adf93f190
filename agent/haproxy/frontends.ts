import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DrillMeans } from '../core/drill.ts';
import type { HaproxyReport } from '../core/model.ts';
import { ActFailure } from '../core/results.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import { isSystemError, replaceFile } from '../sys/files.ts';
import { frontendGuard, type FrontendGuard } from './frontend-guard.ts';
import { word, type Runtime } from './runtime.ts';

export interface FrontendsOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly ask: Runtime;
  /** The stats socket; empty: not known. */
  readonly path: () => string;
  readonly report: () => HaproxyReport;
  /** Reads HAProxy's frontends now. */
  readonly look: () => Promise<void>;
  /** The agent counts other frontends as open than before. */
  readonly onChange: () => void;
  /** Where it is written down which are closed. */
  readonly folder: string;
  /** Of the system; freebsd closes none. */
  readonly platform?: NodeJS.Platform;
}

/** The required frontends of this host's HAProxy, closed for a moment so that a rescue can be rehearsed. */
export interface Frontends {
  /**
   * Closes them for `leaseMs` at most; what it resolves to is how. They are opened again by `open`, at
   * the end of the lease, when this agent ends in any way, or at its next start. Rejects with
   * ActFailure, and then none is closed.
   */
  readonly close: (means: DrillMeans | null, leaseMs: number) => Promise<DrillMeans>;
  /** Opens them; done twice it changes nothing. Rejects with ActFailure where one stays closed. */
  readonly open: () => Promise<void>;
  /** The report as others are to see it. */
  counted(report: HaproxyReport): HaproxyReport;
  /** Opens what an agent before this one has left closed; resolves once that is done or HAProxy is gone. */
  recover(): Promise<void>;
}

/** The longest that they may be closed, ms. */
const LONGEST_MS = 700_000;
/** The guard waits this much longer than the lease, ms. */
const GUARD_MS = 2000;
/** Between two tries to open what an agent before has left, ms, and how many. */
const AGAIN_MS = 500;
const MOST_TRIES = 60;

/**
 * On FreeBSD HAProxy cannot be trusted to open a frontend again that it has closed (management manual,
 * "disable frontend"): a listening socket there cannot be taken back and used again. So there, and
 * wherever it is asked for, the agent only counts them as closed, and HAProxy goes on serving.
 */
export function frontends(options: FrontendsOptions): Frontends {
  const { node, clock, ask, folder, platform = process.platform } = options;
  const file = join(folder, 'closed-frontends.json');
  const canClose = platform !== 'freebsd';
  let asClosed = false;
  let closed: { readonly names: readonly string[]; readonly guard: FrontendGuard } | null = null;
  let cancel = (): void => {};

  const failed = (code: string, message: string, cause: unknown): ActFailure =>
    new ActFailure('failed', { code, message, cause: sentence(cause) });

  async function enable(names: readonly string[]): Promise<void> {
    for (const name of names) await ask(`enable frontend ${word(name)}`).catch(alreadySo);
  }

  async function closeThem(leaseMs: number): Promise<void> {
    const names = options
      .report()
      .frontends.filter(({ required, open }) => required && open)
      .map(({ name }) => word(name));
    if (names.length === 0) throw new Error('none of its required frontends is open');
    // On disk and under guard before the first one is closed.
    await replaceFile(file, `${JSON.stringify({ names })}\n`, 0o600);
    const guard = await frontendGuard(options.path(), names, leaseMs + GUARD_MS);
    closed = { names, guard };
    for (const name of names) await ask(`disable frontend ${name}`);
  }

  async function open(): Promise<void> {
    cancel();
    if (asClosed) {
      asClosed = false;
      options.onChange();
    }
    if (closed === null) return;
    const { names, guard } = closed;
    try {
      await enable(names);
      await options.look();
    } catch (error) {
      guard.release();
      throw failed(
        'not_opened',
        `the frontends of HAProxy on ${node} are not known to be open`,
        error,
      );
    }
    closed = null;
    guard.dismiss();
    await rm(file, { force: true });
  }

  return {
    async close(means, leaseMs) {
      const how = means ?? (canClose ? 'frontends' : 'health');
      if (how === 'frontends' && !canClose)
        throw new ActFailure('unsafe', {
          code: 'cannot_close',
          message: `HAProxy on ${node} may not be able to open a frontend again that it has closed`,
          cause: 'its manual says so of FreeBSD (disable frontend)',
          remediation: 'leave --by away: the agent then counts them as closed',
        });
      if (closed !== null || asClosed)
        throw failed('closed_already', `the frontends on ${node} are closed already`, 'by a drill');
      cancel = clock.after(Math.min(leaseMs, LONGEST_MS), () => void open().catch(() => undefined));
      if (how === 'health') {
        asClosed = true;
        options.onChange();
        return how;
      }
      try {
        await closeThem(leaseMs);
        await options.look();
        return how;
      } catch (error) {
        await open().catch(() => undefined);
        if (error instanceof ActFailure) throw error;
        throw failed('not_closed', `HAProxy on ${node} has not closed its frontends`, error);
      }
    },
    open,
    counted(report) {
      if (!asClosed) return report;
      const { frontends: all } = report;
      return {
        ...report,
        frontends: all.map((one) => (one.required ? { ...one, open: false } : one)),
      };
    },
    async recover() {
      const names = await left(file);
      if (names.length === 0) return;
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        try {
          await enable(names);
          await rm(file, { force: true });
          return;
        } catch {
          await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
        }
      }
    },
  };
}

/** "All sockets are already enabled": what is asked for is so. */
function alreadySo(error: unknown): string {
  if (/already enabled|No such frontend/.test(sentence(error))) return '';
  throw error;
}

/** The names that are written down; none where there is no such file, or it is cut short. */
async function left(file: string): Promise<string[]> {
  try {
    const found: unknown = JSON.parse(await readFile(file, 'utf8'));
    const names =
      typeof found === 'object' && found !== null && 'names' in found ? found.names : [];
    return Array.isArray(names)
      ? names.filter((one): one is string => typeof one === 'string')
      : [];
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError) return [];
    return [];
  }
}
