import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import type { StateFileFacts } from '../../agent/core/doctor/inspection.ts';
import { stateFileNotes } from '../../agent/core/doctor/state-files.ts';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';
import { inspectStateFiles } from '../../agent/inspect/state-files.ts';
import { startHaproxy } from '../haproxy/haproxy.ts';
import { pairwise, well } from './inspections.ts';

const facts = (over: Partial<StateFileFacts> = {}): StateFileFacts => ({
  path: '/var/db/haproxy.state',
  of: null,
  backends: ['APP'],
  missing: false,
  problem: '',
  writtenAt: '2026-11-30T12:00:00.000Z',
  savedAtStart: false,
  back: [],
  backs: 0,
  gone: [],
  goners: 0,
  ...over,
});

const judged = (...files: StateFileFacts[]) =>
  diagnose([well('haproxy01', { stateFiles: files }), well('haproxy02')], pairwise());

const SAVE = {
  node: 'haproxy01',
  file: null,
  line: null,
  text: 'echo "show servers state" | nc -U /var/run/haproxy.sock > /var/db/haproxy.state   # before each reload',
};
const finding = (saw: string, why: string, text = SAVE.text) => ({
  id: 'haproxy-state-file',
  severity: 'warn' as const,
  address: null,
  nodes: ['haproxy01'],
  saw: [`haproxy01: ${saw}`],
  why,
  do: [{ ...SAVE, text }],
});
const NOT_KEPT = 'A reload begins with what haproxy.conf says: what servers were told is not kept.';

test('a state file that is not there, and one that HAProxy cannot use', (t) => {
  const missing = { missing: true, problem: 'it is not there', writtenAt: '' };
  t.deepEqual(judged(facts(missing)), [
    finding('/var/db/haproxy.state is not there, and servers of APP begin with it', NOT_KEPT),
  ]);
  t.deepEqual(judged(facts({ path: '/s/APP', of: 'APP', problem: 'it is empty' })), [
    finding(
      'HAProxy cannot use /s/APP: it is empty',
      NOT_KEPT,
      'echo "show servers state APP" | nc -U /var/run/haproxy.sock > /s/APP   # before each reload',
    ),
  ]);
  const many = Array.from({ length: 7 }, (_, at) => facts({ ...missing, path: `/s/${at}` }));
  const [one, ...others] = judged(...many);
  t.deepEqual(others, []);
  t.deepEqual(one?.saw, [
    'haproxy01: 7 state files of HAProxy cannot be used: /s/0, /s/1, /s/2, /s/3, /s/4, 2 more',
  ]);
  t.is(one?.do.length, 5);
});

const drained = { backend: 'APP', server: 'a1', is: 'drain', brings: 'ready' };

test('one that would bring back an older state, and one that names servers that are gone', (t) => {
  const old = facts({ back: [drained], backs: 6, gone: ['APP/a9'], goners: 1 });
  t.deepEqual(judged(old), [
    finding(
      '/var/db/haproxy.state is of 2026-11-30T12:00:00.000Z; it would bring back ' +
        'APP/a1 ready (is drain), 1 more',
      'A reload begins with it. The agents undo what they were asked for, and the rest stays so.',
    ),
    finding(
      '/var/db/haproxy.state names servers that are gone: APP/a9',
      'A server that gets such a name begins with the state and weight of the one before it.',
    ),
  ]);
  const saved = facts({ ...old, savedAtStart: true });
  t.deepEqual(judged(saved), [], 'it is most likely saved at each reload');
  t.deepEqual(stateFileNotes(well('haproxy01', { stateFiles: [saved] })), [
    'haproxy01: /var/db/haproxy.state was saved when HAProxy last began; a reload before which it ' +
      'is not saved again brings back APP/a1 ready (is drain), 1 more',
  ]);
  t.deepEqual(stateFileNotes(well('haproxy01', { stateFiles: [old] })), []);
});

test('what a running HAProxy would have of its state file at the next reload', async (t) => {
  const { ask, folder } = await startHaproxy(t);
  const path = join(folder, 'state');
  const config = readFileSync(join(folder, 'haproxy.conf'), 'utf8')
    .replace('global\n', `global\n    server-state-file ${path}\n`)
    .replace('\nbackend app\n', '\nbackend app\n    load-server-state-from-file global\n');
  const sections = sectionsOf(config);
  const look = () => inspectStateFiles(sections, { ask, wallMs: Date.now() });
  const written = (over: Partial<StateFileFacts>): StateFileFacts =>
    facts({ path, backends: ['app'], ...over });
  const lost = (problem: string, missing = false) => written({ missing, problem, writtenAt: '' });

  t.deepEqual(await look(), [lost('it is not there', true)]);
  mkdirSync(path);
  t.deepEqual(await look(), [lost('it is no regular file')]);
  rmSync(path, { recursive: true });
  writeFileSync(path, '');
  t.deepEqual(await look(), [lost('it is empty')]);
  writeFileSync(path, 'Permission denied\n\n');
  const none = lost('it is not, or not all of it, what "show servers state" prints');
  t.deepEqual(await look(), [none]);
  const state = await ask('show servers state');
  writeFileSync(path, state.slice(0, -40));
  t.deepEqual(await look(), [none], 'cut short');

  writeFileSync(path, state);
  t.deepEqual(await look(), [], 'as it is now');
  await ask('set server app/s1 state drain');
  await ask('set server app/s3 weight 0');
  await ask('set server gone/g1 state maint');
  const [back, ...more] = [
    { backend: 'app', server: 's1', is: 'drain', brings: 'ready' },
    { backend: 'app', server: 's3', is: 'weight 0', brings: 'weight 1' },
  ];
  const at = new Date('2026-11-30T11:00:00Z');
  utimesSync(path, at, at);
  const changes = { back: [back, ...more], backs: 2, writtenAt: at.toISOString() };
  t.deepEqual(await look(), [written(changes)], 'a backend that begins without it does not count');

  const gone = state.replaceAll(' s3 ', ' s4 ').replaceAll(' gone ', ' older ');
  writeFileSync(path, gone);
  utimesSync(path, at, at);
  t.deepEqual(await look(), [
    written({ ...changes, back: [back], backs: 1, gone: ['app/s4', 'older/g1'], goners: 2 }),
  ]);

  const down = () => Promise.reject(new Error('nobody listens'));
  t.deepEqual(await inspectStateFiles(sections, { ask: down, wallMs: Date.now() }), []);
  rmSync(path);
  const still = await inspectStateFiles(sections, { ask: down, wallMs: Date.now() });
  t.deepEqual(still, [lost('it is not there', true)]);
});

test('a state file saved just before HAProxy began is told as such', async (t) => {
  const { ask, folder } = await startHaproxy(t);
  const path = join(folder, 'state');
  writeFileSync(path, await ask('show servers state'));
  await ask('set server app/s1 state drain');
  const text = `global\n  server-state-file ${path}\nbackend app\n  load-server-state-from-file global\n  server s1 127.0.0.1:1\n`;
  const look = async (upMs: number) => {
    const answer = (await ask('show info')).replace(
      /^Uptime_sec: .*$/m,
      `Uptime_sec: ${upMs / 1000}`,
    );
    const scripted = (command: string) =>
      command === 'show info' ? Promise.resolve(answer) : ask(command);
    utimesSync(path, 1000, 1000);
    return inspectStateFiles(sectionsOf(text), { ask: scripted, wallMs: 1_000_000 + upMs + 3000 });
  };
  t.like(await look(60_000), { 0: { savedAtStart: true, backs: 1 } });
  const late = await inspectStateFiles(sectionsOf(text), { ask, wallMs: 1_600_000 });
  t.like(late, { 0: { savedAtStart: false, backs: 1 } });
});
