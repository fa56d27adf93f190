import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { watchInstalled } from '../../agent/upkeep/installed.ts';
import { problems as openProblems } from '../../agent/problems.ts';
import { VERSION } from '../../agent/version.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';

test('an agent whose program was replaced or removed says that it needs a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-installed-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'proxyagent.mjs');
  const write = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  write('first');
  const clock = new FakeClock();
  const problems = openProblems(clock, () => undefined);
  const watched = watchInstalled(path, clock, problems);
  const afterMinute = async (): Promise<readonly string[]> => {
    t.deepEqual(clock.sleeping(), [60_000]);
    await clock.advance(60_000);
    // The file is asked for outside the clock; the next look is set when it has answered.
    await eventually(() => clock.sleeping().length === 1);
    return problems.list().map(({ cause, remedy }) => `${cause}; ${remedy}`);
  };
  const remedy = 'service proxyagent restart; it moves no address';
  t.deepEqual(await afterMinute(), []);
  write('other');
  t.deepEqual(await afterMinute(), [
    `restart needed: proxyagent ${VERSION} runs and was replaced on disk; ${remedy}`,
  ]);
  rmSync(path);
  t.deepEqual(await afterMinute(), [
    `restart needed: proxyagent ${VERSION} runs and is no longer installed; ${remedy}`,
  ]);
  watched.stop();
  t.deepEqual(clock.sleeping(), []);
});
