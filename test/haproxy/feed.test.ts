import test from 'ava';
import { haproxyFeed } from '../../agent/haproxy/feed.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import type { HaproxyReport } from '../../agent/core/model.ts';
import { haproxy } from '../reports.ts';
import { FakeClock, settled } from '../fake-clock.ts';

const certificate = (fingerprint: string) => ({
  path: '/a.pem',
  fingerprint,
  notAfter: '2027-01-01T00:00:00Z',
  names: ['a.test'],
});

/** A feed over a watch and readings that the test plays. */
function feedOf({ held = false } = {}) {
  const clock = new FakeClock({ nowMs: 1000 });
  const readings: { withCertificates: boolean; atMs: number }[] = [];
  const waiting: (() => void)[] = [];
  let changes = 0;
  let unwatched = 0;
  let tell: (liveness: Liveness) => void = () => undefined;
  const world = {
    clock,
    readings,
    tell: async (liveness: Liveness): Promise<void> => {
      tell(liveness);
      await settled();
    },
    /** What HAProxy is like when it is read next. */
    now: (): Partial<HaproxyReport> => ({}),
    changes: () => changes,
    unwatched: () => unwatched,
    /** Lets the oldest reading that is held end. */
    release: async (): Promise<void> => {
      waiting.shift()?.();
      await settled();
    },
  };
  const feed = haproxyFeed({
    instance: '',
    clock,
    watch: (onChange) => {
      tell = onChange;
      return () => unwatched++;
    },
    observe: async (withCertificates) => {
      readings.push({ withCertificates, atMs: clock.nowMs() });
      const seen = world.now();
      if (held) await new Promise<void>((resolve) => waiting.push(resolve));
      return haproxy({ stateSinceMs: clock.nowMs(), certificates: [], ...seen });
    },
    onChange: () => changes++,
  });
  return { feed, ...world, world };
}

const UP: Liveness = { kind: 'up', pid: 100, version: '2.6.12' };

test('before the first word it is down and not read yet', (t) => {
  const { feed } = feedOf();
  const { state, problem, stateSinceMs } = feed.report();
  t.deepEqual([state, problem, stateSinceMs, feed.pid()], ['down', 'not read yet', 1000, null]);
});

test('up: read at once with certificates, then every second without, and with them every 30 seconds', async (t) => {
  const { feed, clock, readings, tell } = feedOf();
  await tell(UP);
  t.is(feed.pid(), 100);
  t.is(feed.report().state, 'up');
  await clock.advance(31_000);
  t.deepEqual(
    readings.map(({ atMs }) => atMs),
    Array.from({ length: 32 }, (_, at) => 1000 + 1000 * at),
  );
  t.deepEqual(
    readings.filter(({ withCertificates }) => withCertificates).map(({ atMs }) => atMs),
    [1000, 31_000],
  );
});

test('certificates stay known between their readings', async (t) => {
  const { feed, clock, tell, world } = feedOf();
  world.now = () => ({ certificates: [certificate('aa')] });
  await tell(UP);
  world.now = () => ({});
  await clock.advance(5000);
  t.deepEqual(feed.report().certificates, [certificate('aa')]);
});

test('down and hung are told at once with their cause, and since when', async (t) => {
  const { feed, clock, tell } = feedOf();
  await tell(UP);
  await clock.advance(500);
  await tell({ kind: 'hung', cause: 'no reply' });
  const hung = feed.report();
  t.deepEqual([hung.state, hung.problem, hung.stateSinceMs], ['hung', 'no reply', 1500]);
  t.is(feed.pid(), null);
  await clock.advance(500);
  await tell({ kind: 'down', cause: 'nobody listens' });
  const down = feed.report();
  t.deepEqual([down.state, down.problem, down.stateSinceMs], ['down', 'nobody listens', 2000]);
  await clock.advance(3000);
  t.is(feed.report().stateSinceMs, 2000);
});

test('a reading that ends after the death does not bring it back', async (t) => {
  const { feed, tell, release } = feedOf({ held: true });
  await tell(UP);
  await tell({ kind: 'down', cause: 'nobody listens' });
  await release();
  t.is(feed.report().state, 'down');
});

test('a reading of the old process that ends after a reload is not taken for the new one', async (t) => {
  const { feed, readings, tell, release, world } = feedOf({ held: true });
  world.now = () => ({ pid: 100, certificates: [certificate('old')] });
  await tell(UP);
  world.now = () => ({ pid: 200, certificates: [certificate('new')] });
  await tell({ kind: 'up', pid: 200, version: '2.6.12' });
  await release();
  t.is(feed.report().state, 'down');
  await release();
  t.deepEqual(feed.report().certificates, [certificate('new')]);
  t.is(feed.report().pid, 200);
  t.deepEqual(
    readings.map(({ withCertificates }) => withCertificates),
    [true, true],
  );
});

test('alive and not readable: up, with the trouble named, until it can be read', async (t) => {
  const { feed, clock, tell, world } = feedOf();
  world.now = () => {
    throw new Error('show stat: cut');
  };
  await tell(UP);
  const { state, problem, pid, version } = feed.report();
  t.deepEqual([state, problem, pid, version], ['up', 'show stat: cut', 100, '2.6.12']);
  world.now = () => ({ certificates: [certificate('aa')] });
  await clock.advance(1000);
  t.is(feed.report().problem, '');
  t.deepEqual(feed.report().certificates, [certificate('aa')]);
});

test('read again on demand: certificates too, and not from a reading that began before', async (t) => {
  const { feed, tell, release, world } = feedOf({ held: true });
  world.now = () => ({ certificates: [certificate('old')] });
  await tell(UP);
  // The swap is done while the first reading is under way.
  world.now = () => ({ certificates: [certificate('new')] });
  const done = feed.reread();
  await release();
  t.deepEqual(feed.report().certificates, [certificate('old')]);
  await release();
  await done;
  t.deepEqual(feed.report().certificates, [certificate('new')]);
});

test('readings do not overlap, however often it is told', async (t) => {
  const { clock, readings, tell } = feedOf({ held: true });
  await tell(UP);
  await clock.advance(10_000);
  await tell(UP);
  t.is(readings.length, 1);
});

test('closed: no reading any more, and the watch is ended', async (t) => {
  const { feed, clock, readings, tell, unwatched } = feedOf();
  await tell(UP);
  feed.close();
  await clock.advance(60_000);
  t.deepEqual([readings.length, unwatched(), clock.sleeping()], [1, 1, []]);
});
