import { startProbe } from '../lab/client.ts';
import { busy, DRAIN, onBoth, slow } from './sessions.ts';
import { asked, exitOf, scene, seenBy } from './scene.ts';

const { test, lab } = scene();

test('no request of 200 a second fails from drain --wait to its end, and from ready on', async (t) => {
  const probe = await startProbe(lab());
  await probe.more(50);
  const drained = await asked(lab(), 'drain', 'WEB/web1', '--wait');
  t.like(drained, { code: 0, json: { ok: true, changed: true } });
  t.deepEqual(await onBoth(lab(), 'WEB/web1'), [DRAIN, DRAIN]);
  await probe.more(100);
  t.is(await exitOf(lab(), 'maint', 'WEB/web1', '--wait'), 0);
  await probe.more(50);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  await probe.more(200);
  const seen = await probe.end();
  t.is(seen.failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(seen.servers).sort(), ['WEB/web1', 'WEB/web2', 'WEB/web3']);
});

test('--wait ends when the last session has', async (t) => {
  const { client, target } = await slow(lab(), 1500);
  const { code, json } = await asked(lab(), 'drain', target, '--wait');
  // The request had its end first: nothing is left to wait for.
  t.deepEqual([code, await client.end(), await busy(lab())], [0, [`200 ${target}`], []]);
  t.like(json, { result: { servers: [{ before: 'ready', after: 'drain', sessions: 0 }] } });
  t.is(await exitOf(lab(), 'ready', target), 0);
});
