import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { createRecord } from '../record.ts';
import { clientOf, createWorld, serveWorld, askStatus } from './world.ts';

test('no descriptor left: open connections serve on, newcomers are closed, and no peer is taken for dead', async (t) => {
  const world = await createWorld(t);
  const first = await serveWorld(t, world);
  const paths = world.write('haproxy02', await world.ca.issue(['proxyctl://web/node/haproxy02']));
  const script = fileURLToPath(new URL('crowded.js', import.meta.url));
  const folder = join(world.folder, 'apart');
  mkdirSync(folder);
  const args = [process.execPath, script, JSON.stringify(paths), folder, first.address];
  const child = spawn('/bin/sh', ['-c', 'ulimit -n 96; exec "$@"', 'sh', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  });
  const said = createRecord<unknown>();
  createInterface({ input: child.stdout }).on('line', (line) => said.add(JSON.parse(line)));
  const tell = async (line: string): Promise<void> => {
    const from = said.items.length;
    child.stdin.write(`${line}\n`);
    await said.until((one) => one === line && said.items.lastIndexOf(one) >= from);
  };
  const isText = (one: unknown, start: string): boolean =>
    typeof one === 'string' && one.startsWith(start);
  const { address } = (await said.until((one) => typeof one === 'object')) as { address: string };
  await said.until((one) => one === 'connected');
  const anna = clientOf(t, address, world.ca.certPem, await world.operator('anna', 'viewer'));
  t.is(await askStatus(anna), 'haproxy01');

  await tell('fill');
  const port = Number(address.split(':')[1]);
  for (let at = 0; at < 20; at++) {
    const stranger = connect(port, '127.0.0.1');
    stranger.on('error', () => undefined);
    await once(stranger, 'close');
  }
  t.is(await askStatus(anna), 'haproxy01');
  await tell('say 7');
  await first.heard.until(({ kind }) => kind === 'message');

  await first.close(100);
  await said.until((one) => isText(one, 'ended') || isText(one, 'reset'));
  // What the ended connection leaves is taken too.
  await tell('fill');
  t.is(
    await said.until((one) => isText(one, 'exhausted')),
    `exhausted: ${first.address}: no file descriptor is left here (EMFILE)`,
  );
  await serveWorld(t, world, { listen: [first.address] });
  const before = said.items.length;
  await tell('free');
  await said.until((one) => one === 'connected' && said.items.lastIndexOf(one) >= before);
  t.pass();
});
