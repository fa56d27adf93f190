import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import { statusToWire } from '../../agent/wire/status.ts';
import { ControlService } from '../../proto/gen/services.ts';
import { statusOf } from './statuses.ts';

/** What answers every call on a unix socket with the status of a healthy pair, without an agent. */
export async function answering(path: string): Promise<Http2Server> {
  const at = { nowMs: performance.now(), wallMs: Date.now() };
  const pieces = [...statusToWire(statusOf(), at)];
  const reply = Buffer.concat(pieces.map((one) => ControlService.status.responseSerialize(one)));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(reply.length, 1);
  const server = createServer();
  server.on('stream', (stream) => {
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.concat([head, reply]));
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}
