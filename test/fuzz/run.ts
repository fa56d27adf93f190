import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { random, type Random } from '../sim/random.ts';
import type { Issued } from '../rpc/certificates.ts';
import { createWorld, type Teardown } from '../rpc/world.ts';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import type { Figures } from './agent.ts';
import type { Carp } from './kernels.ts';
import { LAST, clientHello, script, type Script } from './mutate.ts';
import type { Place } from './node.ts';
import type { Asked } from './peer.ts';
import { methods } from './real.ts';

export interface FuzzResult {
  readonly sent: number;
  readonly connections: number;
  /** What did not hold, one sentence each. */
  readonly failures: readonly string[];
  readonly before: Figures;
  readonly after: Figures;
  readonly asked: Asked;
  readonly carp: Carp;
  readonly tookMs: number;
}

/** Frames over one connection at most. */
const MOST = 48;
/** Connections at once. */
const LANES = 6;
/** So long a connection may take to show that it was read to its end. */
const READ_MS = 2000;
/** What may be held over the bounds of `before`. */
const GROWTH = 1.2;
const VIEWERS = 12;
/** CARP has found its MASTER, and the agents each other, within this. */
const SETTLE_MS = 20_000;

/**
 * Sends `count` damaged frames and messages, made from `seed`, to an agent's doors in turn: with a
 * viewer's certificate, with none, and over the unix socket; while a peer and an operator are there,
 * and CARP of both hosts is what the agents decide from.
 */
export async function fuzz(
  t: Teardown,
  seed: number,
  count: number,
  progress: (sent: number) => void = () => undefined,
): Promise<FuzzResult> {
  const startedMs = performance.now();
  const world = await createWorld(t);
  const certificate = (...names: string[]) => world.ca.issue(names);
  const paths = {
    first: world.write('haproxy01', await certificate('proxyctl://web/node/haproxy01')),
    second: world.write('haproxy02', await certificate('proxyctl://web/node/haproxy02')),
    anna: world.write('anna', await world.operator('anna', 'operator')),
  };
  const viewers: Issued[] = [];
  for (let i = 0; i < VIEWERS; i++) viewers.push(await world.operator(`eve${i}`, 'viewer'));
  const kernelsAt = join(world.folder, 'kernels.sock');
  const kernels = child(t, 'kernels.js', [kernelsAt]);
  await answer<string>(kernels);
  const place = (node: string, peer: string, tls: TlsPaths): string =>
    JSON.stringify({ node, peer, tls, folder: world.folder, kernels: kernelsAt } satisfies Place);
  const agent = child(t, 'agent.js', [place('haproxy01', 'haproxy02', paths.first)]);
  const address = await answer<string>(agent);
  const socketPath = join(world.folder, 'haproxy01', 'agent.sock');
  const peer = child(t, 'peer.js', [
    place('haproxy02', 'haproxy01', paths.second),
    address,
    socketPath,
    JSON.stringify(paths.anna),
  ]);
  agent.send({ peer: await answer<string>(peer) });
  await calm(kernels, agent);

  const all = methods();
  const hello = await realHello(address);
  const r = random(seed);
  let sent = 0;
  let connections = 0;
  const one = async (by: Random): Promise<void> => {
    connections += 1;
    const door = by.next();
    let said: Script;
    if (door < 0.05) {
      said = clientHello(by, hello);
      await speak(tcp(address), said.pieces, false);
    } else if (door < 0.5) {
      said = script(by, all, MOST);
      const socket = tls(address, by.pick(viewers));
      await speak(socket, said.pieces, true);
    } else {
      said = script(by, all, MOST);
      await speak(tcp(socketPath), said.pieces, true);
    }
    sent += said.pieces.length;
    progress(sent);
  };
  const until = async (most: number): Promise<void> => {
    const gone = (): boolean => agent.exitCode !== null || agent.signalCode !== null;
    const lane = async (): Promise<void> => {
      for (;;) {
        if (sent >= most || gone()) return;
        await one(random(Math.floor(r.next() * 2 ** 32)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    if (gone()) throw new Error(`the agent has ended after ${sent} of seed ${seed}`);
  };

  // What is made once (code, buffers) is made before anybody measures.
  await until(Math.min(count / 4, 20_000));
  const before = await settled(agent);
  await until(count);
  const after = await settled(agent);
  const asked = await ask<Asked>(peer, 'now');
  const carp = await ask<Carp>(kernels, 'now');
  const failures = [
    ...(after.heap > before.heap * GROWTH
      ? [`its heap went from ${before.heap} to ${after.heap} bytes`]
      : []),
    ...Object.entries(after.connections)
      .filter(([, open]) => open > 1)
      .map(([kind, open]) => `${open} connections are left: ${kind}`),
    ...(after.classes.join() === 'alive' ? [] : [`the peer was ${after.classes.join(', ')}`]),
    ...carp.changes.map((change) => `CARP changed: ${change}`),
    ...(after.linksClosed === 0 && asked.connects === 1 ? [] : ['the link of the peer was closed']),
    ...after.internalErrors.map((error) => `internal error: ${error}`),
    ...asked.failed,
    ...(asked.longestMs < 1000 ? [] : [`status took ${Math.round(asked.longestMs)} ms`]),
  ];
  const tookMs = performance.now() - startedMs;
  return { sent, connections, failures, before, after, asked, carp, tookMs };
}

/** Both take part, the first is MASTER, and nothing more is to happen. */
async function calm(kernels: ChildProcess, agent: ChildProcess): Promise<void> {
  for (const untilMs = performance.now() + SETTLE_MS; performance.now() < untilMs;) {
    const { states, changes } = await ask<Carp>(kernels, 'forget');
    const { joined } = await ask<Figures>(agent, 'now');
    const isAtFirst = states['haproxy01'] === 'MASTER' && states['haproxy02'] === 'BACKUP';
    if (joined && isAtFirst && changes.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error('the pair did not come up');
}

/** The agent's figures once what limits of time end has ended. */
async function settled(agent: ChildProcess): Promise<Figures> {
  await ask<Figures>(agent, 'now');
  // Two looks of the agent lie between the limit and its end.
  for (let i = 0; i < 3; i++) {
    await ask<Figures>(agent, 'later');
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  return ask<Figures>(agent, 'now');
}

function child(t: Teardown, file: string, args: string[]): ChildProcess {
  const one = fork(join(import.meta.dirname, file), args, {
    execArgv: ['--expose-gc', '--enable-source-maps'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.teardown(() => void one.kill('SIGKILL'));
  return one;
}

function answer<T>(from: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('a process of the fuzzer has ended'));
    from.once('exit', gone);
    from.once('message', (said) => {
      from.off('exit', gone);
      resolve(said as T);
    });
  });
}

function ask<T>(of: ChildProcess, what: string): Promise<T> {
  const answered = answer<T>(of);
  of.send(what);
  return answered;
}

const tcp = (to: string): Socket => {
  const [host = '', port] = to.split(':');
  return port === undefined ? connect(to) : connect(Number(port), host);
};

const tls = (to: string, { certPem, keyPem }: Issued): Socket =>
  connectTls({
    socket: tcp(to),
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    cert: certPem,
    key: keyPem,
  });

/** The first bytes of a client's TLS handshake. */
async function realHello(address: string): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : 0;
  const client = connectTls({ host: address.split(':')[0], port, rejectUnauthorized: false });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

/** Says all pieces; over once the other side has read them, has given up, or is silent. */
function speak(socket: Socket, pieces: readonly Buffer[], http2: boolean): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(late);
      socket.destroy();
      resolve();
    };
    const late = setTimeout(over, http2 ? READ_MS : 20);
    socket.on('error', over);
    socket.on('close', over);
    const frames = reader((type, flags, payload) => {
      if (type === 7 || (type === 6 && flags === 1 && payload.equals(LAST.subarray(9)))) over();
    });
    socket.on('data', (chunk: Buffer) => (http2 ? frames(chunk) : undefined));
    socket.write(Buffer.concat(pieces));
    if (http2) socket.write(LAST);
  });
}

/** Calls back with each frame of what an agent sends. */
function reader(
  frame: (type: number, flags: number, payload: Buffer) => void,
): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) return;
      frame(rest[3] ?? 0, rest[4] ?? 0, rest.subarray(9, 9 + length));
      rest = rest.subarray(9 + length);
    }
  };
}
