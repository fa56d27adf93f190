import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { proxyctl } from '../lab/client.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabReport } from '../lab/report.ts';
import { formsIn, type Needle } from './key-hunt.ts';

/** What the lab's programs say while it is up, kept to be searched for keys at the end. */
export interface KeyWatch {
  /** What a program printed. */
  said(...texts: readonly string[]): void;
  /** Asks every verb that reads, and keeps what it says. */
  ask(): Promise<void>;
  /** Everything that was kept, and the arguments and environments of all processes meanwhile. */
  end(): Promise<{
    readonly processes: string;
    readonly holding: (needles: readonly Needle[]) => string[];
  }>;
}

const READING: readonly (readonly string[])[] = [
  ['status'],
  ['history', '--limit', '0'],
  ['explain'],
  ['cert', 'list'],
  ['cert', 'verify'],
  ['acme', 'list'],
  ['servers'],
  ['doctor'],
  ['haproxy', 'show', 'ssl', 'cert'],
  ['haproxy', 'show', 'info'],
];

/** Begins to look at the processes of this machine. */
export async function watchForKeys(lab: LabReport): Promise<KeyWatch> {
  const script = join(CHECKOUT, 'dist/test/lab/watch-processes.js');
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let processes = '';
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => (processes += chunk));
  await once(child.stderr, 'data');
  const kept: string[] = [];
  return {
    said: (...texts) => void kept.push(...texts),
    async ask() {
      for (const verb of READING)
        for (const form of ['table', 'json']) {
          const { stdout, stderr } = await proxyctl(lab, [...verb, '-o', form]);
          kept.push(stdout, stderr);
        }
    },
    async end() {
      child.kill('SIGTERM');
      await closed;
      const printed = Buffer.from(kept.join('\n'), 'latin1');
      const seen = Buffer.from(processes, 'latin1');
      return {
        processes,
        holding: (needles) => [
          ...formsIn(printed, needles).map((form) => `printed by a program: ${form}`),
          ...formsIn(seen, needles).map((form) => `arguments or environment: ${form}`),
        ],
      };
    },
  };
}
