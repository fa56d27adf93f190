import { join } from 'node:path';
import test from 'ava';
import { ran } from '../lab/client.ts';
import { labMissing } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';

const MINUTES = 10;
/** What the last episode and its lab may take over that. */
const MORE_MS = 180_000;

(labMissing() === null ? test : test.skip)(
  'ten minutes of faults and operators at random leave what was promised as it was promised',
  async (t) => {
    t.timeout(MINUTES * 60_000 + 2 * MORE_MS);
    const script = join(CHECKOUT, 'dist/test/chaos/main.js');
    const argv = [process.execPath, script, '--minutes', String(MINUTES)];
    const { code, stdout, stderr } = await ran(argv, process.env, MINUTES * 60_000 + MORE_MS);
    const end = stdout.split('\n').slice(-40).join('\n');
    t.is(code, 0, `${end}\n${stderr}`);
  },
);
