import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { readInfo } from '../../agent/haproxy/info.ts';
import { runtime, type Runtime } from '../../agent/haproxy/runtime.ts';
import { eventually } from '../record.ts';
import { spawnHaproxy, writeConfig } from './haproxy.ts';

/** A real HAProxy in master-worker mode with a master CLI (`-W -S`), as many rc scripts start it. */
export interface TestMaster {
  readonly config: string;
  readonly socketPath: string;
  readonly port: number;
  readonly ask: Runtime;
  /** Sends a signal to the master. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** The process that answers at the stats socket now; rejects where none does. */
  readonly worker: () => Promise<number>;
  /** Resolves once master and workers together have said that, so many times. */
  readonly said: (pattern: RegExp, times?: number) => Promise<void>;
  /** Resolves once its program runs, which it executes anew at each reload: signals before are lost. */
  readonly hears: () => Promise<void>;
  /** Resolves once the master has ended. */
  readonly ended: Promise<unknown>;
}

/** Starts it with what `writeConfig` writes; it ends with the test, its workers too. */
export async function startMaster(
  t: ExecutionContext,
  global: readonly string[] = [],
): Promise<TestMaster> {
  const { config, folder, socketPath, port } = await writeConfig(t, { global });
  const ask = runtime(socketPath, { deadlineMs: 5000 });
  const masterPath = join(folder, 'm.sock');
  const master = spawnHaproxy(['-W', '-S', masterPath, '-f', config]);
  const ended = once(master, 'exit');
  let said = '';
  master.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  t.teardown(async () => {
    // SIGTERM takes the workers along.
    if (master.exitCode !== null || master.signalCode !== null) return;
    master.kill('SIGTERM');
    await ended;
  });
  const worker = async (): Promise<number> => (await readInfo(ask)).pid;
  const holds = (look: () => Promise<unknown>): Promise<void> =>
    eventually(() => {
      if (master.exitCode !== null) throw new Error(`haproxy ended: ${said}`);
      return look().then(
        () => true,
        () => false,
      );
    });
  const hears = (): Promise<void> => holds(() => answers(masterPath));
  await holds(worker);
  await hears();
  return {
    config,
    socketPath,
    port,
    ask,
    signal: (signal) => void master.kill(signal),
    worker,
    said: (pattern, times = 1) =>
      eventually(() => said.split('\n').filter((line) => pattern.test(line)).length >= times),
    hears,
    ended,
  };
}

/** Resolves once the master CLI has said something, which does not end the connection; rejects where it cannot. */
async function answers(path: string): Promise<void> {
  const socket = connect(path);
  socket.write('show version\n');
  try {
    await once(socket, 'data');
  } finally {
    socket.destroy();
  }
}
