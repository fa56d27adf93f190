import test from 'ava';
import { observeSelf, type SelfInput } from '../../agent/loop/observe.ts';
import type { AddressReport, CarpState, NodeReport } from '../../agent/core/model.ts';
import { heard } from '../core/builders.ts';
import { address, haproxy, NOW, report } from '../reports.ts';

const MASTER = heard(report('haproxy02', { addresses: [address({ state: 'MASTER' })] }));

const input = (previous: NodeReport, change: Partial<SelfInput> = {}): SelfInput => ({
  node: 'haproxy01',
  carp: {
    addresses: [
      {
        interface: 'vtnet0',
        vhid: 1,
        vips: ['10.1.60.200'],
        state: 'BACKUP',
        advbase: 1,
        advskew: 254,
      },
    ],
    interfaces: [],
    preempt: false,
    demotion: 0,
    downFactor: 240,
    allow: true,
  },
  carpAtMs: NOW - 20,
  bases: { '1@wan': 0 },
  networks: [{ name: 'wan', interface: 'vtnet0', vhids: null, baseAdvskew: null }],
  haproxy: [haproxy()],
  peers: [MASTER],
  previous,
  joined: true,
  fenced: false,
  nowMs: NOW,
  ...change,
});

const readySince = (
  previous: NodeReport,
  change: Partial<SelfInput> = {},
): (number | undefined)[] =>
  observeSelf(input(previous, change)).addresses.map(({ readySinceMs }) => readySinceMs);

test('held until the reading that still shows MASTER was begun; while it is handed over, until the taker was named', (t) => {
  const { carp } = input(report('haproxy01'));
  const heldAt = (state: CarpState, before: Partial<AddressReport>): number | null | undefined =>
    observeSelf(
      input(report('haproxy01', { addresses: [address({ heldAtMs: NOW - 700, ...before })] }), {
        carp: { ...carp, addresses: carp.addresses.map((one) => ({ ...one, state })) },
        carpAtMs: NOW - 30,
      }),
    ).addresses[0]?.heldAtMs;
  t.deepEqual(
    [
      heldAt('MASTER', { state: 'MASTER' }),
      heldAt('MASTER', { state: 'MASTER', yieldTo: 'haproxy02' }),
      heldAt('BACKUP', { state: 'MASTER', yieldTo: 'haproxy02' }),
      heldAt('BACKUP', { state: 'BACKUP' }),
      heldAt('INIT', { state: 'MASTER' }),
      heldAt('BACKUP', { heldAtMs: null }),
    ],
    [NOW - 30, NOW - 700, NOW - 700, NOW - 700, NOW - 700, null],
  );
});

test('ready since the end of what kept it from being ready, not since the last look at that', (t) => {
  const lastLook = NOW - 900;
  const before = (change: Partial<NodeReport>): NodeReport =>
    report('haproxy01', { addresses: [address({ readySinceMs: lastLook })], ...change });
  t.deepEqual(
    {
      wasDown: readySince(before({ health: 'down' })),
      wasNotJoined: readySince(before({ joined: false })),
      wasInit: readySince(
        before({ addresses: [address({ readySinceMs: lastLook, state: 'INIT' })] }),
      ),
      wasReady: readySince(before({})),
      isDown: readySince(before({}), { haproxy: [haproxy({ state: 'down', problem: 'gone' })] }),
    },
    { wasDown: [NOW], wasNotJoined: [NOW], wasInit: [NOW], wasReady: [lastLook], isDown: [NOW] },
  );
});
