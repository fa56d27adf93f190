import { spawn, type ChildProcess } from 'node:child_process';
import type { Exec } from '../sys/exec.ts';

/** The host lifts the fence this long after the last renewal, seconds. */
const LEASE_S = 3;

/**
 * net.inet.carp.allow=0 as a lease: every renewal starts a process of its own
 * that sets it back after LEASE_S and ends the one before. Such a process
 * outlives this agent and does not care whether it is frozen, so a fence never
 * stays without somebody who still wants it.
 */
export function fenceLease(exec: Exec, sysctl: string) {
  let lease: ChildProcess | null = null;

  /** Started before the fence is set: at no moment nobody would lift it. */
  function startLease(): Promise<void> {
    const before = lease;
    const script = `sleep ${LEASE_S}; exec "$0" net.inet.carp.allow=1`;
    const child = spawn('/bin/sh', ['-c', script, sysctl], { stdio: 'ignore', detached: true });
    child.unref();
    lease = child;
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => {
        stop(before);
        resolve();
      });
    });
  }

  return {
    async renew(): Promise<void> {
      await startLease();
      await exec(sysctl, ['net.inet.carp.allow=0']);
    },
    async end(): Promise<void> {
      await exec(sysctl, ['net.inet.carp.allow=1']);
      stop(lease);
      lease = null;
    },
  };
}

/** The whole group: sh and the sleep it waits for. */
function stop(child: ChildProcess | null): void {
  if (child?.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
