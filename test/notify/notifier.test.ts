import test from 'ava';
import type { EventKind, PairEvent } from '../../agent/core/events/events.ts';
import type { NotifyMessage } from '../../agent/core/notify/notify-message.ts';
import type { NodeView } from '../../agent/core/model.ts';
import {
  memoryOf,
  memoryText,
  NOTHING_PENDING,
  type NotifyMemory,
} from '../../agent/notify/memory.ts';
import { notifier, type Target } from '../../agent/notify/notifier.ts';
import { heard } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

let number = 0;
const event = (
  node: string,
  kind: EventKind = 'moved',
  more: Partial<PairEvent> = {},
): PairEvent => ({
  id: `${node}-1-${++number}`,
  time: '2027-01-15T08:00:00.000Z',
  node,
  kind,
  severity: 'info',
  subject: '1@wan',
  text: 'text',
  ...more,
});
const alertOf = (node: string, kind: EventKind, more: Partial<PairEvent> = {}): PairEvent =>
  event(node, kind, { alert: 'no-master', severity: 'fail', ...more });

interface Agent {
  readonly node: string;
  readonly sent: string[];
  readonly messages: NotifyMessage[];
  readonly happened: (event: PairEvent) => void;
  readonly look: (views: readonly NodeView[]) => void;
  readonly report: ReturnType<typeof notifier>['report'];
  readonly test: ReturnType<typeof notifier>['test'];
  /** From now on to targets of these names; one that it has stays as it is. */
  readonly retarget: (names: readonly string[]) => void;
  disk: NotifyMemory;
  /** Why sending fails; null: it arrives. */
  broken: string | null;
  /** How long sending takes, ms. */
  slowMs: number;
}

/** Two agents that hear each other, each with a target `mail` unless it has none. */
function pairOf(clock: FakeClock, having: readonly string[] = ['a', 'b']) {
  const problems = new Map<string, string>();
  const start = (node: string, disk: NotifyMemory, stands: readonly string[] = []): Agent => {
    const sent: string[] = [];
    const messages: NotifyMessage[] = [];
    const agent: Pick<Agent, 'broken' | 'disk' | 'slowMs'> = { broken: null, disk, slowMs: 0 };
    const targetOf = (name: string): Target => ({
      name,
      severity: 'warn' as const,
      alerts: [],
      kinds: ['alert', 'moved'],
      send: async (message: NotifyMessage): Promise<void> => {
        if (agent.broken !== null) throw new Error(agent.broken);
        messages.push(message);
        sent.push(message.test ? 'test' : message.told.map(({ event: one }) => one.id).join());
        const { slowMs } = agent;
        if (slowMs > 0) await new Promise<void>((resolve) => clock.after(slowMs, resolve));
      },
    });
    let targets: readonly Target[] = having.includes(node) ? [targetOf('mail')] : [];
    const telling = notifier({
      node,
      pair: 'web',
      targets,
      clock,
      problems: {
        raise: (subject, cause) => void problems.set(`${node} ${subject}`, cause),
        clear: (subject) => void problems.delete(`${node} ${subject}`),
      },
      memory: disk,
      standing: stands,
      keep: (memory) => {
        // As it is after a restart.
        agent.disk = memoryOf(memoryText(memory));
      },
      changed: () => undefined,
    });
    return Object.assign(agent, {
      node,
      sent,
      messages,
      happened: (one: PairEvent): void => telling.happened(one),
      report: () => telling.report(),
      test: (name: string) => telling.test(name),
      look: (views: readonly NodeView[]) => telling.look(views, true),
      retarget(names: readonly string[]) {
        targets = names.map((name) => targets.find((one) => one.name === name) ?? targetOf(name));
        telling.retarget(targets);
      },
    });
  };
  const agents = new Map(['a', 'b'].map((node) => [node, start(node, NOTHING_PENDING)]));
  const of = (node: string): Agent => {
    const agent = agents.get(node);
    if (agent === undefined) throw new Error(`${node} is away`);
    return agent;
  };
  return {
    of,
    problems,
    kill: (node: string) => {
      const { disk } = of(node);
      agents.delete(node);
      return disk;
    },
    start: (node: string, disk: NotifyMemory, stands: readonly string[] = []) =>
      void agents.set(node, start(node, disk, stands)),
    /** So many seconds, each with a round on both. */
    async seconds(count: number): Promise<void> {
      for (let at = 0; at < count; at += 1) {
        for (const agent of agents.values()) {
          const others = [...agents.values()].filter((one) => one !== agent);
          agent.look(others.map((one) => heard(report(one.node, { notify: one.report() }))));
        }
        await clock.advance(1000);
      }
    },
    sent: () => [...agents.values()].map(({ node, sent }) => [node, sent]),
    pending: () => [...agents.values()].map(({ disk }) => disk.queue.length),
  };
}

test('an event of either node is told within ten seconds, once, by the first of both', async (t) => {
  const pair = pairOf(new FakeClock());
  await pair.seconds(2);
  const [one, two] = [event('a'), event('b')];
  pair.of('a').happened(one);
  await pair.seconds(6);
  pair.of('b').happened(two);
  await pair.seconds(8);
  t.deepEqual(pair.sent(), [
    ['a', [one.id, two.id]],
    ['b', []],
  ]);
  t.deepEqual(pair.pending(), [0, 0]);
});

test('a node whose target can be tried again leaves to the other what that is telling', async (t) => {
  const pair = pairOf(new FakeClock());
  const [one, two, three] = [event('a'), event('a'), event('b')];
  await pair.seconds(2);
  pair.of('a').broken = 'refused';
  pair.of('b').slowMs = 2500;
  pair.of('a').happened(one);
  await pair.seconds(4);
  pair.of('a').broken = null;
  // Told by b three seconds later, for two and a half; a tries again meanwhile.
  pair.of('a').happened(two);
  await pair.seconds(6);
  pair.of('b').happened(three);
  await pair.seconds(8);
  t.deepEqual(pair.sent(), [
    ['a', [three.id]],
    ['b', [one.id, two.id]],
  ]);
  t.deepEqual(pair.pending(), [0, 0]);
});

test('what the other was telling and did not end is told after five seconds', async (t) => {
  const pair = pairOf(new FakeClock());
  const one = event('a');
  await pair.seconds(2);
  pair.of('a').broken = 'refused';
  pair.of('b').slowMs = 1_000_000;
  pair.of('a').happened(one);
  await pair.seconds(4);
  pair.of('a').broken = null;
  // It may be tried again in the tenth second.
  await pair.seconds(8);
  t.deepEqual(pair.sent(), [
    ['a', []],
    ['b', [one.id]],
  ]);
  await pair.seconds(4);
  t.deepEqual(pair.sent(), [
    ['a', [one.id]],
    ['b', [one.id]],
  ]);
});

test('the node that has the target tells for one that has not', async (t) => {
  const pair = pairOf(new FakeClock(), ['b']);
  await pair.seconds(2);
  const one = event('a');
  pair.of('a').happened(one);
  await pair.seconds(8);
  t.deepEqual(pair.sent(), [
    ['a', []],
    ['b', [one.id]],
  ]);
  t.deepEqual(pair.pending(), [0, 0]);
});

test('the teller is killed before it told: the other does; back again it tells nothing twice', async (t) => {
  const pair = pairOf(new FakeClock());
  await pair.seconds(2);
  const [one, two] = [event('a'), event('b')];
  pair.of('a').happened(one);
  pair.of('b').happened(two);
  await pair.seconds(1);
  const disk = pair.kill('a');
  t.is(disk.queue.length, 2);
  await pair.seconds(6);
  t.deepEqual(pair.sent(), [['b', [two.id, one.id]]]);
  pair.start('a', disk);
  await pair.seconds(8);
  t.deepEqual(pair.sent(), [
    ['b', [two.id, one.id]],
    ['a', []],
  ]);
  t.deepEqual(pair.pending(), [0, 0]);
});

test('killed before anybody heard of it: told from its disk once it is back', async (t) => {
  const pair = pairOf(new FakeClock());
  await pair.seconds(2);
  const one = event('a');
  pair.of('a').happened(one);
  const disk = pair.kill('a');
  await pair.seconds(6);
  t.deepEqual(pair.sent(), [['b', []]]);
  pair.start('a', disk);
  await pair.seconds(6);
  t.deepEqual(pair.sent(), [
    ['b', []],
    ['a', [one.id]],
  ]);
});

test('a target that fails here is told by the other, and is an alert when it fails for long', async (t) => {
  const clock = new FakeClock();
  const pair = pairOf(clock);
  await pair.seconds(2);
  pair.of('a').broken = 'no route';
  const one = event('a');
  pair.of('a').happened(one);
  await pair.seconds(10);
  t.deepEqual(pair.of('b').sent, [one.id]);
  pair.of('b').broken = 'no route';
  const two = event('a');
  pair.of('a').happened(two);
  await pair.seconds(700);
  t.deepEqual(
    [...pair.problems],
    [
      ['a notify mail', 'no route'],
      ['b notify mail', 'no route'],
    ],
  );
  pair.of('a').broken = null;
  await pair.seconds(600);
  t.deepEqual(pair.of('a').sent, [two.id]);
  t.deepEqual([...pair.problems.keys()], ['b notify mail']);
});

test('an alert that both raise is told once, its end too, also over a change of the teller', async (t) => {
  const pair = pairOf(new FakeClock());
  await pair.seconds(2);
  const rise = [alertOf('a', 'alert-raised'), alertOf('b', 'alert-raised')];
  pair.of('a').happened(rise[0] ?? event('a'));
  pair.of('b').happened(rise[1] ?? event('b'));
  await pair.seconds(8);
  t.is(pair.of('a').sent.length, 1);
  const disk = pair.kill('a');
  const end = alertOf('b', 'alert-cleared', { severity: 'info', from: 'fail' });
  pair.of('b').happened(end);
  await pair.seconds(6);
  t.deepEqual(pair.of('b').sent, []);
  pair.start('a', disk, ['no-master 1@wan']);
  await pair.seconds(2);
  const last = alertOf('a', 'alert-cleared', { severity: 'info', from: 'fail' });
  pair.of('a').happened(last);
  await pair.seconds(8);
  t.deepEqual(pair.of('a').sent, [last.id]);
});

test('a storm is one message, more than twenty messages a minute wait, and too many drop what only informs', async (t) => {
  const pair = pairOf(new FakeClock());
  await pair.seconds(2);
  for (let at = 0; at < 12; at += 1) {
    for (let of = 0; of < 3; of += 1) pair.of('a').happened(event('a'));
    await pair.seconds(4);
  }
  t.is(pair.of('a').sent.length, 20);
  await pair.seconds(61);
  const told = pair.of('a').sent.join().split(',');
  t.deepEqual([told.length, new Set(told).size], [36, 36]);

  pair.of('a').broken = 'no route';
  pair.of('b').broken = 'no route';
  const grave = alertOf('a', 'alert-raised');
  pair.of('a').happened(grave);
  for (let at = 0; at < 600; at += 1) pair.of('a').happened(event('a'));
  t.is(pair.of('a').disk.queue.length, 500);
  t.is(pair.of('a').disk.dropped, 101);
  t.is(pair.of('a').disk.queue[0]?.event.id, grave.id);
  await pair.seconds(10);
  pair.of('a').broken = null;
  await pair.seconds(400);
  t.is(pair.of('a').messages.find(({ dropped }) => dropped > 0)?.dropped, 101);
  t.is(pair.of('a').disk.dropped, 0);
});

test('other targets are told from the moment they are there, and one that is gone no more', async (t) => {
  const pair = pairOf(new FakeClock(), ['a']);
  const { of } = pair;
  const told = (): (readonly string[])[] =>
    of('a').messages.map(({ target, told: all }) => [target, ...all.map(({ event: e }) => e.id)]);
  const [one, two, three] = [event('a'), event('b'), event('a')];
  await pair.seconds(2);
  of('a').happened(one);
  await pair.seconds(8);
  t.deepEqual(told(), [['mail', one.id]]);
  of('a').retarget(['mail', 'chat']);
  of('b').happened(two);
  await pair.seconds(8);
  t.deepEqual(told().slice(1), [
    ['mail', two.id],
    ['chat', two.id],
  ]);
  of('a').retarget(['chat']);
  of('a').happened(three);
  await pair.seconds(8);
  t.deepEqual(told().slice(3), [['chat', three.id]]);
  of('a').retarget([]);
  of('a').happened(event('a'));
  await pair.seconds(8);
  t.deepEqual([told().length, pair.pending()], [4, [0, 0]]);
});

test('a target that failed and is another now is tried at once, and its alert is over', async (t) => {
  const clock = new FakeClock();
  const pair = pairOf(clock, ['a']);
  const one = event('a');
  await pair.seconds(2);
  pair.of('a').broken = 'no route';
  pair.of('a').happened(one);
  await pair.seconds(700);
  t.deepEqual([...pair.problems], [['a notify mail', 'no route']]);
  pair.of('a').broken = null;
  pair.of('a').retarget(['mail']);
  await pair.seconds(2);
  t.deepEqual([...pair.problems], [['a notify mail', 'no route']]);
  pair.of('a').retarget([]);
  t.deepEqual([...pair.problems], []);
  pair.of('a').retarget(['mail']);
  await pair.seconds(2);
  t.deepEqual(pair.of('a').sent, [one.id]);
});

test('with nobody to tell nothing is kept', async (t) => {
  const pair = pairOf(new FakeClock(), []);
  await pair.seconds(2);
  pair.of('a').happened(event('a'));
  await pair.seconds(2);
  t.deepEqual(
    [pair.pending(), pair.of('a').report()],
    [[0, 0], { targets: [], notices: [], told: [], raised: [] }],
  );
});

test('a test says what came of it, and tells nobody of anything else', async (t) => {
  const pair = pairOf(new FakeClock());
  t.deepEqual(await pair.of('a').test(''), [{ name: 'mail', problem: '', tookMs: 0 }]);
  pair.of('a').broken = 'no route';
  t.deepEqual(await pair.of('a').test('mail'), [{ name: 'mail', problem: 'no route', tookMs: 0 }]);
  t.deepEqual(await pair.of('a').test('other'), []);
  t.deepEqual(pair.of('a').sent, ['test']);
});

test('what is damaged in the file is left out', (t) => {
  t.deepEqual(memoryOf('{"queue":[{"line":"{\\"half"},3],"told":"x"'), NOTHING_PENDING);
  t.deepEqual(memoryOf('{"queue":[{"line":"{\\"half","sinceWallMs":1},3],"told":["a b",1]}'), {
    ...NOTHING_PENDING,
    told: ['a b', ''],
  });
});
