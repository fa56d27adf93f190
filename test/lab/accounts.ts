import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import type { LabPlan } from './plan.ts';
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
