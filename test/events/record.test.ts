import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventOf } from '../../agent/core/events/event-lines.ts';
import { happening, type EventsAsk, type PairEvent } from '../../agent/core/events/events.ts';
import { openEvents } from '../../agent/events/record.ts';
import { FakeClock } from '../fake-clock.ts';

const ALL: EventsAsk = { sinceMs: null, untilMs: null, kinds: [], nodes: [], limit: 5000 };
const UP = happening('haproxy-up', 'haproxy', 'HAProxy up');

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-events-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function recordOf(file: string, epoch = 7, clock = new FakeClock()) {
  const raised = new Map<string, string>();
  const problems = {
    raise: (subject: string, cause: string) => void raised.set(subject, cause),
    clear: (subject: string) => void raised.delete(subject),
  };
  const record = openEvents({ node: 'haproxy01', epoch, file, clock, problems });
  return { record, raised, clock };
}
const read = (lines: readonly string[]): PairEvent[] =>
  lines.flatMap((line) => eventOf(line) ?? []);

test('an event is one line of JSON, and reads the same each time', async (t) => {
  const file = join(folderOf(t), 'sub', 'events.log');
  const { record } = recordOf(file);
  record.add([
    happening('drain', 'WEB/web1', 'drain of WEB/web1, by anna', {
      actor: 'anna',
      requestId: 'r1',
      untilWallMs: 1_800_000_060_000,
      atWallMs: 1_799_999_999_000,
    }),
  ]);
  const event: PairEvent = {
    time: '2027-01-15T07:59:59.000Z',
    id: 'haproxy01-7-1',
    node: 'haproxy01',
    kind: 'drain',
    severity: 'info',
    subject: 'WEB/web1',
    text: 'drain of WEB/web1, by anna',
    actor: 'anna',
    requestId: 'r1',
    until: '2027-01-15T08:01:00.000Z',
  };
  const [first, second] = [await record.lines(ALL), await record.lines(ALL)];
  t.deepEqual([first, read(first.lines), first.leftOut], [second, [event], '']);
  t.deepEqual(record.latest(), [event]);
  t.is(readFileSync(file, 'utf8'), `${first.lines[0]}\n`);
});

test('ids go on over a restart, in order', async (t) => {
  const file = join(folderOf(t), 'events.log');
  recordOf(file, 7).record.add([UP, UP]);
  const { record } = recordOf(file, 8);
  record.add([UP]);
  const { lines } = await record.lines(ALL);
  t.deepEqual(
    read(lines).map(({ id }) => id),
    ['haproxy01-7-1', 'haproxy01-7-2', 'haproxy01-8-1'],
  );
});

test('half a line that a killed agent left is skipped with a word, and spoils no other', async (t) => {
  const file = join(folderOf(t), 'events.log');
  recordOf(file, 7).record.add([UP]);
  appendFileSync(file, '{"time":"2027-01-15T08:00:00.000Z","id":"haproxy01-7-2","no');
  const { record } = recordOf(file, 8);
  record.add([UP]);
  const { lines, leftOut } = await record.lines(ALL);
  t.deepEqual(
    read(lines).map(({ id }) => id),
    ['haproxy01-7-1', 'haproxy01-8-1'],
  );
  t.is(leftOut, '1 of its lines cannot be read and are skipped');
});

test('a file that cannot be written stops nothing, is a problem, and afterwards it is said how many are missing', async (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'events.log');
  writeFileSync(file, '');
  const { record, raised } = recordOf(file);
  rmSync(file);
  writeFileSync(join(folder, 'elsewhere'), '');
  const blocked = recordOf(join(folder, 'elsewhere', 'events.log'));
  const heard: string[] = [];
  blocked.record.listen(({ id }) => heard.push(id));
  t.notThrows(() => blocked.record.add([UP, UP]));
  t.deepEqual([heard.length, blocked.record.latest().length], [2, 2]);
  t.regex(blocked.raised.get('events') ?? '', /what happens is not on record$/);
  rmSync(join(folder, 'elsewhere'));
  blocked.record.add([UP]);
  const { lines } = await blocked.record.lines(ALL);
  t.deepEqual(
    read(lines).map(({ kind, count }) => ({ kind, count })),
    [
      { kind: 'haproxy-up', count: undefined },
      { kind: 'events-lost', count: 2 },
    ],
  );
  t.deepEqual([...blocked.raised, ...raised], []);
  record.close();
});

test('what flaps is counted after the twentieth in a minute', async (t) => {
  const { record, clock } = recordOf('');
  for (let at = 0; at < 50; at += 1) record.add([UP]);
  record.add([happening('haproxy-down', 'haproxy', 'HAProxy down')]);
  await clock.advance(60_000);
  t.deepEqual(
    record.latest().map(({ kind, count }) => `${kind} ${count ?? ''}`),
    [...Array.from({ length: 20 }, () => 'haproxy-up '), 'haproxy-down ', 'events-many 30'],
  );
});

test('by kind, by the word before its dash, and by time; the newest so many', async (t) => {
  for (const file of ['', join(folderOf(t), 'events.log')]) {
    const { record, clock } = recordOf(file);
    for (const kind of ['alert-raised', 'moved', 'alert-cleared', 'haproxy-up'] as const) {
      record.add([happening(kind, 's', kind)]);
      await clock.advance(1000);
    }
    const asked = async (ask: Partial<EventsAsk>): Promise<string[]> =>
      read((await record.lines({ ...ALL, ...ask })).lines).map(({ kind }) => kind);
    t.deepEqual(await asked({ kinds: ['alert'] }), ['alert-raised', 'alert-cleared']);
    t.deepEqual(await asked({ kinds: ['moved', 'haproxy-up'] }), ['moved', 'haproxy-up']);
    t.deepEqual(await asked({ sinceMs: 3000, untilMs: 2000 }), ['moved', 'alert-cleared']);
    t.deepEqual(await asked({ limit: 1 }), ['haproxy-up']);
  }
});

test('newsyslog turns the file over: the next line is in the new one, and both are read', async (t) => {
  const file = join(folderOf(t), 'events.log');
  const { record } = recordOf(file);
  record.add([UP]);
  renameSync(file, `${file}.0`);
  record.reopen();
  record.add([UP]);
  t.deepEqual(
    [file, `${file}.0`].map((path) => readFileSync(path, 'utf8').split('\n').length),
    [2, 2],
  );
  t.is((await record.lines(ALL)).lines.length, 2);
});

test('texts and lists have an end, and no password is on record', (t) => {
  const { record } = recordOf('');
  record.add([
    happening('drain', 'x'.repeat(1000), `stats auth admin:hunter2 ${'y'.repeat(1000)}`, {
      objects: Array.from({ length: 100 }, () => 'z'.repeat(400)),
      objectsCount: 100,
    }),
  ]);
  const [event] = record.latest();
  t.deepEqual(
    [
      event?.subject.length,
      event?.objects?.length,
      event?.objects?.[0]?.length,
      event?.objectsCount,
    ],
    [256, 20, 256, 100],
  );
  t.true((event?.text.length ?? 0) <= 500);
  t.false(event?.text.includes('hunter2'));
});
