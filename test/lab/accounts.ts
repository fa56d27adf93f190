import { chmodSync, chownSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHECKOUT, type LabPlan } from './plan.ts';
import { run } from './topology.ts';

/** The group of the account the agents become; null where they stay root. */
export const groupOf = ({ user }: LabPlan): string | null =>
  user === undefined ? null : run('id', ['-gn', user]).trim();

/** What an administrator does for an agent that is not root: it may pass, and read its own key. */
export function openTo({ user, runtime, hosts }: LabPlan): void {
  if (user === undefined) return;
  const gid = Number(run('id', ['-g', user]));
  chmodSync(runtime, 0o711);
  for (const { folder } of hosts) {
    chmodSync(folder, 0o755);
    chownSync(join(folder, 'node.key'), 0, gid);
    chmodSync(join(folder, 'node.key'), 0o640);
    chmodSync(join(folder, 'agent'), 0o755);
  }
}

/** True when root runs this and everybody may enter the checkout: an agent that gives root up goes on reading it. */
export function canGiveRootUp(): boolean {
  const isOpen = (path: string): boolean =>
    (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || isOpen(dirname(path)));
  return process.getuid?.() === 0 && isOpen(CHECKOUT);
}
