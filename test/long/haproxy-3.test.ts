import ava from 'ava';
import { startProbe } from '../lab/client.ts';
import { asked, exitOf, scene, seenBy } from '../pair/scene.ts';
import { DRAIN, onBoth } from '../pair/sessions.ts';

/** A HAProxy of the 3.x line to try as well: HAPROXY_3=/path npm run test:long. */
const THIRD = process.env['HAPROXY_3'] ?? '';

if (THIRD === '')
  ava.skip('drain and ready under load on HAProxy 3.x (HAPROXY_3 names none)', () => undefined);
else {
  const { test, lab } = scene({ haproxy: THIRD });
  test('drain --wait, maint and ready under load on HAProxy 3.x: no request fails', async (t) => {
    const probe = await startProbe(lab());
    await probe.more(50);
    const drained = await asked(lab(), 'drain', 'WEB/web1', '--wait');
    t.like(drained, { code: 0, json: { ok: true, changed: true } });
    t.deepEqual(await onBoth(lab(), 'WEB/web1'), [DRAIN, DRAIN]);
    t.is(await exitOf(lab(), 'maint', 'WEB/web1', '--wait'), 0);
    await probe.more(50);
    t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
    await probe.more(200);
    const seen = await probe.end();
    t.is(seen.failed, 0, seenBy(seen));
    t.deepEqual(Object.keys(seen.servers).sort(), ['WEB/web1', 'WEB/web2', 'WEB/web3']);
  });
}
