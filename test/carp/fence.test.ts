import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { carp } from '../../agent/carp/carp.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import { eventually } from '../record.ts';
import { scriptedTools } from './tools.ts';

const exec = execWithin(10_000);
const OFF = 'sysctl net.inet.carp.allow=0';
const ON = 'sysctl net.inet.carp.allow=1';

test('a fence that is not renewed is lifted by the host after three seconds, once', async (t) => {
  const { tools, folder } = scriptedTools(t, {});
  const log = join(folder, 'calls');
  const one = carp({ exec, tools });
  const startedMs = Date.now();
  await one.allow(false);
  await eventually(() => readFileSync(log, 'utf8').includes(ON));
  const tookMs = Date.now() - startedMs;
  t.true(tookMs >= 2900);
  t.is(readFileSync(log, 'utf8'), `${OFF}\n${ON}\n`);
});

test('a renewal ends the lease before it: only the last one lifts', async (t) => {
  const { tools, folder } = scriptedTools(t, {});
  const log = join(folder, 'calls');
  const one = carp({ exec, tools });
  for (let renewals = 0; renewals < 4; renewals++) await one.allow(false);
  await eventually(() => readFileSync(log, 'utf8').includes(ON));
  t.is(readFileSync(log, 'utf8'), `${OFF}\n`.repeat(4) + `${ON}\n`);
});

test('lifted by hand: at once, and no lease is left behind that would lift another fence', async (t) => {
  const { tools, folder } = scriptedTools(t, {});
  const log = join(folder, 'calls');
  const one = carp({ exec, tools });
  await one.allow(false);
  await one.allow(true);
  t.is(readFileSync(log, 'utf8'), `${OFF}\n${ON}\n`);
  // Had the first lease been left, it would lift this fence too.
  await one.allow(false);
  await eventually(() => readFileSync(log, 'utf8').split(ON).length === 3);
  t.is(readFileSync(log, 'utf8'), `${OFF}\n${ON}\n`.repeat(2));
});

test('the agent killed while it fences: the host lifts the fence by itself', async (t) => {
  const { tools, folder } = scriptedTools(t, {});
  const log = join(folder, 'calls');
  writeFileSync(join(folder, 'tools.json'), JSON.stringify(tools));
  const script = fileURLToPath(new URL('fenced.js', import.meta.url));
  const child = spawn(process.execPath, [script, join(folder, 'tools.json')], { stdio: 'inherit' });
  const ended = once(child, 'exit');
  await eventually(() => readFileSync(log, 'utf8') === `${OFF}\n`);
  child.kill('SIGKILL');
  await ended;
  await eventually(() => readFileSync(log, 'utf8') === `${OFF}\n${ON}\n`);
  t.pass();
});
