import test from 'ava';
import type { Echo } from '../../agent/witness/echo.ts';
import { prober } from '../../agent/witness/prober.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

const NETWORK = 'web';
const at = (node: string, address: string) =>
  report(node, { networks: [{ network: NETWORK, addresses: [address] }] });

/** A prober with one peer, over an echo that asks by itself. */
function scene() {
  const clock = new FakeClock();
  const sent: string[] = [];
  const followed: string[][] = [];
  const echo: Echo = {
    kind: 'ping',
    calmMs: 1000,
    hastyMs: 150,
    send: (address) => void sent.push(`${clock.nowMs()} ${address}`),
    follow: (addresses) => void followed.push([...addresses]),
    close: () => undefined,
  };
  let changes = 0;
  const made = prober({
    clock,
    echo,
    witnesses: ['10.1.60.254'],
    subnets: () => new Map([[NETWORK, ['10.1.60.201/24']]]),
    onChange: () => void changes++,
  });
  made.aim([at('b', '10.1.60.202')], at('a', '10.1.60.201'));
  const lost = (): Record<string, number> =>
    Object.fromEntries(made.readings().map(({ node, lostInRow }) => [node ?? '-', lostInRow]));
  return { clock, sent, followed, made, lost, changes: () => changes };
}

test('what an echo asks by itself is sent by nobody else while all is well', async (t) => {
  const { clock, sent, followed } = scene();
  await clock.advance(10_000);
  t.deepEqual([sent, followed], [[], [['10.1.60.202', '10.1.60.254']]]);
});

test('a probe that the echo sent is lost once the next one leaves, and five make a path silent', (t) => {
  const { made, lost, changes } = scene();
  const seen: unknown[] = [];
  made.asked('10.1.60.202');
  made.answered('10.1.60.202');
  for (let probe = 0; probe < 6; probe++) {
    made.asked('10.1.60.202');
    seen.push([lost()['b'], changes()]);
  }
  t.deepEqual(seen, [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 1],
  ]);
});

test('a suspect and the witnesses are asked often, and only those probes count then', async (t) => {
  const { clock, sent, made, lost } = scene();
  await clock.advance(500);
  made.attend(['b']);
  made.asked('10.1.60.202');
  await clock.advance(300);
  t.deepEqual(sent, [
    '500 10.1.60.202',
    '500 10.1.60.254',
    '650 10.1.60.202',
    '650 10.1.60.254',
    '800 10.1.60.202',
    '800 10.1.60.254',
  ]);
  t.deepEqual(lost(), { b: 2, '-': 2 });
  made.attend([]);
  await clock.advance(5000);
  t.is(sent.length, 6);
  made.answered('10.1.60.202');
  t.deepEqual(lost(), { b: 0, '-': 2 });
});
