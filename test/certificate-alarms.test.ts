import test from 'ava';
import { certificateAlarms } from '../agent/certificate-alarms.ts';
import type { InspectedCertificate } from '../agent/core/certificate-acts.ts';
import { certificateKey } from '../agent/core/intents.ts';
import type { Intent } from '../agent/core/model.ts';
import { problems as openProblems } from '../agent/problems.ts';
import type { Member } from '../agent/verbs/pair.ts';
import { FakeClock } from './fake-clock.ts';

const WALL = Date.parse('2026-06-01T12:00:00Z');
const well: InspectedCertificate = {
  name: 'site',
  path: '/c/site.pem',
  memory: 'aa',
  disk: 'aa',
  served: 'aa',
  sha256: 'decided',
  notAfter: '2026-09-01T00:00:00Z',
  names: ['www.example.net'],
  problem: '',
  previous: null,
  renewal: '',
};
const decided: Intent = {
  key: certificateKey('site'),
  value: 'decided',
  deleted: false,
  stamp: { wallMs: 1, count: 0, node: 'n1' },
  actor: 'anna',
  reason: '',
  requestId: '',
  untilWallMs: null,
};

/** The alarms of n1, whose certificate and whose peer's a test changes. */
function watched() {
  const clock = new FakeClock({ wallMs: WALL });
  const here = { mine: well, theirs: well };
  const state = { busy: false, peerAway: false };
  const member = (node: string, read: () => InspectedCertificate): Member =>
    ({
      node,
      inspectCertificates: () =>
        node === 'n2' && state.peerAway
          ? Promise.reject(new Error('it does not answer'))
          : Promise.resolve([read()]),
    }) as unknown as Member;
  const problems = openProblems(clock, () => {});
  const alarms = certificateAlarms({
    node: 'n1',
    members: [member('n1', () => here.mine), member('n2', () => here.theirs)],
    intents: () => [decided],
    busy: () => state.busy,
    alarmDays: [30, 14, 7, 1],
    clock,
    problems,
  });
  const list = () => problems.list().map(({ subject, cause }) => `${subject}: ${cause}`);
  return { clock, here, state, alarms, list };
}

test('what differs is an alarm at the second look, well within five minutes, and goes when it is well', async (t) => {
  const { clock, here, alarms, list } = watched();
  await alarms.again();
  t.deepEqual(list(), []);
  here.mine = { ...well, disk: 'bb', served: 'cc', sha256: 'other' };
  await clock.advance(60_000);
  t.deepEqual(list(), []);
  await clock.advance(10_000);
  t.deepEqual(list(), [
    'certificate-disk site: the file is another one: a reload of HAProxy would serve bb',
    'certificate-served site: clients get cc, HAProxy has aa in memory',
    'certificate-undecided site: it is not the version that anna pushed',
  ]);
  here.mine = well;
  await clock.advance(10_000);
  t.deepEqual(list(), []);
});

test('a difference of one look, as a swap makes it, is no alarm', async (t) => {
  const { clock, here, alarms, list } = watched();
  here.theirs = { ...well, memory: 'bb' };
  await alarms.again();
  here.theirs = well;
  await clock.advance(10_000);
  here.theirs = { ...well, memory: 'cc' };
  await clock.advance(60_000);
  t.deepEqual(list(), []);
  await clock.advance(10_000);
  t.deepEqual(list(), ['certificate-peer site: it has aa, n2 another one']);
});

test('each of the alarm days is said once it has come, and the end', async (t) => {
  const said = [];
  for (const days of [31, 29, 13, 6, 0.5, -1]) {
    const { clock, here, alarms, list } = watched();
    const notAfter = new Date(WALL + days * 86_400_000).toISOString();
    here.mine = { ...well, notAfter };
    here.theirs = here.mine;
    await alarms.again();
    await clock.advance(10_000);
    said.push(list().map((text) => text.replace(notAfter, 'T')));
  }
  t.deepEqual(said, [
    [],
    ['certificate-expiry site: ends at T, in less than 30 d'],
    ['certificate-expiry site: ends at T, in less than 14 d'],
    ['certificate-expiry site: ends at T, in less than 7 d'],
    ['certificate-expiry site: ends at T, in less than 1 d'],
    ['certificate-expired site: ended at T'],
  ]);
});

test('a peer that does not answer is no difference, and during a swap nothing is looked at', async (t) => {
  const { clock, here, state, alarms, list } = watched();
  state.peerAway = true;
  here.theirs = { ...well, memory: 'bb' };
  await alarms.again();
  await clock.advance(120_000);
  t.deepEqual(list(), []);
  state.peerAway = false;
  state.busy = true;
  await clock.advance(120_000);
  t.deepEqual(list(), []);
});
