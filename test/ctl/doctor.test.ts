import test from 'ava';
import type { Finding } from '../../agent/core/doctor/finding.ts';
import { doctorFromWire, doctorToWire } from '../../agent/wire/doctor.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import { doctorScreen } from '../../ctl/render/doctor.ts';
import { desk, PROXYCTL } from './command.ts';
import { onTerminal, terminalMissing } from './terminal.ts';

const LOST: Finding = {
  id: 'carp-adverts-lost',
  severity: 'fail',
  address: '1@wan',
  nodes: ['haproxy02'],
  saw: [
    'haproxy01 sent 3 CARP adverts over IPv4 in 2.5 s, haproxy02 received 0',
    'haproxy02: pf drops proto carp in on vtnet0, inet: block drop in log all (pfctl -sr)',
  ],
  why: 'A BACKUP that hears nothing takes the address after 3 to 4 s: both answer.',
  do: [
    {
      node: 'haproxy02',
      file: '/etc/pf.conf',
      line: 'before the first `block` with quick',
      text: 'pass quick on vtnet0 proto carp keep state (no-sync)',
    },
    { node: 'haproxy02', file: null, line: null, text: 'pfctl -f /etc/pf.conf' },
  ],
};
const CHECK: Finding = {
  id: 'haproxy-no-check',
  severity: 'warn',
  address: null,
  nodes: ['haproxy01', 'haproxy02'],
  saw: ['haproxy01: A/a has no check'],
  why: 'It fails.',
  do: ['haproxy01', 'haproxy02'].map((node) => ({
    node,
    file: '/usr/local/etc/haproxy.conf',
    line: '77',
    text: 'server a\u001b[31m 10.0.0.1:80 check',
  })),
};
const answer = {
  node: 'haproxy01',
  findings: [LOST, CHECK],
  nodes: [
    { node: 'haproxy01', problem: '' },
    { node: 'haproxy02', problem: '' },
  ],
  notes: [],
};

test('the screen: evidence, reason and the line to change, at 80 columns, nothing unprintable', (t) => {
  t.is(
    doctorScreen(answer),
    `FAIL  carp-adverts-lost   1@wan, haproxy02                                1 of 2
  saw  haproxy01 sent 3 CARP adverts over IPv4 in 2.5 s, haproxy02 received 0
       haproxy02: pf drops proto carp in on vtnet0, inet: block drop in log all
       (pfctl -sr)
  why  A BACKUP that hears nothing takes the address after 3 to 4 s: both
       answer.
  do   haproxy02, /etc/pf.conf, before the first \`block\` with quick
         pass quick on vtnet0 proto carp keep state (no-sync)
       on haproxy02, run
         pfctl -f /etc/pf.conf

WARN  haproxy-no-check    haproxy01, haproxy02                            2 of 2
  saw  haproxy01: A/a has no check
  why  It fails.
  do   haproxy01, haproxy02, /usr/local/etc/haproxy.conf, line 77
         server a?[31m 10.0.0.1:80 check
`,
  );
});

test('nothing found says on which nodes nothing was found', (t) => {
  t.is(doctorScreen({ ...answer, findings: [] }), 'nothing found on haproxy01, haproxy02\n');
});

test('what is so and is no fault stands below, and is no finding', (t) => {
  const notes = ['haproxy01: 1 older HAProxy process still serves 2 sessions'];
  t.is(
    doctorScreen({ ...answer, findings: [], notes }),
    `nothing found on haproxy01, haproxy02

note  haproxy01: 1 older HAProxy process still serves 2 sessions
`,
  );
});

test('an answer is the same after its way over the wire', (t) => {
  const bytes = proxyctl.v1.DoctorReply.encode(doctorToWire(answer)).finish();
  t.deepEqual(doctorFromWire(proxyctl.v1.DoctorReply.decode(bytes)), answer);
});

(terminalMissing() ? test.skip : test)(
  'on a terminal it says that it looks, takes that away, and the screen is the same',
  async (t) => {
    const { config, world } = await desk(t, { doctor: () => Promise.resolve(answer) });
    const { code, screen } = await onTerminal(
      [process.execPath, PROXYCTL, 'doctor'],
      world.folder,
      [],
      { PROXYCTL_CONFIG: config },
    );
    t.is(code, 3);
    t.is(
      screen,
      `\r\u001B[Klooking at every node and between them: 0 s, about 5 s\r\u001B[K${doctorScreen(
        answer,
      ).replaceAll('\u001B', '?')}`,
    );
  },
);
