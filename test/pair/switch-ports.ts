import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inside } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import type { Passing } from '../kernel/switch.ts';

/** What the lab's switch learns, whoever asks it meanwhile: a busy machine makes it no other. */
export interface SwitchPorts {
  /** Each time it learnt a MAC at another port, the oldest first; ms of the wall clock. */
  readonly learnt: readonly Passing[];
  end(): Promise<void>;
}

const TIME = /^Timestamp: \w+ (\w+ +\d+ [\d:]+ \d+) (\d+) usec$/;
const ENTRY = /^([0-9a-f:]{17}) dev v(\S+) /;

/** Follows the switch from now on; a port is called as the host behind it. */
export async function followSwitch(lab: LabReport): Promise<SwitchPorts> {
  const [file = '', ...args] = inside(lab, 'net', ['bridge', '-timestamp', 'monitor', 'fdb']);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const learnt: Passing[] = [];
  let atMs = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, second = '', microseconds = '0'] = TIME.exec(line) ?? [];
    if (second !== '') atMs = Date.parse(second) + Number(microseconds) / 1000;
    const [, mac, port] = ENTRY.exec(line) ?? [];
    if (mac !== undefined && port !== undefined) learnt.push({ atMs, port, mac });
  });
  await once(child, 'spawn');
  return {
    learnt,
    async end() {
      child.kill();
      await closed;
    },
  };
}
