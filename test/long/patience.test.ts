import { spawn, type ChildProcess } from 'node:child_process';
import { cpus, setPriority, userInfo } from 'node:os';
import { probed } from '../lab/client.ts';
import { asAtFirst, fault, logOf, masters, nodeAt, nodeNow, scene, seenBy } from '../pair/scene.ts';

// What must move nothing, however long it lasts.
const { test, lab } = scene();
const STARVED_S = 600;
const FROZEN_S = 60;

/** Every change of CARP state that the agents saw. */
const changes = (): number =>
  lab()
    .nodes.flatMap((node) => logOf(node))
    .filter(({ event }) => event === 'carp-changed').length;

test('an agent frozen for a minute moves nothing and costs the client nothing', async (t) => {
  await asAtFirst(lab());
  const before = changes();
  await fault(lab(), 'freeze-agent', 'on', nodeAt(lab(), 0));
  let seen;
  try {
    seen = await probed(lab(), FROZEN_S);
  } finally {
    await fault(lab(), 'freeze-agent', 'off', nodeAt(lab(), 0));
  }
  await asAtFirst(lab());
  const { failed, by } = seen;
  t.deepEqual(
    { failed, by: Object.keys(by), changes: changes() - before },
    { failed: 0, by: ['haproxy01'], changes: 0 },
  );
});

test('ten minutes without processor for the agents: no false takeover', async (t) => {
  await asAtFirst(lab());
  const before = changes();
  // The kernel of a real host is not starved by its users' processes; the simulated one is a process.
  for (const at of [0, 1]) prefer((await nodeNow(lab(), at)).carp_pid ?? -1, -20);
  const eaters = Array.from({ length: 3 * cpus().length }, eater);
  let seen;
  try {
    seen = await probed(lab(), STARVED_S);
  } finally {
    for (const one of eaters) one.kill('SIGKILL');
  }
  t.log(seenBy(seen));
  t.deepEqual(await masters(lab()), ['haproxy01']);
  t.deepEqual(
    { by: Object.keys(seen.by), changes: changes() - before },
    { by: ['haproxy01'], changes: 0 },
  );
  await asAtFirst(lab());
});

/** Before others, where this user may say so. */
function prefer(pid: number, priority: number): void {
  if (userInfo().uid === 0) setPriority(pid, priority);
}

/** Takes all the processor it can get, before everybody else, as long as this test lives. */
function eater(): ChildProcess {
  const greed = `while (process.ppid === ${process.pid});`;
  const child = spawn(process.execPath, ['-e', greed], { stdio: 'ignore' });
  prefer(child.pid ?? -1, -10);
  return child;
}
