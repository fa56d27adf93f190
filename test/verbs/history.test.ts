import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { decide } from '../../agent/core/decide/decide.ts';
import { NO_MEMORY } from '../../agent/core/decide/memory.ts';
import { eventOf } from '../../agent/core/events/event-lines.ts';
import { happening, type EventsAsk } from '../../agent/core/events/events.ts';
import { openEvents } from '../../agent/events/record.ts';
import { past, type StoredPast } from '../../agent/loop/own-history.ts';
import { openStore } from '../../agent/store/state.ts';
import { history } from '../../agent/verbs/history.ts';
import { historyFromWire, historyToWire } from '../../agent/wire/history.ts';
import { historyResult } from '../../ctl/json/history.ts';
import { heard, view } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { address, NOW, report } from '../reports.ts';
import { memberOf, pairOf } from '../scripted.ts';

const [A, B] = ['haproxy01', 'haproxy02'] as const;

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-history-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The records of one node, as its agent keeps them in `folder`; again after each start. */
async function keeper(folder: string, node: string, clock: FakeClock) {
  const store = await openStore(join(folder, node), clock.wallMs());
  const { history: kept, held } = store.state;
  const owners = past({ history: kept, held });
  const peer = node === A ? B : A;
  return {
    list: owners.list,
    /** A round in which it is MASTER or not, and the other node the contrary. */
    async round(isMaster: boolean): Promise<void> {
      const mine = report(node, {
        addresses: [address(isMaster ? { state: 'MASTER' as const } : {})],
      });
      const theirs = report(peer, {
        addresses: [address(isMaster ? {} : { state: 'MASTER' as const })],
      });
      const nodes = [heard(mine), heard(theirs)];
      const decision = decide(view(node, nodes), NO_MEMORY, NOW);
      const noted: StoredPast | null = owners.note(decision, mine, nodes.slice(1), clock.wallMs());
      if (noted !== null) await store.save(noted);
    },
  };
}

test('read again, after a round, and after a start of the agents, history is the same to the letter', async (t) => {
  const folder = folderOf(t);
  const clock = new FakeClock();
  let kept = { [A]: await keeper(folder, A, clock), [B]: await keeper(folder, B, clock) };
  let offMs = 400;
  const read = async (asked: string): Promise<string> => {
    const members = [A, B]
      .map((node) => memberOf(node, { history: () => Promise.resolve(kept[node].list()) }))
      .sort((one) => (one.node === asked ? -1 : 1));
    const pair = pairOf(members, {
      clock,
      view: () => [A, B].map((node) => heard(report(node), { clockOffMs: offMs })),
    });
    const wire = historyToWire(await history(pair, [], null), clock.wallMs());
    // proxyctl's own clock is another one.
    const { changes } = historyResult(historyFromWire(wire as never, clock.wallMs() + 5000));
    return JSON.stringify(changes, null, 1);
  };
  // Both find it there: two MASTERs, of which one gives it up.
  await kept[A].round(true);
  await clock.advance(2000);
  await kept[B].round(true);
  await clock.advance(500);
  const first = await read(A);
  t.is(JSON.parse(first).length, 2);
  await clock.advance(7000);
  offMs = -350;
  await kept[A].round(true);
  await kept[B].round(true);
  t.is(await read(A), first, 'after a round');
  t.is(await read(B), first, 'of the other agent');
  await clock.advance(60_000);
  kept = { [A]: await keeper(folder, A, clock), [B]: await keeper(folder, B, clock) };
  t.is(await read(A), first, 'after a start');
  await kept[A].round(true);
  await kept[B].round(true);
  t.is(await read(B), first, 'after the first round of it');
});

test('read again, and after a start of the agent, events have the same times and ids', async (t) => {
  const file = join(folderOf(t), 'events.log');
  const clock = new FakeClock();
  const problems = { raise: () => undefined, clear: () => undefined };
  const start = (epoch: number) => openEvents({ node: A, epoch, file, clock, problems });
  const ask: EventsAsk = { sinceMs: null, untilMs: null, kinds: [], nodes: [], limit: 5000 };
  const read = async (record: ReturnType<typeof start>) =>
    (await record.lines(ask)).lines.map((line) => {
      const { id = '', time = '' } = eventOf(line) ?? {};
      return `${id} ${time}`;
    });
  const before = start(7);
  before.add([happening('moved', '1@wan', 'moved'), happening('haproxy-up', 'haproxy', 'up')]);
  const first = await read(before);
  t.deepEqual(first, [`${A}-7-1 2027-01-15T08:00:00.000Z`, `${A}-7-2 2027-01-15T08:00:00.000Z`]);
  await clock.advance(5000);
  before.add([happening('haproxy-down', 'haproxy', 'down')]);
  const second = await read(before);
  t.deepEqual(second, [...first, `${A}-7-3 2027-01-15T08:00:05.000Z`]);
  before.close();
  await clock.advance(60_000);
  t.deepEqual(await read(start(8)), second);
});
