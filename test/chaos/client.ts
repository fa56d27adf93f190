import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inside } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabReport } from '../lab/report.ts';
import type { Attempt, Session } from './words.ts';

/** The client of a run, as long as it runs. */
export interface Client {
  /** What has ended since it was asked last. */
  take(): { readonly attempts: readonly Attempt[]; readonly sessions: readonly Session[] };
  end(): Promise<void>;
}

/** Starts the client in its place of the lab. */
export function startClient(lab: LabReport): Client {
  const script = join(CHECKOUT, 'dist/test/chaos/load.js');
  const nodes = lab.nodes.map(({ name, address4 }) => `${name}=${address4}`);
  const argv = inside(lab, 'client', [process.execPath, script, lab.vip4, lab.vip6, ...nodes]);
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let attempts: Attempt[] = [];
  let sessions: Session[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const one = JSON.parse(line) as Attempt | Session;
    if ('to' in one) attempts.push(one);
    else sessions.push(one);
  });
  return {
    take() {
      const taken = { attempts, sessions };
      [attempts, sessions] = [[], []];
      return taken;
    },
    async end() {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    },
  };
}
