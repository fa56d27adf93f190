import test from 'ava';
import { ActFailure } from '../../agent/core/acts.ts';
import { RuntimeError, runtime } from '../../agent/haproxy/runtime.ts';
import { parseServersState, readServers, setServer } from '../../agent/haproxy/servers.ts';
import { fixture } from '../fixture.ts';
import { eventually } from '../record.ts';
import { startHaproxy } from './haproxy.ts';
import { scriptedSocket } from './scripted.ts';

const CAPTURED = fixture('haproxy-2.6.12/show-servers-state.txt');

test('what 2.6.12 was told of each server: inherited and past states do not count', (t) => {
  t.deepEqual(Object.fromEntries(parseServersState(CAPTURED)), {
    web1: { backendId: '4', admin: 'ready' },
    web2: { backendId: '4', admin: 'ready' },
    web3: { backendId: '4', admin: 'maint' },
    web4: { backendId: '4', admin: 'drain' },
    // Inherited from the server it tracks, which is in maintenance.
    web5: { backendId: '4', admin: 'ready' },
    gitea: { backendId: '5', admin: 'maint' },
    spare: { backendId: '5', admin: 'ready' },
  });
});

test('admin bits one by one and together', (t) => {
  const header = CAPTURED.split('\n').slice(0, 2).join('\n');
  const admin = (bits: number) =>
    parseServersState(
      `${header}\n4 WEB 1 s 127.0.0.1 2 ${bits} 1 1 2 1 0 2 0 0 0 0 - 80 - 0 0 - - 0\n\n`,
    ).get('s')?.admin;
  const rows: [number, string][] = [
    [0x00, 'ready'],
    [0x01, 'maint'],
    [0x02, 'ready'],
    // `disabled` in the configuration, and what is left of it after `ready` and `drain`.
    [0x05, 'maint'],
    [0x04, 'ready'],
    [0x0c, 'drain'],
    [0x08, 'drain'],
    [0x10, 'ready'],
    // No address for its name: nobody told it so.
    [0x20, 'ready'],
    [0x28, 'drain'],
    [0x40, 'ready'],
    [0x09, 'maint'],
  ];
  t.deepEqual(
    rows.map(([bits]) => [bits, admin(bits)]),
    rows,
  );
});

test('text that is no server state, or one cut short, is refused', (t) => {
  const lines = CAPTURED.trimEnd().split('\n');
  const texts = [
    '',
    '\n',
    '2\n',
    'No such backend.\n\n',
    lines.slice(1).join('\n'),
    CAPTURED.replace('srv_admin_state', 'srv_other'),
    CAPTURED.replace('srv_name', 'srv_other'),
    CAPTURED.replace('be_id', 'other'),
    CAPTURED.replace('127.0.0.1 0 5', '127.0.0.1 0 x'),
    lines.join('\n').replace(/ \S+ \S+$/, ''),
    lines.join('\n').replace(/127.*$/, ''),
  ];
  const kinds = texts.map(
    (text) => t.throws(() => parseServersState(text), { instanceOf: RuntimeError }).failure.kind,
  );
  t.deepEqual(
    kinds,
    Array.from(texts, () => 'text'),
  );
});

test('servers of a backend in a real HAProxy, though a frontend has its name', async (t) => {
  const { ask } = await startHaproxy(t);
  await eventually(async () => /app,s1,.*,UP,/.test(await ask('show stat -1 4 -1')));
  t.deepEqual(await readServers(ask, 'app'), [
    { name: 's1', status: 'UP', admin: 'ready', sessions: 0 },
    { name: 's2', status: 'MAINT', admin: 'maint', sessions: 0 },
    { name: 's3', status: 'no check', admin: 'ready', sessions: 0 },
  ]);
});

test('a backend HAProxy does not have is not found, by reading and by setting', async (t) => {
  const { ask } = await startHaproxy(t);
  for (const name of ['nope', 'web', '5', 'APP']) {
    const error = await t.throwsAsync(readServers(ask, name), { instanceOf: ActFailure });
    t.is(error.outcome, 'not-found');
  }
  const error = await t.throwsAsync(setServer(ask, 'nope', 's1', 'drain'));
  t.is(error.message, 'set server nope/s1 state drain: No such backend.');
});

test('each state is told and read back, twice too, also to a server the configuration disables', async (t) => {
  const { ask } = await startHaproxy(t);
  const seen: unknown[] = [];
  for (const server of ['s1', 's2', 's3']) {
    for (const state of ['drain', 'drain', 'maint', 'maint', 'ready', 'ready'] as const) {
      await setServer(ask, 'app', server, state);
      const now = await readServers(ask, 'app');
      seen.push([server, state, now.find(({ name }) => name === server)?.admin]);
    }
  }
  t.deepEqual(
    seen,
    ['s1', 's2', 's3'].flatMap((server) =>
      ['drain', 'drain', 'maint', 'maint', 'ready', 'ready'].map((state) => [server, state, state]),
    ),
  );
});

test('a backend with static balancing takes drain and maint as well', async (t) => {
  const { ask } = await startHaproxy(t);
  await setServer(ask, 'gone', 'g1', 'drain');
  await setServer(ask, 'gone', 'g1', 'maint');
  t.is((await readServers(ask, 'gone'))[0]?.admin, 'maint');
});

test('a server that is not there: rejected in the words of HAProxy', async (t) => {
  const { ask } = await startHaproxy(t);
  const error = await t.throwsAsync(setServer(ask, 'app', 'nope', 'drain'), {
    instanceOf: RuntimeError,
  });
  t.deepEqual(error.failure, { kind: 'rejected', text: 'No such server.' });
});

test('every text with which HAProxy refuses a server is a failure', async (t) => {
  const texts = [
    'No such server.',
    'No such backend.',
    "'set server <srv> state' expects 'ready', 'drain' and 'maint'.",
    'Absolute weight can only be between 0 and 256 inclusive.',
    "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.",
    "Invalid addr 'bogus'",
    'set server <b>/<s> fqdn failed because no resolution is configured.',
    'Only servers in maintenance mode can be deleted.',
    'Already exists a server with the same name in backend.',
    'Health check was not configured on this server, cannot enable.',
    'agent checks are not enabled on this server.',
    'Permission denied',
  ];
  let said = '';
  const { path } = await scriptedSocket(t, (request, socket) => {
    // Were the refusal overlooked, the state read afterwards would confirm the change.
    if (request.startsWith('show')) socket.end(CAPTURED);
    else socket.end(said);
  });
  const ask = runtime(path, { deadlineMs: 5000 });
  const seen: unknown[] = [];
  for (const text of texts) {
    said = `\n[3]: ${text}\n\n`;
    const error = await t.throwsAsync(setServer(ask, 'WEB', 'web4', 'drain'), {
      instanceOf: RuntimeError,
    });
    seen.push(error.failure);
  }
  t.deepEqual(
    seen,
    texts.map((text) => ({ kind: 'rejected', text })),
  );
  said = '\n\n';
  await t.notThrowsAsync(setServer(ask, 'WEB', 'web4', 'drain'));
});

test('HAProxy says nothing and has not done it: a failure with what was read back', async (t) => {
  const { path } = await scriptedSocket(t, (request, socket) => {
    socket.end(request.startsWith('show') ? CAPTURED : '\n\n');
  });
  const ask = runtime(path, { deadlineMs: 5000 });
  const other = await t.throwsAsync(setServer(ask, 'WEB', 'web4', 'maint'));
  const gone = await t.throwsAsync(setServer(ask, 'WEB', 'web9', 'maint'));
  t.deepEqual(
    [other.message, gone.message],
    [
      'set server WEB/web4 state maint: WEB/web4 is drain after it was set to maint',
      'set server WEB/web9 state maint: WEB/web9 is gone after it was set to maint',
    ],
  );
});

test('names that could carry a second command never reach the socket', async (t) => {
  const { path, requests } = await scriptedSocket(t, (_request, socket) => socket.end('\n\n'));
  const ask = runtime(path, { deadlineMs: 5000 });
  for (const name of ['a;shutdown frontend web', 'a\nshow env', 'a b', '', 'a\0b', '#1']) {
    await t.throwsAsync(readServers(ask, name), { instanceOf: RuntimeError });
    await t.throwsAsync(setServer(ask, name, 's1', 'maint'), { instanceOf: RuntimeError });
    await t.throwsAsync(setServer(ask, 'app', name, 'maint'), { instanceOf: RuntimeError });
  }
  t.deepEqual(requests.items, []);
});
