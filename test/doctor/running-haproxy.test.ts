import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  inspectCheck,
  inspectLevel,
  inspectLowered,
  inspectRunning,
  inspectTransaction,
} from '../../agent/inspect/haproxy.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';
import { directCommands } from '../../agent/privilege/commands.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import { startHaproxy } from '../haproxy/haproxy.ts';

test('a running HAProxy: level of its socket, what was lowered, and a transaction that was left', async (t) => {
  const { ask, socketPath, userSocketPath, certificates, folder } = await startHaproxy(t);
  t.deepEqual(await inspectRunning(ask), { answers: true, why: '' });
  const nobody = join(folder, 'none.sock');
  t.deepEqual(await inspectRunning(runtime(nobody, { deadlineMs: 1000 })), {
    answers: false,
    why: `no stats socket at ${nobody}; is HAProxy running, and "stats socket" set?`,
  });
  t.deepEqual(await inspectLevel(ask, socketPath), { path: socketPath, level: 'admin' });
  t.deepEqual(await inspectLevel(ask, userSocketPath), { path: userSocketPath, level: 'user' });
  t.deepEqual(await inspectTransaction(ask, folder), null);
  await ask(`set ssl cert ${certificates.a}`, readFileSync(certificates.a, 'utf8'));
  t.is(await inspectTransaction(ask, folder), certificates.a);
  mkdirSync(join(folder, 'swaps'));
  writeFileSync(join(folder, 'swaps', 'swap-s1.json'), '{}');
  t.is(await inspectTransaction(ask, folder), null, 'a swap of the agents is under way');
});

test('servers that were drained or taken out at runtime, by backend and name', async (t) => {
  const { ask } = await startHaproxy(t);
  const servers = (await ask('show servers state')).split('\n').slice(2);
  // One that the file says is disabled stays so after a reload: no finding.
  const ready = servers.map((line) => line.split(' ')).filter((cells) => cells[6] === '0');
  const [first = [], second = []] = ready;
  t.deepEqual(await inspectLowered(ask), []);
  const of = (cells: readonly string[]) => ({ backend: cells[1] ?? '', server: cells[3] ?? '' });
  const [one, two] = [of(first), of(second)];
  await ask(`set server ${one.backend}/${one.server} state drain`);
  await ask(`set server ${two.backend}/${two.server} state maint`);
  t.deepEqual(await inspectLowered(ask), [
    { ...one, state: 'drain' },
    { ...two, state: 'maint' },
  ]);
});

test('haproxy -c on a good file and on one with a mistake: the line is named', async (t) => {
  const { folder } = await startHaproxy(t);
  const exec = execWithin(5000);
  const check = (argv: readonly string[]) => () =>
    directCommands(exec, 'pfctl', { check: argv, reload: [] }).check();
  const program = process.env['HAPROXY'] ?? '/usr/sbin/haproxy';
  const good = [program, '-c', '-f', join(folder, 'haproxy.conf')];
  t.like(await inspectCheck(check(good), good), { ok: true, said: [] });
  const bad = join(folder, 'bad.conf');
  writeFileSync(bad, 'defaults\n  timeout connect 1s\nbackend A\n  sever a 127.0.0.1:80\n');
  const argv = [program, '-c', '-f', bad];
  const found = await inspectCheck(check(argv), argv);
  t.false(found.ok);
  t.regex(found.said[0] ?? '', /^parsing \[.*bad\.conf:4\] ?: unknown keyword 'sever'/);
  await t.throwsAsync(inspectCheck(check([]), []), {
    message: 'haproxy.check of agent.toml is empty',
  });
});
