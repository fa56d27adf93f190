import test from 'ava';
import { certificateAlarms } from '../../agent/upkeep/certificate-alarms.ts';
import { confirmations } from '../../agent/upkeep/certificate-confirmations.ts';
import type { InspectedCertificate } from '../../agent/core/answers.ts';
import { certificateFindings } from '../../agent/core/certs/certificates.ts';
import { certificateKey } from '../../agent/core/intents.ts';
import { problems as openProblems } from '../../agent/problems.ts';
import { intent } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { inspected } from '../reports.ts';

const WALL = Date.parse('2026-06-01T12:00:00Z');
const well = inspected('aa', { sha256: 'decided', notAfter: '2026-09-01T00:00:00Z' });
const decided = intent(certificateKey('site'), 'decided');

/** The alarms of n1, whose certificate and whose peer's a test changes. */
function watched(alarmDays: readonly number[] = [30, 14, 7, 1]) {
  const clock = new FakeClock({ wallMs: WALL });
  const here = { mine: well, theirs: well };
  const state = { busy: false, peerAway: false };
  const member = (node: string, read: () => InspectedCertificate) => ({
    node,
    inspectCertificates: () =>
      node === 'n2' && state.peerAway
        ? Promise.reject(new Error('it does not answer'))
        : Promise.resolve([read()]),
  });
  const problems = openProblems(clock, () => {});
  const alarms = certificateAlarms({
    node: 'n1',
    members: [member('n1', () => here.mine), member('n2', () => here.theirs)],
    intents: () => [decided],
    busy: () => state.busy,
    alarmDays,
    clock,
    problems,
  });
  const list = () => problems.list().map(({ subject, cause }) => `${subject}: ${cause}`);
  return { clock, here, state, alarms, problems, list };
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
    'certificate-disk site: /c/site.pem is another one: a reload of HAProxy would serve bb',
    'certificate-served site: clients get cc, HAProxy has aa in memory',
    'certificate-undecided site: /c/site.pem is not the version that anna pushed',
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

test('each of the alarm days is said once it has come, and the end: file, days left and remedy', async (t) => {
  const said = [];
  for (const days of [30.5, 29.5, 13.5, 6.5, 1.5, 0.5, -0.5, -3.5]) {
    const { here, alarms, problems } = watched();
    const notAfter = new Date(WALL + days * 86_400_000).toISOString();
    here.mine = { ...well, notAfter };
    here.theirs = here.mine;
    await alarms.again();
    for (const { subject, cause, remedy } of problems.list())
      said.push([days, subject, cause.replace(notAfter, 'T'), remedy]);
  }
  const renew = 'renew it, then: proxyctl cert push FILE --as site';
  t.deepEqual(said, [
    [29.5, 'certificate-expiry site', '/c/site.pem ends in 29 days, T', renew],
    [13.5, 'certificate-expiry site', '/c/site.pem ends in 13 days, T', renew],
    [6.5, 'certificate-expiry site', '/c/site.pem ends in 6 days, T', renew],
    [1.5, 'certificate-expiry site', '/c/site.pem ends in 1 day, T', renew],
    [0.5, 'certificate-expiry site', '/c/site.pem ends in less than a day, T', renew],
    [-0.5, 'certificate-expired site', '/c/site.pem ended less than a day ago, T', renew],
    [-3.5, 'certificate-expired site', '/c/site.pem ended 3 days ago, T', renew],
  ]);
});

test('of alarm_days the longest counts, and the days left are said anew each day', async (t) => {
  const { clock, here, alarms, list } = watched([7]);
  here.mine = { ...well, notAfter: new Date(WALL + 8.5 * 86_400_000).toISOString() };
  here.theirs = here.mine;
  const said: string[] = [];
  await alarms.again();
  for (let day = 0; day < 3; day++) {
    said.push(list().join().replace(/, .*/, ''));
    await clock.advance(86_400_000);
  }
  t.deepEqual(said, ['', '', 'certificate-expiry site: /c/site.pem ends in 6 days']);
});

test('an alarm day that begins, and the end, are said at that moment', async (t) => {
  const { clock, here, alarms, list } = watched([7]);
  here.mine = { ...well, notAfter: new Date(WALL + 7 * 86_400_000 + 25_000).toISOString() };
  here.theirs = here.mine;
  await alarms.again();
  await clock.advance(25_000);
  t.deepEqual(list(), []);
  await clock.advance(1);
  t.is(list().join().replace(/, .*/, ''), 'certificate-expiry site: /c/site.pem ends in 6 days');
  await clock.advance(7 * 86_400_000 - 1);
  t.regex(list().join(), /^certificate-expiry site: \S+ ends in less than a day/);
  await clock.advance(1);
  t.regex(list().join(), /^certificate-expired site: \S+ ended less than a day ago/);
});

test('what may have changed is looked at within a second, and after a swap that is under way', async (t) => {
  const { clock, here, state, alarms, list } = watched();
  await alarms.again();
  here.mine = { ...well, notAfter: new Date(WALL + 5.5 * 86_400_000).toISOString() };
  here.theirs = here.mine;
  alarms.soon();
  alarms.soon();
  await clock.advance(1000);
  t.is(list().join().replace(/, .*/, ''), 'certificate-expiry site: /c/site.pem ends in 5 days');
  here.mine = well;
  here.theirs = well;
  state.busy = true;
  alarms.soon();
  await clock.advance(5000);
  t.is(list().length, 1);
  state.busy = false;
  await clock.advance(1000);
  t.deepEqual(list(), []);
});

test('a peer that answered, has the decided version and falls silent is no alarm of a certificate', async (t) => {
  const { clock, here, state, alarms, list } = watched();
  await alarms.again();
  state.peerAway = true;
  here.theirs = { ...well, memory: 'bb' };
  await clock.advance(600_000);
  t.deepEqual(list(), []);
});

test('a silent peer that has not confirmed what was decided is an alarm within five minutes, until it has', async (t) => {
  const { clock, here, state, alarms, problems, list } = watched();
  here.theirs = { ...well, sha256: 'before' };
  await alarms.again();
  state.peerAway = true;
  const [saidMs, alarm] = await within(300_000);
  t.deepEqual(
    [saidMs <= 190_000, alarm?.subject, alarm?.cause, alarm?.remedy],
    [
      true,
      'certificate-sync site on n2',
      'n2 has not confirmed the /c/site.pem that anna pushed: it gives no answer',
      'on n2: service proxyagent status; service haproxy status; it catches up by itself',
    ],
  );
  state.peerAway = false;
  here.theirs = well;
  await clock.advance(60_000);
  t.deepEqual(list(), []);

  /** The first alarm, and after how long. */
  async function within(limitMs: number) {
    for (let atMs = 0; atMs < limitMs; atMs += 10_000) {
      await clock.advance(10_000);
      const [first] = problems.list();
      if (first !== undefined) return [atMs + 10_000, first] as const;
    }
    return [Infinity, null] as const;
  }
});

test('during a swap nothing is looked at', async (t) => {
  const { clock, here, state, alarms, list } = watched();
  here.theirs = { ...well, memory: 'bb' };
  state.busy = true;
  await alarms.again();
  await clock.advance(120_000);
  t.deepEqual(list(), []);
});

test('with many certificates each decision is looked at once, not once for each certificate', async (t) => {
  let looks = 0;
  const intents = Array.from({ length: 100 }, (_, at) => {
    const { key, ...rest } = intent(certificateKey(`site${at}`), 'decided');
    return {
      ...rest,
      get key() {
        looks += 1;
        return key;
      },
    };
  });
  const certificates = intents.map((_, at) => inspected('aa', { name: `site${at}`, sha256: 'b' }));
  const nodes = ['n1', 'n2'].map((node) => ({ node, problem: '', certificates }));
  const at = { wallMs: WALL, alarmDays: [], endMs: Date.parse };
  t.is(certificateFindings({ nodes, intents }, at).length, 200);
  t.is(looks, 100);
  const { clock } = watched();
  const peers = confirmations(clock);
  const away = [{ node: 'n2', problem: 'no answer', certificates: [] }];
  peers.missing(certificates, away, intents);
  await clock.advance(120_000);
  t.is(peers.missing(certificates, away, intents).length, 100);
  t.is(looks, 200);
});
