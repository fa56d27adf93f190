import test from 'ava';
import type { Echo } from '../../agent/witness/echo.ts';
import { warmGateways } from '../../agent/witness/warm-gateways.ts';
import { FakeClock, settled } from '../fake-clock.ts';

const LINK_LOCAL = 'fe80::1%vtnet0';
const PEER = '10.1.60.202';

/** The echo of a host, told what its routing table and its addresses are. */
function host(kind: Echo['kind'], hasIpv6 = true) {
  const clock = new FakeClock();
  const sent: string[] = [];
  const followed: string[][] = [];
  const world = { gateways: ['10.1.60.1', LINK_LOCAL], hasIpv6, reads: 0, fails: false };
  const bySelf = { follow: (all: readonly string[]) => void followed.push([...all]) };
  const echo = warmGateways(
    {
      kind,
      calmMs: 1000,
      hastyMs: 150,
      send: (address) => void sent.push(`${clock.nowMs()} ${address}`),
      ...(kind === 'ping' ? bySelf : {}),
      close: () => undefined,
    },
    {
      clock,
      read() {
        world.reads++;
        return world.fails ? Promise.reject(new Error('netstat')) : Promise.resolve(world.gateways);
      },
      wanted: () => world.hasIpv6,
    },
  );
  const pass = async (ms: number): Promise<void> => {
    await settled();
    await clock.advance(ms);
    await settled();
  };
  return { clock, sent, followed, world, echo, pass };
}

test('the IPv6 gateways are asked every five seconds, those of IPv4 not', async (t) => {
  const { sent, pass } = host('raw-socket');
  await pass(11_000);
  t.deepEqual(sent, [`0 ${LINK_LOCAL}`, `5000 ${LINK_LOCAL}`, `10000 ${LINK_LOCAL}`]);
});

test('an echo that asks by itself follows them beside what it was told, each once', async (t) => {
  const { sent, followed, world, echo, pass } = host('ping');
  await pass(0);
  echo.follow?.([PEER, LINK_LOCAL]);
  world.gateways = ['fd00:60::1'];
  await pass(61_000);
  t.deepEqual(followed, [[LINK_LOCAL], [PEER, LINK_LOCAL], [PEER, LINK_LOCAL, 'fd00:60::1']]);
  t.deepEqual(sent, []);
});

test('the routing table is read once a minute, and one that cannot be read changes nothing', async (t) => {
  const { sent, world, pass } = host('raw-socket');
  await pass(59_000);
  t.is(world.reads, 1);
  world.fails = true;
  await pass(2000);
  t.is(world.reads, 2);
  t.is(sent.at(-1), `60000 ${LINK_LOCAL}`);
});

test('a host without an IPv6 address of the pair asks no gateway and reads nothing', async (t) => {
  const { sent, world, pass } = host('raw-socket', false);
  await pass(120_000);
  t.deepEqual([sent.length, world.reads], [0, 0]);
});

test('nothing is asked once it is closed, nor where there is no echo', async (t) => {
  const { sent, echo, pass } = host('raw-socket');
  await pass(1000);
  echo.close();
  await pass(20_000);
  t.is(sent.length, 1);
  const none = host('none');
  await none.pass(20_000);
  t.deepEqual([none.sent, none.world.reads], [[], 0]);
});
