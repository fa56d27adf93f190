import test from 'ava';
import type { Intent } from '../../agent/core/model.ts';
import { InPieces } from '../../agent/rpc/in-pieces.ts';
import { serversAnswerFromWire } from '../../agent/wire/servers.ts';
import { statusFromWire } from '../../agent/wire/status.ts';
import { ControlService } from '../../proto/gen/services.ts';
import { intent } from '../core/builders.ts';
import { clientOf, createWorld, emptyStatus, serveWorld } from './world.ts';

const wishes: readonly Intent[] = Array.from({ length: 1234 }, (_, at) =>
  intent(`server//WEB/web${at}`, 'drain', { reason: 'a test' }),
);

test('between two pieces of a long answer everybody else has a turn', async (t) => {
  const order: string[] = [];
  function* pieces(): Generator<string> {
    for (const piece of ['a', 'b', 'c']) {
      setImmediate(() => order.push('others'));
      yield piece;
    }
  }
  const long = new InPieces(pieces(), (piece) => {
    order.push(piece);
    return Buffer.from(piece);
  });
  const whole: unknown = await long.whole();
  t.deepEqual([String(whole), order], ['abc', ['a', 'others', 'b', 'others', 'c', 'others']]);
});

test('a status and the servers with thousands of wishes are whole to whoever asks', async (t) => {
  const world = await createWorld(t);
  const at = { nowMs: 0, wallMs: 1_700_000_000_000 };
  const status = { ...emptyStatus, intents: wishes };
  const servers = {
    node: 'haproxy01',
    nodes: [{ node: 'haproxy01', problem: '', servers: [], drift: [], lost: [] }],
    intents: wishes,
  };
  const server = await serveWorld(t, world, {
    control: { status: () => Promise.resolve(status), servers: () => Promise.resolve(servers) },
  });
  const client = clientOf(t, `unix:${server.socketPath}`, null, null);
  const asked = ControlService.status;
  const answer = await new Promise<Parameters<typeof statusFromWire>[0]>((resolve, reject) => {
    client.makeUnaryRequest(
      asked.path,
      asked.requestSerialize,
      asked.responseDeserialize,
      {},
      (error, value) => (value === undefined ? reject(error ?? new Error('none')) : resolve(value)),
    );
  });
  const list = ControlService.servers;
  const stream = client.makeServerStreamRequest(
    list.path,
    list.requestSerialize,
    list.responseDeserialize,
    { backend: '' },
  );
  const pages: Parameters<typeof serversAnswerFromWire>[0][number][] = [];
  for await (const page of stream) pages.push(page as (typeof pages)[number]);
  t.deepEqual(statusFromWire(answer, at), { ...status, alerts: [] });
  t.deepEqual(serversAnswerFromWire(pages, at.wallMs), servers);
});
