import test from 'ava';
import type { HaproxyReport } from '../../agent/core/model.ts';
import { beforeOf } from '../../agent/core/deploy/served.ts';
import { served } from '../../agent/deploy/served.ts';
import type { ListenerAnswer } from '../../agent/haproxy/listener.ts';
import { FakeClock } from '../fake-clock.ts';
import { haproxy } from '../reports.ts';

const OLD = haproxy();
const NEW = haproxy({ pid: 101 });
const WEB_DOWN = haproxy({
  pid: 101,
  backends: [{ name: 'WEB', up: false, serversUp: 0, servers: 3 }],
});

/** HAProxy as it is at each time after its reload, ms; and how its reload ends. */
function host(
  then: readonly (readonly [number, HaproxyReport])[],
  {
    knock = { kind: 'answers', at: '127.0.0.1:443' },
    command = () => Promise.resolve(),
  }: { readonly knock?: ListenerAnswer; readonly command?: () => Promise<unknown> } = {},
) {
  const clock = new FakeClock();
  const startMs = clock.nowMs();
  let reloads = 0;
  const report = (): HaproxyReport =>
    then.findLast(([at]) => clock.nowMs() - startMs >= at)?.[1] ?? OLD;
  const part = served({
    node: 'haproxy01',
    haproxy: { report, applied: () => [], reread: () => Promise.resolve() },
    command: () => {
      reloads++;
      return command();
    },
    knock: () => Promise.resolve(knock),
    clock,
  });
  /** How it ends, and after how long. */
  const ended = async (running: Promise<void>): Promise<string> => {
    const said: string[] = [];
    running.then(
      () => said.push('serves'),
      (error: Error & { detail?: { cause: string } }) =>
        said.push(`${error.message}: ${error.detail?.cause}`),
    );
    while (said.length === 0 && clock.nowMs() - startMs < 60_000) {
      await new Promise((resolve) => setImmediate(resolve));
      if (said.length === 0) await clock.advance(100);
    }
    return `${Math.round((clock.nowMs() - startMs) / 1000)} s: ${said.join('')}`;
  };
  return { part, ended, reloads: () => reloads };
}

const FAILED = 'HAProxy on haproxy01 does not serve as before after its reload';

test('a reload is over once another process serves all that the old one did', async (t) => {
  const before = beforeOf(OLD);
  const rows: string[] = [];
  for (const [then, settleMs] of [
    [[[0, NEW]], 10_000],
    [[[4000, NEW]], 10_000],
    [[[0, OLD]], 30_000],
    [
      [
        [0, WEB_DOWN],
        [15_000, NEW],
      ],
      20_000,
    ],
    [[[0, WEB_DOWN]], 20_000],
  ] as const) {
    const { part, ended } = host(then);
    rows.push(await ended(part.reload(before, settleMs)));
  }
  t.deepEqual(rows, [
    '0 s: serves',
    '4 s: serves',
    `10 s: ${FAILED}: process 100 still answers`,
    '15 s: serves',
    `20 s: ${FAILED}: down, and was up before: WEB`,
  ]);
});

test('a listener that nobody answers counts, one that cannot be asked does not', async (t) => {
  const before = beforeOf(OLD);
  const silent = host([[0, NEW]], { knock: { kind: 'refused', at: '127.0.0.1:443' } });
  t.is(
    await silent.ended(silent.part.reload(before, 1000)),
    `10 s: ${FAILED}: 127.0.0.1:443 is refused`,
  );
  const elsewhere = host([[0, NEW]], { knock: { kind: 'none', at: '' } });
  t.is(await elsewhere.ended(elsewhere.part.reload(before, 1000)), '0 s: serves');
});

test('a reload command that fails is said with what it printed', async (t) => {
  const { part, ended } = host([[0, NEW]], { command: () => Promise.reject(new Error('exit 1')) });
  t.is(
    await ended(part.reload(beforeOf(OLD), 1000)),
    '0 s: HAProxy on haproxy01 was not reloaded: exit 1',
  );
});

test('back: a process that was never replaced is left alone, another one is reloaded', async (t) => {
  const before = beforeOf(OLD);
  const same = host([[0, OLD]]);
  t.is(await same.ended(same.part.restore(before, 1000)), '0 s: serves');
  t.is(same.reloads(), 0);
  const other = host([
    [0, NEW],
    [1000, haproxy({ pid: 102 })],
  ]);
  t.is(await other.ended(other.part.restore(before, 1000)), '1 s: serves');
  t.is(other.reloads(), 1);
});

test('again: a process that has come since is looked at and not replaced, the old one is', async (t) => {
  const before = beforeOf(OLD);
  const come = host([[0, NEW]]);
  t.is(await come.ended(come.part.again(before, 1000)), '0 s: serves');
  t.is(come.reloads(), 0);
  const old = host([[1000, NEW]]);
  t.is(await old.ended(old.part.again(before, 1000)), '1 s: serves');
  t.is(old.reloads(), 1);
});
