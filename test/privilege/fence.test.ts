import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { eventually } from '../record.ts';
import { scriptedHelper } from './tools.ts';

const OFF = 'sysctl net.inet.carp.allow=0\n';
const ON = 'sysctl net.inet.carp.allow=1\n';
const DEMOTION = 'net.inet.carp.demotion=0';

test('a fence that is not renewed is lifted after three seconds; a renewal prolongs it', async (t) => {
  const { ask, log } = await scriptedHelper(t);
  for (let renewals = 0; renewals < 3; renewals++) await ask('allow', '0');
  // The lease begins before the fence stands.
  const renewedMs = Date.now();
  await ask('allow', '0');
  await eventually(() => log().includes(ON));
  const tookMs = Date.now() - renewedMs;
  t.true(tookMs >= 2900 && tookMs < 4500, `${tookMs} ms`);
  t.is(log(), OFF.repeat(4) + ON);
});

test('lifted by word: at once, and no lease is left that would lift the next fence', async (t) => {
  const { ask, log } = await scriptedHelper(t);
  await ask('allow', '0');
  await ask('allow', '1');
  await ask('allow', '0');
  t.is(log(), OFF + ON + OFF);
  await eventually(() => log().split(ON).length === 3);
  t.is(log(), `${OFF}${ON}`.repeat(2));
});

test('its standard input closes: the fence is lifted at once', async (t) => {
  const { ask, helper, log } = await scriptedHelper(t);
  await ask('allow', '0');
  const closedMs = Date.now();
  helper.close();
  await helper.ended;
  t.true(Date.now() - closedMs < 1500);
  t.is(log(), OFF + ON);
});

test('without a fence of its own it lifts nothing at its end: another may have set it', async (t) => {
  const { ask, helper, log } = await scriptedHelper(t);
  await ask('allow', '0');
  await ask('allow', '1');
  helper.close();
  await helper.ended;
  t.is(log(), OFF + ON);
});

test('killed with -9 while it fences: the lease lifts', async (t) => {
  const { ask, helper, log } = await scriptedHelper(t);
  await ask('allow', '0');
  process.kill(helper.pid, 'SIGKILL');
  await helper.ended;
  t.is(log(), OFF);
  await eventually(() => log() === OFF + ON);
  t.pass();
});

test('whoever started it killed with -9 while it fences: lifted at once', async (t) => {
  const { tools, folder, log } = await scriptedHelper(t);
  writeFileSync(join(folder, 'tools.json'), JSON.stringify({ ...tools, pfctl: '/bin/false' }));
  const script = fileURLToPath(new URL('fencing.js', import.meta.url));
  const child = spawn(process.execPath, [script, join(folder, 'tools.json')], { stdio: 'inherit' });
  const ended = once(child, 'exit');
  await eventually(() => log() === OFF);
  const killedMs = Date.now();
  child.kill('SIGKILL');
  await ended;
  await eventually(() => log() === OFF + ON);
  t.true(Date.now() - killedMs < 2000);
});

test('whoever started it is gone: what was still asked is not done', async (t) => {
  const { tools, folder, log, write } = await scriptedHelper(t);
  const script = fileURLToPath(new URL('fencing.js', import.meta.url));
  // The first one is under way while the agent is killed; the second waits in the pipe.
  write('sysctl', `[ "$1" != ${DEMOTION} ] || sleep 1`);
  const behind = [['advertise'], ['advertise']];
  writeFileSync(
    join(folder, 'tools.json'),
    JSON.stringify({ ...tools, pfctl: '/bin/false', behind }),
  );
  const child = spawn(process.execPath, [script, join(folder, 'tools.json')], { stdio: 'inherit' });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await eventually(() => log() === `${OFF}sysctl ${DEMOTION}\n`);
  child.kill('SIGKILL');
  await ended;
  await eventually(() => log().endsWith(ON));
  t.is(log(), `${OFF}sysctl ${DEMOTION}\n${ON}`);
});
