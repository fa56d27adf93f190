import { execWithin } from '../../agent/sys/exec.ts';
import { startLines } from '../../agent/sys/line-program.ts';
import { standingShell } from '../../agent/sys/standing-shell.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { standingPings } from '../../agent/witness/standing-ping.ts';

// A process that follows an address and has a shell as an agent does, until it is killed:
//   node follower.js PING ADDRESS
// Prints a line at every answer.
const [, , ping = '', address = ''] = process.argv;
const shell = standingShell(60_000, execWithin(60_000));
await shell.exec('/bin/echo', ['a']);
const pings = standingPings({
  ping,
  clock: systemClock,
  start: startLines,
  onAsked: () => undefined,
  onReply: () => void process.stdout.write('answered\n'),
  askOnce: () => undefined,
});
pings.follow([address]);
setInterval(() => undefined, 60_000);
