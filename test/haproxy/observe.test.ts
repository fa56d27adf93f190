import test from 'ava';
import { observeHaproxy } from '../../agent/haproxy/observe.ts';
import { RuntimeError, type Runtime } from '../../agent/haproxy/runtime.ts';
import { fixture } from '../fixture.ts';
import { eventually } from '../record.ts';
import { startHaproxy } from './haproxy.ts';

const INFO = fixture('haproxy-2.6.12/show-info.txt');
const STAT = fixture('haproxy-2.6.12/show-stat.csv');

const BOTH = 'show info;show stat -1 3 -1';

/** HAProxy that answers `show info` and `show stat -1 3 -1` with these texts. */
const answers =
  (info: string, stat: string): Runtime =>
  (command) =>
    Promise.resolve(command === BOTH ? info + stat : '\n');

const options = { instance: '', requiredFrontends: [], withCertificates: false, nowMs: () => 9000 };

test('one reading of a real HAProxy: process, frontends, backends, certificates', async (t) => {
  const { ask, child, certificates } = await startHaproxy(t);
  await eventually(async () => {
    const servers = await ask('show stat -1 4 -1');
    return /^app,s1,.*,UP,/m.test(servers) && /^gone,g1,.*,DOWN,/m.test(servers);
  });
  const {
    version,
    startedMs,
    certificates: seen,
    ...rest
  } = await observeHaproxy({
    ...options,
    runtime: ask,
    withCertificates: true,
  });
  t.deepEqual(rest, {
    instance: '',
    state: 'up',
    stateSinceMs: 9000,
    problem: '',
    older: { processes: 0, sessions: 0, uncounted: 0, problem: '' },
    pid: child().pid ?? 0,
    sessions: 0,
    frontends: [
      { name: 'web', open: true, required: true },
      { name: 'app', open: true, required: true },
      { name: 'service', open: true, required: true },
    ],
    backends: [
      { name: 'app', up: true, serversUp: 2, servers: 2 },
      { name: 'gone', up: false, serversUp: 0, servers: 0 },
    ],
    drift: [],
    drifted: 0,
  });
  t.regex(version, /^\d+\.\d+\.\d+$/);
  t.true(startedMs <= 9000);
  t.deepEqual(
    seen.map(({ path, names }) => [path, names]),
    [
      [certificates.a, ['a.test']],
      [certificates.b, ['b.test']],
    ],
  );
});

test('one connection, and certificates only where asked', async (t) => {
  const asked: string[] = [];
  const runtime: Runtime = (command) => {
    asked.push(command);
    return Promise.resolve(command === BOTH ? INFO + STAT : '\n');
  };
  await observeHaproxy({ ...options, runtime });
  t.deepEqual(asked.splice(0), [BOTH]);
  await observeHaproxy({ ...options, runtime, withCertificates: true });
  t.deepEqual(asked, [BOTH, 'show ssl cert']);
});

test('required frontends: only the named ones count, and one that is not there is not open', async (t) => {
  const runtime = answers(INFO, STAT.replace(',OPEN,', ',STOP,'));
  const { frontends } = await observeHaproxy({
    ...options,
    runtime,
    requiredFrontends: ['HTTP_frontend', 'mail'],
  });
  t.deepEqual(frontends, [
    { name: 'HTTP_frontend', open: false, required: true },
    { name: 'health', open: true, required: false },
    { name: 'mail', open: false, required: true },
  ]);
});

test('a backend on its spare servers counts them', async (t) => {
  const { backends } = await observeHaproxy({ ...options, runtime: answers(INFO, STAT) });
  t.deepEqual(backends, [
    { name: 'WEB', up: true, serversUp: 1, servers: 1 },
    { name: 'GITEA', up: true, serversUp: 1, servers: 1 },
  ]);
});

test('when it started follows from how long it runs', async (t) => {
  const runtime = answers(INFO.replace(/^Uptime_sec: .*/m, 'Uptime_sec: 7'), STAT);
  t.is((await observeHaproxy({ ...options, runtime })).startedMs, 2000);
});

test('a part that is not understood fails the whole reading', async (t) => {
  const bad: [string, string][] = [
    ['Unknown\n\n', STAT],
    [INFO, '\n'],
    [INFO, STAT.slice(0, STAT.lastIndexOf(',http'))],
  ];
  for (const [info, stat] of bad)
    await t.throwsAsync(observeHaproxy({ ...options, runtime: answers(info, stat) }), {
      instanceOf: RuntimeError,
    });
  t.is(bad.length, 3);
});
