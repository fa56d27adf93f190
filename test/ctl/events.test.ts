import { once } from 'node:events';
import test from 'ava';
import { eventLine } from '../../agent/core/events/event-lines.ts';
import type { EventsAsk, PairEvent } from '../../agent/core/events/events.ts';
import type { LinesAnswer } from '../../agent/core/lines.ts';
import type { OwnerChange } from '../../agent/core/history.ts';
import { desk, envelope } from './command.ts';

const eventOf = (node: string, number: number, more: Partial<PairEvent>): PairEvent => ({
  time: `2027-01-15T08:00:0${number}.000Z`,
  id: `${node}-7-${number}`,
  node,
  kind: 'haproxy-up',
  severity: 'info',
  subject: 'haproxy',
  text: 'HAProxy up',
  ...more,
});
const lineOf = (event: PairEvent) => ({ node: event.node, line: eventLine(event) });
const there = (node: string) => ({ node, problem: '', leftOut: '' });
const BOTH = [there('haproxy01'), there('haproxy02')];
const answerOf = (
  events: readonly PairEvent[],
  nodes: LinesAnswer['nodes'] = BOTH,
): LinesAnswer => ({ node: 'haproxy01', nodes, lines: events.map(lineOf) });

const EVENTS = [
  eventOf('haproxy02', 1, {
    kind: 'alert-raised',
    severity: 'fail',
    alert: 'haproxy-down',
    text: 'HAProxy down: its process has ended and nobody has started it again so far',
  }),
  eventOf('haproxy01', 2, {
    kind: 'moved',
    subject: '1@wan',
    text: '1@wan: haproxy02 -> haproxy01: HAProxy down on haproxy02',
    from: 'haproxy02',
    to: 'haproxy01',
    cause: 'agent',
    reason: 'HAProxy down on haproxy02',
  }),
  eventOf('haproxy01', 3, {
    kind: 'drain',
    subject: 'WEB/web1',
    text: 'drain of WEB/web1, by anna\u001b[2J',
    actor: 'anna',
    until: '2027-01-15T18:00:00.000Z',
  }),
  eventOf('haproxy02', 4, {
    kind: 'alert-cleared',
    alert: 'haproxy-down',
    text: 'over: HAProxy down',
    lastedMs: 125_000,
  }),
];

test('events are shown in order, an alert with its id, an end with how long it stood', async (t) => {
  const { run } = await desk(t, { events: () => Promise.resolve(answerOf(EVENTS)) });
  const { code, stdout, stderr } = await run(['events']);
  t.deepEqual([code, stderr], [0, '']);
  t.is(
    stdout,
    `2027-01-15 08:00:01Z  haproxy02  alert-raised (fail)
    haproxy-down haproxy: HAProxy down: its process has ended and nobody has
    started it again so far
2027-01-15 08:00:02Z  haproxy01  moved
    1@wan: haproxy02 -> haproxy01: HAProxy down on haproxy02
2027-01-15 08:00:03Z  haproxy01  drain
    drain of WEB/web1, by anna?[2J, until 2027-01-15 18:00:00Z
2027-01-15 08:00:04Z  haproxy02  alert-cleared
    haproxy-down haproxy: over: HAProxy down, after 2 min
`,
  );
});

test('what is asked for reaches the agent: times, nodes, kinds, how many', async (t) => {
  const asked: EventsAsk[] = [];
  const { run } = await desk(t, {
    events: (ask) => {
      asked.push(ask);
      return Promise.resolve(answerOf([]));
    },
  });
  t.is((await run(['events'])).stdout, 'Nothing is on record for that.\n');
  const more = ['--since', '2h', '--until', '1h', '--node', 'haproxy01', '--limit', '0'];
  await run(['events', ...more, '--kind', 'alert,moved', '--kind', 'drain']);
  t.deepEqual(asked, [
    { sinceMs: null, untilMs: null, kinds: [], nodes: [], limit: 100 },
    {
      sinceMs: 7_200_000,
      untilMs: 3_600_000,
      kinds: ['alert', 'moved', 'drain'],
      nodes: ['haproxy01'],
      limit: 5000,
    },
  ]);
  t.is((await run(['events', '--since', 'tomorrow'])).code, 2);
});

test('a node that does not answer, or has an older agent: said, exit 6, the others are shown', async (t) => {
  const problem = 'events on haproxy02: haproxy02 does not know it';
  const away = { node: 'haproxy02', problem, leftOut: '' };
  const part = { ...there('haproxy01'), leftOut: '1 of its lines cannot be read' };
  const { run } = await desk(t, {
    events: () => Promise.resolve(answerOf(EVENTS.slice(1, 2), [part, away])),
  });
  const { code, stdout } = await run(['events']);
  t.is(code, 6);
  t.true(stdout.startsWith('2027-01-15 08:00:02Z  haproxy01  moved\n'), stdout);
  t.true(
    stdout.endsWith(
      `left out  haproxy01: 1 of its lines cannot be read\nmissing   haproxy02: ${problem}\n`,
    ),
    stdout,
  );
  const json = await run(['events', '-o', 'json']);
  t.is(json.code, 6);
  t.like(envelope(json.stdout), {
    verb: 'events',
    ok: false,
    incomplete: ['nodes'],
    result: {
      events: [{ id: 'haproxy01-7-2', kind: 'moved', cause: 'agent', alert: null, objects: [] }],
      left_out: [{ node: 'haproxy01', reason: '1 of its lines cannot be read' }],
    },
  });
});

test('--follow -o json: each event once, on a line of its own as the file has it', async (t) => {
  let readings = 0;
  const { start } = await desk(t, {
    events: () => {
      readings += 1;
      return Promise.resolve(answerOf(EVENTS.slice(0, Math.min(readings, EVENTS.length))));
    },
  });
  const child = start(['events', '--follow', '-o', 'json']);
  const lines: string[] = [];
  for await (const chunk of child.stdout ?? []) {
    lines.push(
      ...String(chunk)
        .split('\n')
        .filter((line) => line !== ''),
    );
    if (lines.length >= 3) break;
  }
  const ended = once(child, 'close');
  child.kill('SIGINT');
  await ended;
  t.deepEqual(lines.slice(0, 3), EVENTS.slice(0, 3).map(eventLine));
});

const change = (at: number): OwnerChange => ({
  address: '1@wan',
  from: null,
  to: 'haproxy01',
  cause: 'agent',
  reason: `move ${at}`,
  atWallMs: Date.now() - at * 60_000,
});

test('history --since shows every move of that time, however many', async (t) => {
  const asked: (number | null)[] = [];
  const { run } = await desk(t, {
    history: (_addresses, limit) => {
      asked.push(limit);
      const changes = [300, 90, 30, 10].map(change);
      return Promise.resolve({ node: 'haproxy01', changes, missing: [] });
    },
  });
  const reasons = async (args: readonly string[]): Promise<unknown> =>
    JSON.stringify(envelope((await run(['history', '-o', 'json', ...args])).stdout)).match(
      /move \d+/g,
    );
  t.deepEqual(await reasons(['--since', '2h']), ['move 90', 'move 30', 'move 10']);
  await reasons(['--since', '2h', '--limit', '7']);
  t.deepEqual(await reasons([]), ['move 300', 'move 90', 'move 30', 'move 10']);
  t.deepEqual(asked, [null, 7, 20]);
});
