import test from 'ava';
import type { ActHeader } from '../../agent/core/acts.ts';
import { mergeIntents, stampOf, stampText, type Intents } from '../../agent/core/intents.ts';
import type { Stamp } from '../../agent/core/model.ts';
import { ActFailure, type ActResult } from '../../agent/core/results.ts';
import { setAutomation } from '../../agent/verbs/automation.ts';
import { pushCertificate } from '../../agent/verbs/push.ts';
import { status } from '../../agent/verbs/status.ts';
import { intent, wishes } from '../core/builders.ts';
import { NOW } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const at = (wallMs: number): Stamp => ({ wallMs, count: 0, node: 'haproxy02' });
const HEADER: ActHeader = {
  requestId: 'r',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};

/** A pair of one that stores what it is told. */
function pairWith(intents: Intents) {
  let stored = intents;
  const clock = new FakeClock({ wallMs: NOW });
  const member = memberOf('haproxy01', {
    storeIntents: (list) => {
      stored = mergeIntents(stored, list, clock.wallMs()).intents;
      return Promise.resolve({ newer: [] });
    },
  });
  return pairOf([member], { clock, intents: () => stored });
}

/** How a verb ended, in its own words where it was refused. */
const ended = (running: Promise<ActResult>) =>
  running.then(
    ({ outcome, changed }) => ({ outcome, changed }),
    (error: unknown) => {
      if (!(error instanceof ActFailure)) throw error;
      const { message, remediation } = error.detail;
      return { outcome: error.outcome, message, remediation };
    },
  );

const REFUSED = {
  outcome: 'conflict',
  message: 'pause was changed by bea in the meantime',
  remediation:
    'look at proxyctl status, then say it again if it is still wanted; ' +
    'or accept it: --accept-risk=stale-view',
};

test('what was changed since the caller looked is refused with 9, unless that is accepted', async (t) => {
  const pause = intent('pause', 'on', { stamp: at(NOW - 500), actor: 'bea' });
  const resume = (header: Partial<ActHeader>) =>
    ended(
      setAutomation(
        pairWith(wishes(pause)),
        { header: { ...HEADER, ...header }, paused: false, untilMs: null },
        () => undefined,
      ),
    );
  const done = { outcome: 'reached', changed: true };
  t.deepEqual(await resume({ seen: at(NOW - 501) }), REFUSED);
  t.deepEqual(await resume({ seen: at(NOW - 501), dryRun: true }), REFUSED);
  t.deepEqual(await resume({ seen: at(NOW - 501), acceptRisks: ['stale-view'] }), done);
  t.deepEqual(await resume({ seen: at(NOW - 500) }), done);
  t.deepEqual(await resume({ seen: null }), done);
});

test('what is taken back counts as a change, and what the verb does not touch does not', async (t) => {
  const gone = intent('pause', '', { deleted: true, stamp: at(NOW - 500), actor: 'bea' });
  const other = intent('maintenance/haproxy02', 'on', { stamp: at(NOW - 500) });
  const pauses = (known: Intents) =>
    ended(
      setAutomation(
        pairWith(known),
        { header: { ...HEADER, seen: at(NOW - 501) }, paused: true, untilMs: null },
        () => undefined,
      ),
    );
  t.deepEqual(await pauses(wishes(gone)), REFUSED);
  t.deepEqual(await pauses(wishes(other)), { outcome: 'reached', changed: true });
});

test('a push is refused before any node is asked: its certificate, or any where it names none', async (t) => {
  const decided = (path: string) =>
    wishes(intent(`certificate/${path}`, 'ab', { stamp: at(NOW - 500), actor: 'bea' }));
  const push = (path: string | null, known: Intents) =>
    ended(
      pushCertificate(
        pairWith(known),
        { header: { ...HEADER, seen: at(NOW - 501) }, bundles: [{ path, pem: 'x' }] },
        () => undefined,
      ),
    );
  const message = (path: string) => `certificate/${path} was changed by bea in the meantime`;
  t.like(await push('/a.pem', decided('/a.pem')), { message: message('/a.pem') });
  t.like(await push(null, decided('/b.pem')), { message: message('/b.pem') });
  // It gets as far as the node, which answers nothing in this test.
  t.like(await push('/a.pem', decided('/b.pem')), { outcome: 'result-unknown' });
});

test('a status carries the newest stamp of all, of tombstones too, and one where there is none', (t) => {
  const newest = (known: Intents) =>
    status({ pair: pairWith(known), alerts: () => [], silence: () => '' }).newest;
  const gone = intent('pause', '', { deleted: true, stamp: at(NOW) });
  t.deepEqual(newest(wishes(intent('pin/1@wan', 'haproxy02'), gone)), at(NOW));
  t.deepEqual(newest(new Map()), { wallMs: 0, count: 0, node: 'haproxy01' });
});

test('a stamp comes out of its text as it went in, and other text is none', (t) => {
  for (const stamp of [at(1_790_000_000_000.25), { wallMs: 0, count: 0xffff_ffff, node: 'a.b/c' }])
    t.deepEqual(stampOf(stampText(stamp)), stamp);
  for (const text of ['', '1/2', '1/2/', '-1/0/a', '1/4294967296/a', '1/0/a b', 'x/0/a'])
    t.is(stampOf(text), null, text);
});
