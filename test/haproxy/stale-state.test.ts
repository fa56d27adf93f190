import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { haproxy } from '../../agent/haproxy/haproxy.ts';
import { readServerLines } from '../../agent/haproxy/servers.ts';
import { statsSocket } from '../../agent/haproxy/stats-socket.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { intent, wishes } from '../core/builders.ts';
import { eventually } from '../record.ts';
import { startHaproxy } from './haproxy.ts';

test('a state file of before brings nothing back that was decided since, and a damaged one nothing at all', async (t) => {
  const { ask, start, child, folder, socketPath } = await startHaproxy(t);
  const config = join(folder, 'haproxy.conf');
  const state = join(folder, 'state');
  const bits = async (): Promise<string> => {
    const lines = await readServerLines(ask, 'app');
    return lines.map((line) => `${line.server} ${line.bits} ${line.weight}`).join(', ');
  };
  const reload = () => start(['-sf', String(child().pid)]);
  writeFileSync(
    config,
    readFileSync(config, 'utf8')
      .replace('global\n', `global\n    server-state-file ${state}\n`)
      .replace('\nbackend app\n', '\nbackend app\n    load-server-state-from-file global\n'),
  );
  await ask('set server app/s3 state drain');
  await ask('set server app/s3 weight 7');
  writeFileSync(state, await ask('show servers state'));
  await reload();
  // As somebody saved it: s1 takes traffic, s2 is disabled in the configuration, s3 is drained.
  t.is(await bits(), 's1 0 1, s2 5 1, s3 8 7');

  const clock = systemClock;
  const socket = statsSocket({
    config,
    socket: socketPath,
    hungAfterMs: 5000,
    frontends: [],
    probe: '',
    rootProcesses: () => Promise.resolve(''),
    elsewhere: () => [],
    clock,
  });
  const over = (key: string) => ({ ...intent(key, ''), deleted: true });
  const one = haproxy({
    node: 'haproxy01',
    config: {
      haproxy: { config, frontends: [], drift: 'report' },
      acme: { responder: [] },
      state: folder,
    },
    clock,
    socket,
    listCertificates: () => Promise.resolve([]),
    rootProcesses: () => Promise.resolve(''),
    intents: () =>
      wishes(
        intent('server//app/s1', 'drain'),
        over('server//app/s2'),
        over('server//app/s3'),
        over('weight//app/s3'),
      ),
    servers: [],
    saveServers: () => Promise.resolve(),
    onChange: () => undefined,
    onLiveness: () => undefined,
    onDrift: () => undefined,
    onLost: () => undefined,
  });
  t.teardown(() => one.close());
  const wished = 's1 8 1, s2 4 1, s3 0 1';
  await eventually(async () => (await bits()) === wished);
  const [first] = await one.findServers('app');
  t.true(first?.stateFile);

  await reload();
  await eventually(async () => (await bits()) === 's1 8 1, s2 5 1, s3 0 1');

  writeFileSync(state, 'no state at all\n4 app\n');
  await reload();
  await eventually(async () => (await bits()) === 's1 8 1, s2 5 1, s3 0 1');
});
