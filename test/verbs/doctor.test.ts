import test from 'ava';
import { NO_OLDER } from '../../agent/haproxy/older-sessions.ts';
import { doctor } from '../../agent/verbs/doctor.ts';
import { heard } from '../core/builders.ts';
import { well } from '../doctor/inspections.ts';
import { FakeClock } from '../fake-clock.ts';
import { haproxy, report } from '../reports.ts';
import { memberOf, pairOf } from '../scripted.ts';

const HIDDEN = 'HAProxy, process 30, is not in the process table as this user sees it';
const older = {
  a: { ...NO_OLDER, processes: 1, sessions: 1 },
  b: { ...NO_OLDER, problem: HIDDEN },
};
const names = ['a', 'b'] as const;
const pair = pairOf(
  names.map((node) => memberOf(node, { inspect: () => Promise.resolve(well(node)) })),
  {
    clock: new FakeClock(),
    view: () =>
      names.map((node) => heard(report(node, { haproxy: [haproxy({ older: older[node] })] }))),
  },
);
const ask = async (nodes: readonly string[]) => {
  const { notes, findings } = await doctor(pair, { addresses: [], nodes }, 30, () => []);
  const about = findings.filter(({ saw }) => saw.some((text) => text.includes('older HAProxy')));
  return { notes, about };
};

test('what a reload has left is a note and no finding', async (t) => {
  t.deepEqual(await ask(['a']), {
    notes: [
      'a: 1 older HAProxy process still serves 1 session (left by a reload; hard-stop-after limits that)',
    ],
    about: [],
  });
});

test('a process table that hides HAProxy is a finding, with the sysctl that hides it', async (t) => {
  t.deepEqual(await ask(['b']), {
    notes: [],
    about: [
      {
        id: 'not-seen',
        severity: 'unknown',
        address: null,
        nodes: ['b'],
        saw: [`b: could not look for older HAProxy processes: ${HIDDEN}`],
        why: 'Sessions that a reload has left there are not counted: drain --wait ends with 6.',
        do: [
          {
            node: 'b',
            file: null,
            line: null,
            text:
              'sysctl security.bsd.see_other_uids=1 security.bsd.see_other_gids=1 (0 hides HAProxy ' +
              'from the agent; /etc/sysctl.conf keeps it), or look as root: ' +
              'ps -axo pid,lstart,command | grep haproxy',
          },
        ],
      },
    ],
  });
});
