import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createRecord } from '../record.ts';
import { shortFolder } from './haproxy.ts';

/** What a scripted socket does with one request. */
export type Script = (request: string, socket: Socket) => void;

/** A unix socket that speaks as a test tells it; every request is recorded whole. */
export async function scriptedSocket(t: ExecutionContext, script: Script) {
  const path = join(shortFolder(t), 's.sock');
  const requests = createRecord<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk.toString();
      // A payload ends with an empty line, everything else with its line.
      if (!request.endsWith(request.includes(' <<\n') ? '\n\n' : '\n')) return;
      requests.add(request);
      script(request, socket);
      request = '';
    });
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { path, requests, sockets, server };
}

/**
 * A script that answers one text after the other and closes, as HAProxy does; the last one again
 * and again.
 */
export function says(...texts: readonly string[]): Script {
  let at = 0;
  return (_request, socket) => void socket.end(texts[Math.min(at++, texts.length - 1)] ?? '');
}

/** A unix socket that closes with the request unread, which resets the connection. */
export async function abruptSocket(t: ExecutionContext) {
  const path = join(shortFolder(t), 's.sock');
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    // The client of the same process has written once a few turns of its loop are over.
    const later = (turns: number): void => {
      if (turns === 0) socket.destroy();
      else setImmediate(() => later(turns - 1));
    };
    later(20);
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return { path };
}

/**
 * Makes a script that answers each command with a text one that also knows interactive mode, as
 * HAProxy does after `prompt`. `answer` returning null: nothing is said.
 */
export function interactive(answer: (command: string) => string | null): Script {
  const prompted = new WeakSet<Socket>();
  return (request, socket) => {
    for (const command of request.trimEnd().split('\n')) {
      if (command === 'prompt') {
        prompted.add(socket);
        socket.write('\n> ');
        continue;
      }
      const text = answer(command);
      if (text === null) continue;
      if (prompted.has(socket)) socket.write(`${text}> `);
      else socket.end(text);
    }
  };
}
