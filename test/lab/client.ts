import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inside, labEnvironment, probeCommand } from './lab.ts';
import { CHECKOUT } from './plan.ts';
import type { LabReport } from './report.ts';

/** What the probe saw. */
export interface Probed {
  readonly seconds: number;
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly failures: Readonly<Record<'refused' | 'reset' | 'timeout' | 'tls' | 'http', number>>;
  /** Answers by node, and by BACKEND/SERVER. */
  readonly by: Readonly<Record<string, number>>;
  readonly servers: Readonly<Record<string, number>>;
  readonly longest_gap_ms: number;
  readonly gaps: readonly { readonly at_ms: number; readonly ms: number }[];
  readonly from: string;
  readonly to: string;
}

/** A client that keeps asking until `end`. */
export interface Probe {
  /** Resolves once `count` connections in a row were answered by `node`. */
  answeredBy(node: string, count?: number): Promise<void>;
  /** Resolves after that many more connections have ended, whatever became of them. */
  more(count: number): Promise<void>;
  end(): Promise<Probed>;
}

/** What a command said. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE_MS = 20_000;
const LONGEST_S = 300;

/** Runs a command to its end, killed after `timeoutMs`; never rejects for its exit code. */
export const ran = (
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  timeoutMs = 60_000,
): Promise<Ran> =>
  new Promise((resolve) => {
    const [file = '', ...args] = argv;
    const options = { env, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      const code = child.exitCode ?? (typeof error?.code === 'number' ? error.code : -1);
      resolve({ code, stdout, stderr });
    });
  });

/** Runs proxyctl from outside, over the unix sockets; with a place inside the lab, from there. */
export function proxyctl(
  lab: LabReport,
  args: readonly string[],
  place: string | null = null,
): Promise<Ran> {
  const argv = [process.execPath, lab.proxyctl, ...args];
  const env = { ...process.env, ...labEnvironment(lab, place) };
  return ran(place === null ? argv : inside(lab, place, argv), env);
}

/** SHA-1 of the certificate a client of the lab gets at that address. */
export async function served(
  lab: LabReport,
  address: string,
  servername = 'www.example.net',
): Promise<string> {
  const script = join(CHECKOUT, 'dist/test/lab/served.js');
  const argv = inside(lab, 'client', [process.execPath, script, address, servername]);
  const { code, stdout, stderr } = await ran(argv);
  if (code !== 0) throw new Error(`no certificate from ${address}: ${stderr.trim()}`);
  return stdout.trim();
}

/** Starts a client with 200 new connections a second to a VIP; resolves at its first answer. */
export async function startProbe(
  lab: LabReport,
  kind: 'plain' | 'tls' = 'plain',
  family: 4 | 6 = 4,
  vip?: string,
): Promise<Probe> {
  const [file = '', ...args] = probeCommand(lab, LONGEST_S, kind, family, vip).concat('follow');
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let ended = 0;
  const last: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    ended++;
    last.push(line);
    if (last.length > 100) last.shift();
    for (const look of waiting) look();
  });
  const when = (what: string, holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        waiting.delete(look);
      };
      const look = (): void => {
        if (!holds()) return;
        stop();
        resolve();
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`the client waited ${DEADLINE_MS} ms for ${what}; last: ${last.at(-1)}`));
      }, DEADLINE_MS);
      waiting.add(look);
      look();
    });
  const probe: Probe = {
    answeredBy: (node, count = 1) =>
      when(`${count} answers of ${node}`, () => {
        const recent = last.slice(-count);
        return recent.length === count && recent.every((one) => one === node);
      }),
    more(count) {
      const until = ended + count;
      return when(`${count} more connections`, () => ended >= until);
    },
    end: () => result(child),
  };
  try {
    await when('a first answer', () => last.some((one) => lab.namespaces[one] !== undefined));
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return probe;
}

/** A client with 200 new connections a second for so long; what it saw. */
export async function probed(lab: LabReport, seconds: number): Promise<Probed> {
  const [file = '', ...args] = probeCommand(lab, seconds, 'plain', 4);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child, 'close');
  return JSON.parse(text) as Probed;
}

async function result(child: ChildProcess): Promise<Probed> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
  return JSON.parse(text) as Probed;
}
