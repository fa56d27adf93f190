import { parseArgs } from 'node:util';
import { fuzz } from './run.ts';

/** npm run fuzz -- [--seed N] [--count N]   damaged frames and messages for an agent; exit 1 when something does not hold */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100000' },
  },
});
const teardowns: (() => unknown)[] = [];
let said = 0;
const result = await fuzz(
  { teardown: (end) => void teardowns.push(end) },
  Number(values.seed),
  Number(values.count),
  (sent) => {
    if (sent - said < 50_000) return;
    said = sent;
    console.error(`${sent} sent`);
  },
);
for (const end of teardowns.reverse()) await end();
const { sent, connections, before, after, asked, carp, tookMs, failures } = result;
const total = Object.values(after.refusals).reduce((sum, count) => sum + count, 0);
const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
console.log(
  `seed ${values.seed}: ${sent} frames and messages over ${connections} connections in ${Math.round(tookMs / 1000)} s\n` +
    `heap ${mb(before.heap)} before, ${mb(after.heap)} after; connections after ${JSON.stringify(after.connections)}\n` +
    `peer: ${after.classes.join(', ')}, ${after.linksClosed} closed links; CARP: ${carp.changes.length} changes, ${JSON.stringify(carp.states)}\n` +
    `status: ${asked.asked} asked, ${asked.failed.length} failed, longest ${Math.round(asked.longestMs)} ms; ${total} refusals told`,
);
const often = Object.entries(after.refusals).sort(([, a], [, b]) => b - a);
for (const [why, count] of often.slice(0, 12)) console.log(`${count}: ${why}`);
for (const failure of failures) console.log(`does not hold: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
