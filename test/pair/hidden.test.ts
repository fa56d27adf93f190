import ava from 'ava';
import { canGiveRootUp } from '../lab/accounts.ts';
import { asking, busy, reloadHaproxy } from './sessions.ts';
import { asked, calm, eventually, exitOf, fault, nodeAt, scene } from './scene.ts';

// The agents of this lab become nobody, and the kernel hides HAProxy from them.
const { test: labTest, lab } = canGiveRootUp()
  ? scene({ user: 'nobody', hidden: true })
  : { test: null, lab: scene().lab };
const test = labTest ?? ava.serial.skip;

const unseen = async (): Promise<unknown[]> => {
  const { json } = await asked(lab(), 'doctor');
  const findings = (json.result?.['findings'] ?? []) as { id: string; saw: string[] }[];
  return findings.filter(
    ({ id, saw }) => id === 'not-seen' && saw.some((one) => /older|command line/.test(one)),
  );
};

test('a drain is waited for to its end, and nothing of HAProxy is hidden from doctor', async (t) => {
  await calm(lab());
  t.is(await exitOf(lab(), 'drain', 'WEB/web1', '--wait'), 0);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  t.deepEqual(await unseen(), []);
});

test('an older process that nobody can ask is waited for, also by an agent that never met it', async (t) => {
  const clients = Array.from({ length: 6 }, () =>
    asking(lab(), 'www.example.net', '/plain/slow/20000'),
  );
  await eventually('each server has some', async () => (await busy(lab())).length === 3);
  await fault(lab(), 'kill-agent', 'on', nodeAt(lab(), 0));
  await reloadHaproxy(lab(), nodeAt(lab(), 0));
  await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), 0));
  await eventually('it is counted', async () => {
    const { json } = await asked(lab(), 'doctor');
    const notes = (json.result?.['notes'] ?? []) as string[];
    return notes.some((one) => one.startsWith('haproxy01: 1 older HAProxy process still there'));
  });
  const drained = asked(lab(), 'drain', 'WEB/web1', '--wait');
  const first = await Promise.race([
    drained.then(() => 'drain'),
    Promise.all(clients.map((client) => client.end())).then(() => 'requests'),
  ]);
  t.is(first, 'requests');
  t.like(await drained, { code: 0, json: { ok: true } });
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
});
