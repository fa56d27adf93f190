import test from 'ava';
import { BUGS } from './bugs.ts';
import type { Result } from './run.ts';
import { runSeeds } from './workers.ts';

/** Where the named seed tells another story by now, one of these does. */
const OTHERS = Array.from({ length: 40 }, (_, at) => at + 1);

// `npm run sim -- --bugs` looks among a thousand seeds, and that the sound core passes the one found.
for (const { name, seed, often } of BUGS)
  test.serial(`the invariants notice a planted bug: ${name}`, async (t) => {
    t.timeout(300_000);
    const options = { nodes: null, minutes: 10, lines: { failed: 20, passed: 0 } };
    let found: Result['violation'] = null;
    await runSeeds(
      [seed, ...OTHERS],
      { ...options, bug: name, ...(often && { often }) },
      (result) => {
        found ??= result.violation;
        return found === null;
      },
    );
    t.not(found, null);
  });
