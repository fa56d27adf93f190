import { readdirSync, readFileSync } from 'node:fs';

// Arguments and environment of every process of this machine, looked at every 15 ms until SIGTERM:
//   node watch-processes.js
// Prints each text that was not there before, NUL-separated as the kernel has it, and a newline.
const LOOK_MS = 15;
const seen = new Set<string>();
/** A process keeps its environment for as long as it keeps its arguments. */
const known = new Map<string, string>();

function text(pid: string, what: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1');
  } catch {
    // It has ended, or is not ours to read.
    return '';
  }
}

function tell(what: string): void {
  if (what === '' || seen.has(what)) return;
  seen.add(what);
  process.stdout.write(`${what}\n`);
}

function look(): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const pid of known.keys()) if (!pids.includes(pid)) known.delete(pid);
  for (const pid of pids) {
    const cmdline = text(pid, 'cmdline');
    if (known.get(pid) === cmdline) continue;
    known.set(pid, cmdline);
    tell(cmdline);
    tell(text(pid, 'environ'));
  }
}

const timer = setInterval(look, LOOK_MS);
process.on('SIGTERM', () => {
  look();
  clearInterval(timer);
});
look();
process.stderr.write('watching\n');
