import test from 'ava';
import { parseCarpStatistics } from '../../agent/carp/netstat.ts';
import { parseGateways } from '../../agent/witness/gateways.ts';
import { hearFaulty } from './acts.ts';
import { netstatText, routesText } from './netstat.ts';
import { backup, master, VIP6 } from './scene.ts';

test('the counters are printed as netstat -s -p carp prints them, one as one packet', (t) => {
  const scene = master({ advskew: 100, v6: [VIP6] });
  scene.advance(1391);
  scene.hear(200);
  scene.hear(200, { authentic: false });
  scene.hear(0, { vhid: 9, family: 6 });
  for (const fault of ['badTtl', 'badSum', 'badVersion', 'tooShort', 'badSum'] as const)
    scene.take(hearFaulty(scene.kernel, 4, fault));
  t.is(
    netstatText(scene.kernel),
    `carp:
\t7 packets received (IPv4)
\t1 packet received (IPv6)
\t\t1 packet discarded for wrong TTL
\t\t0 packets shorter than header
\t\t2 discarded for bad checksums
\t\t1 discarded packet with a bad version
\t\t1 discarded because packet too short
\t\t1 discarded for bad authentication
\t\t1 discarded for bad vhid
\t\t0 discarded because of a bad address list
\t2 packets sent (IPv4)
\t2 packets sent (IPv6)
\t\t0 send failed due to mbuf memory error
`,
  );
});

test('adverts are counted as sent by family, those of a BACKUP not at all', (t) => {
  const four = master();
  four.advance(10_000);
  t.deepEqual(four.kernel.sent, { v4: 11, v6: 0 });
  const waiting = backup();
  waiting.sysctl('demotion', 0);
  t.deepEqual(waiting.kernel.sent, { v4: 0, v6: 0 });
});

test('the agent reads the counters it needs to the same values, one packet among them', (t) => {
  const scene = backup();
  t.like(parseCarpStatistics(netstatText(scene.kernel)), {
    received4: 0,
    received6: 0,
    badAuth: 0,
  });
  scene.hear(0);
  scene.hear(0, { family: 6 });
  scene.hear(0, { authentic: false });
  t.like(parseCarpStatistics(netstatText(scene.kernel)), {
    received4: 2,
    received6: 1,
    badAuth: 1,
  });
});

test('the routes it shows are those that the agent takes for its witnesses', (t) => {
  const gateways = ['10.1.60.254', 'fe80::1%vtnet0', 'fd5e::254'];
  t.deepEqual(parseGateways(routesText(gateways, 'vtnet0')), gateways);
  t.deepEqual(parseGateways(routesText([], 'vtnet0')), []);
});
