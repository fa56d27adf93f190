import { createServer } from 'node:http';
import { openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { descriptorReserve, execFromReserve, NO_RESERVE } from '../../agent/sys/descriptors.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';
import { sentence } from '../../agent/core/words.ts';
import { diskFromReserve, systemDisk } from '../../agent/store/disk.ts';
import { pingEcho } from '../../agent/witness/ping-echo.ts';

// A process that opens files until it has no descriptor left, and then does what an agent does.
// Prints one JSON line: how each went.
const [how = '', folder = '', haproxy = ''] = process.argv.slice(2);
const heard: string[] = [];
const descriptors =
  how === 'reserve'
    ? descriptorReserve({
        clock: systemClock,
        shed: () => void heard.push('shed'),
        onShort: (cause) => void heard.push(cause),
        onEnough: () => void heard.push('enough'),
      })
    : NO_RESERVE;
const exec = execFromReserve(execWithin(10_000), descriptors);
const disk = diskFromReserve(systemDisk, descriptors);
const ask = runtime(haproxy, { deadlineMs: 5000, descriptors });
const echo = pingEcho(
  exec,
  '/bin/false',
  () => undefined,
  () => void heard.push('unsent'),
);

/** All that can be opened is open; what was let go meanwhile too. */
function fill(): void {
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {
    // EMFILE: that is what was wanted.
  }
}

const said = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => 'done',
    (error: unknown) => sentence(error),
  );
const server = createServer();
server.listen(0, '127.0.0.1', () => void main());

async function main(): Promise<void> {
  fill();
  const program = await said(Promise.all([exec('/bin/echo', ['a']), exec('/bin/echo', ['b'])]));
  const asked = await said(ask('show info'));
  const file = join(folder, 'state.json');
  const state = await said(disk.replace(file, '{}', `${file}.1`));
  if (how !== 'reserve') {
    echo.send('192.0.2.1');
    await said(exec('/bin/true', []));
  }
  const dialled = await said(
    new Promise((resolve, reject) => {
      const address = server.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      connect({ host: '127.0.0.1', port }).on('connect', resolve).on('error', reject);
    }),
  );
  const all = { program, asked, state, dialled, heard, scarce: descriptors.scarce() };
  process.stdout.write(`${JSON.stringify(all)}\n`, () => process.exit());
}
