import ava from 'ava';
import { canGiveRootUp } from '../lab/accounts.ts';
import { startProbe } from '../lab/client.ts';
import type { LabReport } from '../lab/report.ts';
import { helpersOf } from './processes.ts';
import { advskews, asAtFirst, fault, logOf, masters, nodeAt, nodeNow, scene } from './scene.ts';
import { seenBy } from './scene.ts';

/** No client may wait longer when the MASTER is told reboot(8) instead of shutdown(8). */
const GAP_MS = 200;
/** The other kernel's own time, and what the helper leaves its agent. */
const ALONE_MS = 5000;

// The agents of these labs become nobody. Skipped where root cannot make that of them.

/** The tests of one lab; a file each, for two labs at once keep a machine too busy. */
export function rebootTests(preempt: boolean): void {
  const made = canGiveRootUp() ? scene({ user: 'nobody', preempt }) : null;
  const test = made?.test ?? ava.serial.skip;
  const lab = (): LabReport => (made?.lab ?? scene().lab)();
  const kind = `preempt ${preempt ? 1 : 0}`;

  const booted = async (): Promise<void> => {
    await fault(lab(), 'reboot-now', 'off', nodeAt(lab(), 0));
    await asAtFirst(lab());
  };

  test(`${kind}: reboot(8) ends every process at once: no client waits 200 ms, and 254 does not outlive the boot`, async (t) => {
    await asAtFirst(lab());
    const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
    const probe = await startProbe(lab());
    await probe.answeredBy(first.name, 20);
    await fault(lab(), 'reboot-now', 'on', first);
    await probe.answeredBy(second.name, 50);
    const seen = await probe.end();
    const then = { masters: await masters(lab()), advskews: await advskews(lab()) };
    t.log(`longest gap ${seen.longest_gap_ms} ms, failed ${seen.failed}`);
    t.true(seen.longest_gap_ms < GAP_MS, seenBy(seen));
    t.deepEqual(then, { masters: [second.name], advskews: [254, 100] });
    const left = logOf(first).findLast(({ event }) => event === 'agent-left');
    t.like(left, { addresses: ['1@vtnet0'], still_here: [] });
    await booted();
  });

  test(`${kind}: an agent that hangs at a reboot(8): its helper steps out, and the other kernel takes over`, async (t) => {
    await asAtFirst(lab());
    const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
    await fault(lab(), 'freeze-agent', 'on', first);
    const probe = await startProbe(lab());
    await fault(lab(), 'reboot-now', 'on', first);
    await probe.answeredBy(second.name, 50);
    const seen = await probe.end();
    t.log(`longest gap ${seen.longest_gap_ms} ms, failed ${seen.failed}`);
    t.true(seen.longest_gap_ms < ALONE_MS, seenBy(seen));
    t.deepEqual([await masters(lab()), await advskews(lab())], [[second.name], [254, 100]]);
    await booted();
  });

  test(`${kind}: SIGTERM to the helper alone moves nothing, and it goes on`, async (t) => {
    await asAtFirst(lab());
    const first = await nodeNow(lab(), 0);
    const helpers = helpersOf(first.agent_pid ?? 0);
    t.is(helpers.length, 2);
    for (const pid of helpers) process.kill(pid, 'SIGTERM');
    const probe = await startProbe(lab());
    // Five seconds: longer than the helper looks whether HAProxy dies.
    await probe.more(1000);
    const seen = await probe.end();
    t.deepEqual(helpersOf(first.agent_pid ?? 0), helpers);
    t.deepEqual([seen.failed, Object.keys(seen.by)], [0, [first.name]]);
    t.deepEqual([await masters(lab()), await advskews(lab())], [[first.name], [0, 100]]);
  });
}
