import test from 'ava';
import type { ServersAnswer } from '../../agent/core/answers.ts';
import { looking } from '../../agent/web/look.ts';
import { rateKey } from '../../agent/web/picture.ts';
import { serverRows } from '../../agent/web/server-rows.ts';
import { serverReading } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';

const lines = { node: 'haproxy01', nodes: [], lines: [] };
const answer = (total: number): ServersAnswer => ({
  node: 'haproxy01',
  nodes: [{ node: 'haproxy01', problem: '', servers: [serverReading({ total })] }],
  intents: [],
});

test('a rate is new sessions a second between two looks; none at first, after a restart, or after a long time', async (t) => {
  const clock = new FakeClock();
  const now = { total: 100 };
  const { look, latest } = looking({
    clock,
    servers: () => Promise.resolve(answer(now.total)),
    events: () => Promise.resolve(lines),
  });
  const seen = [];
  for (const [ms, total] of [
    [0, 100],
    [2000, 150],
    [4000, 150],
    [2000, 7],
    [2000, 8],
    [31_000, 900],
  ] as const) {
    await clock.advance(ms);
    now.total = total;
    await look();
    seen.push(latest().rates.get(rateKey('haproxy01', 'WEB', 'web1')) ?? null);
  }
  t.deepEqual(seen, [null, 25, 0, null, 0.5, null]);
});

test('a page waits two seconds for nodes that do not answer, and is shown with what is known', async (t) => {
  const clock = new FakeClock();
  let asked = 0;
  const { look, latest } = looking({
    clock,
    servers: () => {
      asked++;
      return asked === 1 ? Promise.resolve(answer(1)) : new Promise(() => undefined);
    },
    events: () => Promise.reject(new Error('no record')),
  });
  await look();
  const before = latest();
  t.deepEqual([before.servers, before.events], [answer(1), null]);
  await clock.advance(2000);
  let shown = 0;
  const all = Promise.all([look(), look()]).then(() => shown++);
  await clock.advance(1999);
  t.is(shown, 0);
  await clock.advance(1);
  await all;
  t.deepEqual([shown, asked, latest()], [1, 2, before]);
});

test('what takes long to answer is asked for a tenth of the time at most', async (t) => {
  const clock = new FakeClock();
  const asked: number[] = [];
  const { look } = looking({
    clock,
    servers: () => {
      asked.push(clock.nowMs());
      return new Promise((resolve) => clock.after(500, () => resolve(answer(1))));
    },
    events: () => Promise.resolve(lines),
  });
  for (let at = 0; at < 12; at++) {
    void look();
    await clock.advance(1000);
  }
  t.deepEqual(asked, [0, 5000, 10_000]);
});

test('ten thousand servers are laid out with turns for others, before anybody is shown them', async (t) => {
  const servers = Array.from({ length: 10_000 }, (_, at) => serverReading({ name: `s${at}` }));
  const list: ServersAnswer = {
    node: 'haproxy01',
    nodes: ['haproxy01', 'haproxy02'].map((node) => ({ node, problem: '', servers })),
    intents: [],
  };
  const { look, latest } = looking({
    clock: new FakeClock(),
    servers: () => Promise.resolve(list),
    events: () => Promise.resolve(lines),
  });
  const seen = { shown: false };
  const looked = look().then(() => (seen.shown = true));
  let turns = 0;
  while (!seen.shown) {
    await new Promise((resolve) => void setImmediate(resolve));
    turns++;
  }
  await looked;
  t.true(turns >= 10, `${turns} turns`);
  const { rows } = serverRows(latest().servers ?? list);
  t.deepEqual([rows.length, rows[9999]?.server, rows[9999]?.on.length], [10_000, 's9999', 2]);
});
