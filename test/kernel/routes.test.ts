import test from 'ava';
import { setAddresses, setUp, setVhid } from './acts.ts';
import { backup, IF, master, VIP4, VIP6 } from './scene.ts';

// `deletion failed: 3` (ESRCH) of ifa_del_loopback_route(), as 12.1 prints it: harmless, and a
// mark of which way a vhid went.

const FAILED = `${IF}: deletion failed: 3`;
const failures = (lines: readonly string[]): number =>
  lines.filter((line) => line === FAILED).length;

test('a MASTER that becomes BACKUP prints it once for each IPv4 VIP, behind its change', (t) => {
  const scene = master({ v4: [VIP4, '192.0.2.201'], v6: [VIP6] });
  t.deepEqual(
    scene.log(setVhid(scene.kernel, IF, 1, { ...scene.vhid(), state: 'BACKUP' }, scene.nowMs)),
    [`carp: 1@${IF}: MASTER -> BACKUP (user requested via ifconfig)`, FAILED, FAILED],
  );
});

test('a MASTER that is fenced or loses its link prints none', (t) => {
  for (const act of ['fence', 'link'] as const) {
    const scene = master();
    const before = scene.kernel;
    if (act === 'fence') scene.sysctl('allow', 0);
    else scene.link(false);
    t.deepEqual(scene.vhid().routed4, [VIP4]);
    t.not(scene.kernel, before);
  }
});

test('an address taken away prints it twice with a route and three times without, before the change', (t) => {
  const none = { v4: [], v6: [] };
  for (const [scene, times, from] of [
    [master(), 2, 'MASTER'],
    [backup(), 3, 'BACKUP'],
  ] as const)
    t.deepEqual(scene.log(setAddresses(scene.kernel, IF, 1, none, scene.nowMs)), [
      ...Array.from({ length: times }, () => FAILED),
      `carp: 1@${IF}: ${from} -> INIT (hardware interface up)`,
      `${IF}: promiscuous mode disabled`,
    ]);
});

test('an interface that comes up prints it once for each VIP without a route, and makes the routes', (t) => {
  const scene = backup();
  scene.up(false);
  t.is(failures(scene.log(setUp(scene.kernel, IF, true, scene.nowMs))), 1);
  t.deepEqual(scene.vhid().routed4, [VIP4]);
  t.is(failures(scene.log(setAddresses(scene.kernel, IF, 1, { v4: [], v6: [] }, 0))), 2);
});
