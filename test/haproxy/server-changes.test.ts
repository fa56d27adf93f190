import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { RuntimeError, runtime } from '../../agent/haproxy/runtime.ts';
import {
  readServerLines,
  readServers,
  setServer,
  setWeight,
  shutSessions,
} from '../../agent/haproxy/servers.ts';
import { eventually } from '../record.ts';
import { holdOpen, startHaproxy } from './haproxy.ts';
import { says, scriptedSocket } from './scripted.ts';

test('a checked server leaves maintenance as down, and is up once its checks are good', async (t) => {
  const { ask } = await startHaproxy(t);
  const s1 = async () => (await readServers(ask, 'app'))[0];
  await eventually(async () => (await s1())?.status === 'UP');
  await setServer(ask, 'app', 's1', 'maint');
  await setServer(ask, 'app', 's1', 'ready');
  t.like(await s1(), { admin: 'ready', status: 'DOWN' });
  await eventually(async () => (await s1())?.status === 'UP');
});

test('a server without a check, and one that was only drained, takes traffic at once', async (t) => {
  const { ask } = await startHaproxy(t);
  await eventually(async () => (await readServers(ask, 'app'))[0]?.status === 'UP');
  await setServer(ask, 'app', 's3', 'maint');
  await setServer(ask, 'app', 's3', 'ready');
  await setServer(ask, 'app', 's1', 'drain');
  await setServer(ask, 'app', 's1', 'ready');
  const [s1, , s3] = await readServers(ask, 'app');
  t.deepEqual([s1?.status, s3?.status], ['UP', 'no check']);
});

test('weights: absolute, a share of the configured one, and back', async (t) => {
  const { ask } = await startHaproxy(t);
  const seen: unknown[] = [];
  for (const weight of ['20', '0', '50%', '0%', '256', '100%']) {
    await setWeight(ask, 'app', 's3', weight);
    const line = (await readServerLines(ask, 'app')).find(({ server }) => server === 's3');
    seen.push([weight, line?.weight, line?.initialWeight]);
  }
  t.deepEqual(seen, [
    ['20', 20, 1],
    ['0', 0, 1],
    ['50%', 0, 1],
    ['0%', 0, 1],
    ['256', 256, 1],
    ['100%', 1, 1],
  ]);
});

test('what a real HAProxy refuses is a failure in its own words', async (t) => {
  const { ask, userSocketPath } = await startHaproxy(t);
  const asUser = runtime(userSocketPath, { deadlineMs: 5000 });
  const refused = async (doing: Promise<unknown>): Promise<string> => {
    const error = await t.throwsAsync(doing);
    if (error instanceof ActFailure) return `${error.outcome}: ${error.message}`;
    return error instanceof RuntimeError && 'text' in error.failure ? error.failure.text : '';
  };
  t.deepEqual(
    [
      await refused(setWeight(ask, 'app', 's3', '5000')),
      await refused(setWeight(ask, 'gone', 'g1', '5')),
      await refused(ask('set server app/nope weight 1')),
      await refused(shutSessions(ask, 'app', 'nope')),
      await refused(ask('set server app/s1 state blah')),
      await refused(ask('set server app/s1 addr bogus')),
      await refused(ask('set server app/s1 fqdn x')),
      await refused(ask('enable health app/s3')),
      await refused(ask('set server app/s3 agent up')),
      await refused(ask('del server app/s1')),
      await refused(readServers(ask, 'nope')),
      await refused(setServer(asUser, 'app', 's1', 'drain')),
    ],
    [
      'Absolute weight can only be between 0 and 256 inclusive.',
      "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.",
      'No such server.',
      'No such server.',
      "'set server <srv> state' expects 'ready', 'drain' and 'maint'.",
      "Invalid addr 'bogus' by 'stats socket command'",
      'set server <b>/<s> fqdn failed because no resolution is configured.',
      'Health check was not configured on this server, cannot enable.',
      'agent checks are not enabled on this server.',
      'Only servers in maintenance mode can be deleted.',
      'not-found: HAProxy has no backend nope',
      'Permission denied',
    ],
  );
});

test('the refusal of one of several commands in a line is a failure too', async (t) => {
  const { path } = await scriptedSocket(t, says('\n\n[3]: No such server.\n\n\n'));
  const ask = runtime(path, { deadlineMs: 5000 });
  const error = await t.throwsAsync(ask('set server a/b state drain;set server a/c state drain'), {
    instanceOf: RuntimeError,
  });
  t.deepEqual(error.failure, { kind: 'rejected', text: 'No such server.' });
});

test('a notice is no refusal, and texts without a severity are no server states', async (t) => {
  let said = '\n[5]: All sockets are already disabled.\n\n';
  const { path } = await scriptedSocket(t, (_request, socket) => void socket.end(said));
  const ask = runtime(path, { deadlineMs: 5000 });
  await t.notThrowsAsync(ask('disable frontend f'));
  for (const text of ['No such proxy.', 'No such table', 'Value out of range.']) {
    said = `${text}\n\n`;
    const error = await t.throwsAsync(readServers(ask, 'app'), { instanceOf: RuntimeError });
    t.true(error.message.includes(text.slice(0, -1)), error.message);
  }
});

test('sessions that are shut end, and are no longer counted', async (t) => {
  const haproxy = await startHaproxy(t);
  const { ask } = haproxy;
  // A client in the middle of its request is no session of a server yet; a slow answer would be one.
  const idle = await holdOpen(t, haproxy);
  t.is(
    (await readServers(ask, 'app')).reduce((sum, one) => sum + one.sessions, 0),
    0,
  );
  await shutSessions(ask, 'app', 's3');
  const other = connect(haproxy.port, '127.0.0.1');
  other.write('GET / HTTP/1.0\r\n\r\n');
  await once(other, 'data');
  other.destroy();
  const [s1, , s3] = await readServers(ask, 'app');
  t.is((s1?.total ?? 0) + (s3?.total ?? 0), 1);
  t.false(idle.destroyed);
});

test('names that could carry a second command never reach the socket', async (t) => {
  const { path, requests } = await scriptedSocket(t, says('\n\n'));
  const ask = runtime(path, { deadlineMs: 5000 });
  for (const name of ['a;shutdown frontend web', 'a\nshow env', 'a b', '', 'a\0b', '#1', '"a']) {
    await t.throwsAsync(setWeight(ask, name, 's1', '1'), { instanceOf: RuntimeError });
    await t.throwsAsync(setWeight(ask, 'WEB', name, '1'), { instanceOf: RuntimeError });
    await t.throwsAsync(setWeight(ask, 'WEB', 's1', name), { instanceOf: RuntimeError });
    await t.throwsAsync(shutSessions(ask, name, 's1'), { instanceOf: RuntimeError });
    await t.throwsAsync(shutSessions(ask, 'WEB', name), { instanceOf: RuntimeError });
    await t.throwsAsync(setServer(ask, 'WEB', name, 'ready'), { instanceOf: RuntimeError });
  }
  t.deepEqual(requests.items, []);
});
