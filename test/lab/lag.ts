import { appendFileSync } from 'node:fs';

// Loaded into an agent of a lab: for how long its event loop stood still at most, and the processor
// time it has used, ms: a line twice a second in the file LAB_LAG. What the loop waited for its turn
// on a busy machine is not its own: only time in which this process worked counts as standing still.
const file = process.env['LAB_LAG'] ?? '';
const LOOK_MS = 10;
const LOOKS = 50;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

if (file !== '') {
  let atMs = performance.now();
  let usedMs = cpuMs();
  let blockedMs = 0;
  let looks = 0;
  const look = (): void => {
    const [nowMs, nowUsedMs] = [performance.now(), cpuMs()];
    blockedMs = Math.max(blockedMs, Math.min(nowMs - atMs - LOOK_MS, nowUsedMs - usedMs));
    [atMs, usedMs] = [nowMs, nowUsedMs];
    if (++looks % LOOKS !== 0) return;
    appendFileSync(
      file,
      `${JSON.stringify({ at_ms: nowMs, blocked_ms: blockedMs, cpu_ms: nowUsedMs })}\n`,
    );
    blockedMs = 0;
  };
  setInterval(look, LOOK_MS).unref();
}
