import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { devdPipe } from './devd.ts';

const EVENT = '!system=CARP subsystem=1@vtnet1 type=BACKUP';

test('e20: ten clients hear of events, the eleventh waits for one to leave, the twelfth is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pkdevd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'devd.pipe');
  const pipe = devdPipe(path);
  t.teardown(() => pipe.stop());
  await pipe.start();
  const client = async () => {
    const socket = connect(path).setEncoding('utf8');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const ten = await Promise.all(Array.from({ length: 10 }, client));
  const eleventh = await client();
  // Whoever comes before the eleventh is let in to wait is refused by an end, later ones at once.
  for (let refused = false; !refused;) {
    const twelfth = connect(path).resume();
    refused = await new Promise((resolve) => {
      twelfth.on('error', () => resolve(true)).on('close', () => resolve(false));
    });
  }
  const heard = Promise.all(ten.map((one) => once(one, 'data')));
  pipe.tell(EVENT);
  t.deepEqual(
    await heard,
    ten.map(() => [`${EVENT}\n`]),
  );
  t.is(eleventh.read(), null);
  const next = once(eleventh, 'data');
  ten[0]?.destroy();
  // In its place once devd has seen the other go: until then nobody tells it.
  const telling = setInterval(() => pipe.tell(EVENT), 5);
  t.teardown(() => clearInterval(telling));
  const [text] = (await next) as [string];
  t.true(text.startsWith(`${EVENT}\n`));
});
