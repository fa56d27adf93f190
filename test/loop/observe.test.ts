import test from 'ava';
import { observeSelf, type SelfInput } from '../../agent/loop/observe.ts';
import type { NodeReport } from '../../agent/core/model.ts';
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
