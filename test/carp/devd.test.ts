import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { parseDevd, watchDevd, type DevdEvent } from '../../agent/carp/devd.ts';
import { FakeClock } from '../fake-clock.ts';
import { createRecord, eventually } from '../record.ts';

const MASTER: DevdEvent = { kind: 'carp', interface: 'em0', vhid: 1, state: 'MASTER' };
const BACKUP: DevdEvent = { kind: 'carp', interface: 'em0', vhid: 1, state: 'BACKUP' };
const line = (state: string, on = '1@em0') => `!system=CARP subsystem=${on} type=${state}\n`;

test('lines of devd: CARP of any interface, links, and nothing else', (t) => {
  const rows: [string, DevdEvent | null][] = [
    ['!system=CARP subsystem=1@em0 type=MASTER', MASTER],
    ['!system=CARP subsystem=1@em0 type=BACKUP (null)', BACKUP],
    [
      '!system=CARP subsystem=255@vlan100 type=INIT further=words here',
      { kind: 'carp', interface: 'vlan100', vhid: 255, state: 'INIT' },
    ],
    [
      '!system=CARP subsystem=1@em0.10 type=MASTER',
      { kind: 'carp', interface: 'em0.10', vhid: 1, state: 'MASTER' },
    ],
    ['!system=IFNET subsystem=em0 type=LINK_UP', { kind: 'link', interface: 'em0', up: true }],
    [
      '!system=IFNET subsystem=lagg0 type=LINK_DOWN x=1',
      { kind: 'link', interface: 'lagg0', up: false },
    ],
    ['!system=IFNET subsystem=em0 type=ATTACH', null],
    ['!system=CARP subsystem=1@em0 type=MASTERED', null],
    ['!system=CARP subsystem=em0 type=MASTER', null],
    ['!system=CARP subsystem=1@em0', null],
    [' !system=CARP subsystem=1@em0 type=MASTER', null],
    ['+em0 at slot=3', null],
    ['', null],
  ];
  t.deepEqual(
    rows.map(([text]) => [text, parseDevd(text)]),
    rows,
  );
});

/** A devd of one test on a real socket, and a watch of it. */
async function world(t: ExecutionContext, { running = true } = {}) {
  const folder = mkdtempSync('/tmp/pa-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'devd.pipe');
  const clients = createRecord<Socket>();
  let server: Server | null = null;
  const start = async (): Promise<void> => {
    rmSync(path, { force: true });
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      clients.add(socket);
    });
    server.listen(path);
    await once(server, 'listening');
  };
  const stop = (): void => {
    server?.close();
    for (const socket of clients.items) socket.destroy();
  };
  t.teardown(stop);
  if (running) await start();
  const clock = new FakeClock();
  const events = createRecord<DevdEvent>();
  const states = createRecord<{ connected: boolean; cause: string }>();
  const watched = watchDevd({
    path,
    clock,
    onEvent: (event) => events.add(event),
    onHeard: () => undefined,
    onState: (state) => states.add(state),
  });
  t.teardown(() => watched.close());
  return { clock, events, states, clients, start, stop, path, close: () => watched.close() };
}

test('connected: said once, and events come as they are sent', async (t) => {
  const { clients, events, states } = await world(t);
  const socket = await clients.until(() => true);
  socket.write(line('BACKUP'));
  await events.until(({ kind }) => kind === 'carp');
  socket.write('!system=IFNET subsystem=em0 type=LINK_DOWN\n');
  await events.until(({ kind }) => kind === 'link');
  t.deepEqual(states.items, [{ connected: true, cause: '' }]);
  t.deepEqual(events.items, [BACKUP, { kind: 'link', interface: 'em0', up: false }]);
});

test('several events in one piece, in their order, strange lines between them let pass', async (t) => {
  const { clients, events } = await world(t);
  const socket = await clients.until(() => true);
  socket.write(`${line('BACKUP')}+em1 at slot=3\n\n${line('MASTER')}${line('INIT', '7@lagg0')}`);
  await events.until((event) => event.kind === 'carp' && event.vhid === 7);
  t.deepEqual(events.items, [
    BACKUP,
    MASTER,
    { kind: 'carp', interface: 'lagg0', vhid: 7, state: 'INIT' },
  ]);
});

test('a line that comes in pieces is one event, cut wherever it is', async (t) => {
  const { clients, events } = await world(t);
  const socket = await clients.until(() => true);
  socket.setNoDelay(true);
  const text = line('MASTER') + line('BACKUP');
  let sent = 0;
  for (let at = 0; at < text.length; at++) {
    await new Promise((resolve) => socket.write(text.slice(at, at + 1), resolve));
    sent++;
  }
  await events.until((event) => event.kind === 'carp' && event.state === 'BACKUP');
  t.is(sent, text.length);
  t.deepEqual(events.items, [MASTER, BACKUP]);
});

test('devd ends: said with why, connected again, and half a line of before is forgotten', async (t) => {
  const { clock, clients, events, states, start, stop } = await world(t);
  const socket = await clients.until(() => true);
  socket.write('!system=CARP subsystem=1@em0 ty');
  await states.until(({ connected }) => connected);
  stop();
  await states.until(({ connected }) => !connected);
  t.deepEqual(clock.sleeping(), [100]);
  await start();
  await clock.advance(100);
  await eventually(() => states.items.length === 3);
  (await clients.until((one) => one !== socket)).write(`pe=MASTER\n${line('BACKUP')}`);
  await events.until(() => true);
  t.deepEqual(states.items, [
    { connected: true, cause: '' },
    { connected: false, cause: 'devd closed its pipe' },
    { connected: true, cause: '' },
  ]);
  t.deepEqual(events.items, [BACKUP]);
});

test('no devd: said once, and tried with pauses that double up to five seconds', async (t) => {
  const { clock, states, path } = await world(t, { running: false });
  await states.until(() => true);
  const pauses: number[] = [];
  for (let tries = 0; tries < 9; tries++) {
    await eventually(() => clock.sleeping().length === 1);
    const [pause = 0] = clock.sleeping();
    pauses.push(pause);
    await clock.advance(pause);
  }
  t.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  t.deepEqual(states.items, [{ connected: false, cause: `connect ENOENT ${path}` }]);
});

test('once connected the pauses begin anew', async (t) => {
  const { clock, clients, states, start, stop } = await world(t, { running: false });
  await states.until(() => true);
  await clock.advance(100);
  await eventually(() => clock.sleeping().length === 1);
  await start();
  await clock.advance(200);
  await clients.until(() => true);
  await states.until(({ connected }) => connected);
  stop();
  await eventually(() => clock.sleeping().length === 1);
  t.deepEqual(clock.sleeping(), [100]);
});

test('closed: no further try, and no word', async (t) => {
  const { clock, clients, states, stop, close } = await world(t);
  const socket = await clients.until(() => true);
  await states.until(({ connected }) => connected);
  const ended = once(socket, 'close');
  close();
  await ended;
  stop();
  await clock.advance(60_000);
  t.deepEqual([states.items, clock.sleeping()], [[{ connected: true, cause: '' }], []]);
});
