import test from 'ava';
import { certificateKey } from '../../agent/core/intents.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { gossip } from '../../agent/gossip/gossip.ts';
import { problems as openProblems } from '../../agent/problems.ts';
import { syncAlarms } from '../../agent/gossip/sync-alarms.ts';
import { intent } from '../core/builders.ts';
import { report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';

const decided = intent(certificateKey('site'), 'sha256');

/** n1, which hears n2 ten times a second, and where nothing that n1 says gets through while `deaf`. */
function pair() {
  const clock = new FakeClock({ nowMs: 1000 });
  const state = { deaf: false };
  const node = (name: 'n1' | 'n2', to: () => ReturnType<typeof gossip>) =>
    gossip({
      node: name,
      pair: 'web',
      agentVersion: '0.1.0',
      epoch: 1,
      startId: 0,
      peers: [name === 'n1' ? 'n2' : 'n1'],
      timing: TIMINGS.fast,
      clock,
      transport: {
        send(_, message) {
          if (name === 'n1' && state.deaf) return false;
          to().receive(name, message);
          return true;
        },
      },
      intents: new Map(),
      onIntents: () => undefined,
      onChange: () => undefined,
      onRefused: () => undefined,
    });
  const one = node('n1', () => two);
  const two: ReturnType<typeof gossip> = node('n2', () => one);
  one.publish(report('n1'));
  two.publish(report('n2'));
  const problems = openProblems(clock, () => {});
  const alarms = syncAlarms({
    node: 'n1',
    peers: ['n2'],
    differsSinceMs: (peer) => one.contact(peer)?.differsSinceMs ?? null,
    intents: () => [...one.intents().values()],
    clock,
    problems,
  });
  const seconds = async (count: number): Promise<void> => {
    for (let at = 0; at < count * 10; at++) {
      one.beat();
      two.beat();
      await clock.advance(100);
    }
  };
  const list = () => problems.list().map(({ subject, cause, remedy }) => [subject, cause, remedy]);
  return { state, one, seconds, alarms, list };
}

test('what was decided and arrives is no alarm', async (t) => {
  const { one, seconds, list } = pair();
  await seconds(2);
  one.store('n1', [decided]);
  await seconds(90);
  t.deepEqual(list(), []);
});

test('a peer that is heard and does not confirm a decision is an alarm in 70 s, with the certificate, until it does', async (t) => {
  const { one, state, seconds, list } = pair();
  await seconds(2);
  state.deaf = true;
  one.store('n1', [decided]);
  await seconds(50);
  t.deepEqual(list(), []);
  await seconds(20);
  const said = [
    'sync n2',
    'n2 does not confirm what was decided on n1; the last: certificate site, by anna',
    'date on both hosts; proxyagent.log on n2; there: service proxyagent restart',
  ];
  t.deepEqual(list(), [said]);
  // Another decision in the meantime is no new alarm.
  one.store('n1', [{ ...decided, key: 'pause', stamp: { ...decided.stamp, wallMs: 2 } }]);
  await seconds(20);
  t.deepEqual(list(), [said]);
  state.deaf = false;
  await seconds(12);
  t.deepEqual(list(), []);
});

test('stopped, it looks no more', async (t) => {
  const { one, state, seconds, alarms, list } = pair();
  await seconds(2);
  alarms.stop();
  state.deaf = true;
  one.store('n1', [decided]);
  await seconds(90);
  t.deepEqual(list(), []);
});

test('after a minute of difference, to the look, with the newest decision', async (t) => {
  const clock = new FakeClock();
  const problems = openProblems(clock, () => {});
  const at = (wallMs: number) => ({ stamp: { wallMs, count: 0, node: 'n1' } });
  const alarms = syncAlarms({
    node: 'n1',
    peers: ['n2'],
    differsSinceMs: () => 10_000,
    intents: () => [intent('pause', 'on', at(5)), intent('pin/1@wan', 'n1', at(7))],
    clock,
    problems,
  });
  t.teardown(() => alarms.stop());
  await clock.advance(69_999);
  t.deepEqual(problems.list(), []);
  await clock.advance(1);
  t.deepEqual(
    problems.list().map(({ cause }) => cause),
    ['n2 does not confirm what was decided on n1; the last: pin/1@wan, by anna'],
  );
});
