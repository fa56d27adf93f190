import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ran, startProbe, type Ran } from '../lab/client.ts';
import {
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  masters,
  nodeAt,
  scene,
  seenBy,
} from './scene.ts';
import type { Finding } from '../../agent/core/doctor/finding.ts';

// 13 and earlier keep the end of a longer CARP password behind a shorter one, and show none of it.

const SHORTER = 'secret';
const NINETEEN = 'NineteenCharacters1';

const { test, lab } = scene({ freebsd: 13 });

const typed = (at: number, tool: string, words: string): Promise<Ran> =>
  ran([join(nodeAt(lab(), at).tools, tool), ...words.split(' ')]);
const password = (at: number, word: string): Promise<Ran> =>
  typed(at, 'ifconfig', `vtnet0 vhid 1 pass ${word}`);

/** rc.conf has this password from now on: with it the host boots. */
function inRcConf(at: number, word: string): void {
  const path = join(nodeAt(lab(), at).tools, '..', 'carp.json');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/"pass":"[^"]*"/, `"pass":"${word}"`));
}

async function finding(): Promise<Finding | undefined> {
  const { json } = await asked(lab(), 'doctor');
  const findings: readonly Finding[] = json.result?.['findings'] ?? [];
  return findings.find(({ id }) => id === 'carp-authentication');
}

/** As docs/runbooks/carp-password.md says, from its second step on. */
async function rotated(word: string): Promise<void> {
  await exitOf(lab(), 'maintenance', 'on', nodeAt(lab(), 1).name);
  await exitOf(lab(), 'wait', `--for=owner=${nodeAt(lab(), 0).name}`);
  await typed(1, 'sysctl', 'net.inet.carp.allow=0');
  for (const at of [1, 0]) await password(at, word);
  await typed(1, 'sysctl', 'net.inet.carp.allow=1');
  await exitOf(lab(), 'maintenance', 'off', nodeAt(lab(), 1).name);
  // A fence for a wrong password is tried again after a minute.
  await exitOf(lab(), 'wait', '--for=converged', '--timeout', '100s');
}

test('a shorter password is two passwords after a boot, and one of nineteen characters is one again', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  for (const at of [0, 1]) inRcConf(at, SHORTER);
  await rotated(SHORTER);
  await asAtFirst(lab());
  t.is(await finding(), undefined, 'the same tail on both');

  await fault(lab(), 'kill-carp', 'on', second);
  await fault(lab(), 'kill-carp', 'off', second);
  const shown = await Promise.all([0, 1].map((at) => typed(at, 'ifconfig', '-k vtnet0')));
  t.deepEqual(
    shown.map(({ stdout }) => /key "(.*)"/.exec(stdout)?.[1]),
    [SHORTER, SHORTER],
  );
  await eventually('doctor names the password', async () => (await finding()) !== undefined);
  const found = await finding();
  t.regex(found?.why ?? '', /longer/);
  t.not(await exitOf(lab(), 'status', '--check'), 0);

  // Meanwhile one of the two is fenced by its agent.
  await eventually('one MASTER', async () => (await masters(lab())).join() === first.name);
  const probe = await startProbe(lab());
  for (const at of [0, 1]) inRcConf(at, NINETEEN);
  await rotated(NINETEEN);
  await eventually('one MASTER', async () => (await masters(lab())).join() === first.name);
  await asAtFirst(lab());
  t.is(await finding(), undefined);

  await fault(lab(), 'kill-carp', 'on', second);
  await fault(lab(), 'kill-carp', 'off', second);
  await calm(lab());
  t.is(await finding(), undefined, 'the next boot is nothing');
  t.deepEqual(await masters(lab()), [first.name]);
  const seen = await probe.end();
  t.deepEqual(Object.keys(seen.by), [first.name], seenBy(seen));
});
