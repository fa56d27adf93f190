import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

interface Process {
  readonly outer: number;
  readonly parent: number;
  /** As kill(2) of this PID namespace takes it. */
  readonly inner: number;
  readonly network: string;
}

/** Those of this lab: /proc is the outer PID namespace's and shows other labs too, whose numbers mean others here. */
function seen(): readonly Process[] {
  const own = readlinkSync('/proc/self/ns/pid');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/status`, 'utf8');
        const [, parent] = /^PPid:\s+(\d+)$/m.exec(text) ?? [];
        const [, inner] = /^NSpid:\s+\d+\s+(\d+)$/m.exec(text) ?? [];
        const network = readlinkSync(`/proc/${name}/ns/net`);
        if (readlinkSync(`/proc/${name}/ns/pid`) !== own) return [];
        if (inner === undefined || /^State:\s+Z/m.test(text)) return [];
        return [{ outer: Number(name), parent: Number(parent), inner: Number(inner), network }];
      } catch {
        // It ended while we looked, or is not ours.
        return [];
      }
    });
}

/** Every process of a host but its kernel, as kill(-1) finds them: those in the network of KERNEL, a pid of ours. */
export function processesOf(kernel: number): readonly number[] {
  const all = seen();
  const first = all.find(({ inner }) => inner === kernel);
  if (first === undefined) return [];
  const kernels = new Set([first.outer]);
  // A child has a higher number than its parent, or is found in the next round.
  for (let before = 0; before < kernels.size;) {
    before = kernels.size;
    for (const { outer, parent } of all) if (kernels.has(parent)) kernels.add(outer);
  }
  return all
    .filter(({ outer, network }) => network === first.network && !kernels.has(outer))
    .map(({ inner }) => inner);
}

const LOOK_MS = 10;
/** reboot(8) waits so long before it kills. */
const GRACE_MS = 5000;

/** SIGTERM to every process of a host, five seconds later SIGKILL; its kernel goes on. Resolves when none is left. */
export async function endAll(kernel: number): Promise<void> {
  const send = (signal: NodeJS.Signals): void => {
    for (const pid of processesOf(kernel)) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended.
      }
    }
  };
  send('SIGTERM');
  for (const endMs = Date.now() + GRACE_MS; processesOf(kernel).length > 0;) {
    if (Date.now() > endMs) send('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
