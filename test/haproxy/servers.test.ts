import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { RuntimeError, runtime } from '../../agent/haproxy/runtime.ts';
import { parseServersState } from '../../agent/haproxy/server-lines.ts';
import {
  isGone,
  lookAtServer,
  readServers,
  setServer,
  setWeight,
} from '../../agent/haproxy/servers.ts';
import { fixture } from '../fixture.ts';
import { eventually } from '../record.ts';
import { startHaproxy } from './haproxy.ts';
import { scriptedSocket } from './scripted.ts';

const CAPTURED = fixture('haproxy-2.6.12/show-servers-state.txt');

const NONE = { older: 0, uncounted: 0, agentChecked: false, stateFile: false };
/** Of a server that has had no client. */
const IDLE = {
  address: '127.0.0.1',
  figures: {
    connectErrors: 0,
    responseErrors: 0,
    http5xx: 0,
    bytesIn: 0,
    bytesOut: 0,
    responseMs: 0,
  },
};

test('a backend that is not there: the one that was probably meant is named', async (t) => {
  const haproxy = await startHaproxy(t);
  const causes: string[] = [];
  for (const name of ['APP', 'gune', 'entirely-other']) {
    const error = await t.throwsAsync(readServers(haproxy.ask, name), { instanceOf: ActFailure });
    causes.push(error.detail.cause);
  }
  t.deepEqual(causes, ['it has app', 'it has gone', '']);
});

test('what 2.6.12 was told of each server, its weights and whether it is checked', async (t) => {
  const lines = await parseServersState(CAPTURED);
  t.deepEqual(
    lines.map(({ backendId, backend, server, bits, weight, initialWeight, checked }) =>
      [backendId, backend, server, bits, weight, initialWeight, checked].join(' '),
    ),
    [
      '4 WEB web1 0 1 1 true',
      '4 WEB web2 0 1 1 false',
      '4 WEB web3 5 1 1 false',
      '4 WEB web4 8 1 1 false',
      // Inherited from the server it tracks, which is in maintenance.
      '4 WEB web5 2 1 1 false',
      '5 GITEA gitea 1 1 1 true',
      '5 GITEA spare 0 1 1 false',
    ],
  );
});

test('text that is no server state, or one cut short, is refused', async (t) => {
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
  for (const text of texts) {
    const error = await t.throwsAsync(parseServersState(text), { instanceOf: RuntimeError });
    t.is(error.failure.kind, 'text', text);
  }
});

test('servers of a backend in a real HAProxy, though a frontend has its name', async (t) => {
  const { ask } = await startHaproxy(t);
  await eventually(async () => /app,s1,.*,UP,/.test(await ask('show stat -1 4 -1')));
  const told = {
    weight: 1,
    initialWeight: 1,
    sessions: 0,
    queued: 0,
    total: 0,
    backup: false,
    ...NONE,
    ...IDLE,
  };
  const app = [
    { name: 's1', status: 'UP', admin: 'ready', adminBits: 0, check: 'L4OK' },
    { name: 's2', status: 'MAINT', admin: 'maint', adminBits: 5, check: '' },
    { name: 's3', status: 'no check', admin: 'ready', adminBits: 0, check: '' },
  ].map((one) => ({ backend: 'app', ...told, ...one }));
  t.deepEqual(await readServers(ask, 'app'), app as never);
  const all = await readServers(ask, null);
  t.deepEqual(all.slice(0, 3), app as never);
  t.deepEqual(
    all.map(({ backend, name }) => `${backend}/${name}`),
    ['app/s1', 'app/s2', 'app/s3', 'gone/g1'],
  );
});

test('a backend HAProxy does not have is not found, by reading and by setting', async (t) => {
  const { ask } = await startHaproxy(t);
  for (const name of ['nope', 'web', '5', 'APP']) {
    const error = await t.throwsAsync(readServers(ask, name), { instanceOf: ActFailure });
    t.is(error.outcome, 'not-found');
  }
  const error = await t.throwsAsync(setServer(ask, 'nope', 's1', 'maint'));
  t.is(error.message, 'HAProxy has no backend nope');
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

test('a server that is not there: told by reading, before anything is set', async (t) => {
  const { ask } = await startHaproxy(t);
  for (const set of [
    () => setServer(ask, 'app', 'nope', 'drain'),
    () => setServer(ask, 'app', 'nope', 'maint'),
    () => setWeight(ask, 'app', 'nope', '50%'),
  ]) {
    const error = await t.throwsAsync(set(), { instanceOf: ActFailure });
    t.deepEqual([error.outcome, error.message], ['not-found', 'HAProxy has no server app/nope']);
    t.true(isGone(error));
  }
  const wish = { kind: 'state', backend: 'app', server: 's1', value: 'drain' } as const;
  const looks = [wish, { ...wish, server: 'nope' }, { ...wish, backend: 'nope' }];
  t.deepEqual(await Promise.all(looks.map((one) => lookAtServer(ask, one))), [
    'otherwise',
    'gone',
    'gone',
  ]);
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
      'HAProxy has no server WEB/web9',
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
