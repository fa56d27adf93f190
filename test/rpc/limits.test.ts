import test from 'ava';
import { status as Code } from '@grpc/grpc-js';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { ControlService } from '../../proto/gen/services.ts';
import { HealthService } from '../../proto/gen/services.ts';
import { controlHandlers } from '../../agent/rpc/control-service.ts';
import { callLimits } from '../../agent/rpc/limits.ts';
import { FakeClock } from '../fake-clock.ts';
import { lanes } from '../../agent/rpc/lanes.ts';
import { failureFromStatus } from '../../agent/wire/failed-calls.ts';
import { NO_AUDIT, verbsOf } from '../scripted.ts';
import { createRecord } from '../record.ts';
import { askMove, askStatus, clientOf, createWorld, emptyStatus, serveWorld } from './world.ts';

const codeOf = (answer: string | ServiceError): string =>
  typeof answer === 'string' ? answer : `${Code[answer.code] ?? ''}: ${answer.details}`;

const askExplain = (client: Client, addresses: string[]): Promise<string | ServiceError> =>
  new Promise((resolve) => {
    const { path, requestSerialize, responseDeserialize } = ControlService.explain;
    const request = { addresses };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      (error: ServiceError | null) => resolve(error ?? 'answered'),
    );
  });

test('an address named often is asked for once, and a list without end is not read', async (t) => {
  const world = await createWorld(t);
  const asked: (readonly string[])[] = [];
  const server = await serveWorld(t, world, {
    control: {
      explain: (addresses) => {
        asked.push(addresses);
        return Promise.resolve({ node: 'haproxy01', paused: false, addresses: [] });
      },
    },
  });
  const viewer = await world.operator('eve', 'viewer');
  const client = clientOf(t, server.address, world.ca.certPem, viewer);
  const answers = [
    await askExplain(client, Array<string>(900).fill('1@wan')),
    await askExplain(client, Array<string>(1025).fill('1@wan')),
    await askExplain(client, ['1'.repeat(257)]),
    await askExplain(client, Array<string>(150_000).fill('1@wan')),
  ].map(codeOf);
  t.deepEqual(
    [answers, asked],
    [
      [
        'answered',
        'INVALID_ARGUMENT: explain: addresses: 1025 elements, at most 1024 are taken',
        'INVALID_ARGUMENT: explain: addresses[0]: 257 characters, at most 256 are taken',
        'RESOURCE_EXHAUSTED: explain was not read: it has 1050000 bytes, at most 65536 are taken',
      ],
      [['1@wan']],
    ],
  );
});

test('a reason of any length, or one that a terminal would obey, is stored by nobody', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const client = clientOf(t, `unix:${server.socketPath}`, null, null);
  const ask = async (reason: string, actor = 'anna') => {
    const { events } = await askMove(client, { header: { requestId: 'r1', reason, actor } });
    return events.at(-1)?.result?.error?.message ?? 'moved';
  };
  t.deepEqual(
    [
      await ask('r'.repeat(200)),
      await ask('r'.repeat(201)),
      await ask('a\u001b[2J'),
      await ask('', 'a'.repeat(129)),
    ],
    [
      'moved',
      'move: header.reason: 201 characters, at most 200 are taken',
      'move: header.reason: holds control characters',
      'move: header.actor: 129 characters, at most 128 are taken',
    ],
  );
  t.is(server.heard.items.filter(({ kind }) => kind === 'act').length, 1);
});

test('who has too many calls under way is refused as a conflict, and nobody else is', async (t) => {
  const world = await createWorld(t);
  const asked = createRecord<() => void>();
  const server = await serveWorld(t, world, {
    control: { status: () => new Promise((resolve) => asked.add(() => resolve(emptyStatus))) },
  });
  const greedy = await world.operator('eve', 'viewer');
  const clients = [0, 1].map(() => clientOf(t, server.address, world.ca.certPem, greedy));
  const calls = clients.flatMap((client) => Array.from({ length: 16 }, () => askStatus(client)));
  await asked.until(() => asked.items.length === 32);
  const [first] = clients;
  const over = first === undefined ? '' : await askStatus(first);
  const failure =
    typeof over === 'string'
      ? null
      : failureFromStatus(over, { peer: '', name: '', changes: true });
  const other = clientOf(t, server.address, world.ca.certPem, await world.operator('o', 'viewer'));
  const answered = askStatus(other);
  await asked.until(() => asked.items.length === 33);
  for (const answer of asked.items) answer();
  t.deepEqual(
    [codeOf(over), failure?.outcome, await answered, new Set(await Promise.all(calls))],
    [
      'RESOURCE_EXHAUSTED: status was not taken: 32 calls of this caller are under way',
      'conflict',
      'haproxy01',
      new Set(['haproxy01']),
    ],
  );
});

test('what was found out is handed on to be encoded in a turn of its own', async (t) => {
  const order: string[] = [];
  const status = () => {
    setImmediate(() => order.push('others'));
    return Promise.resolve(emptyStatus);
  };
  const handlers = controlHandlers(verbsOf({ status }), {
    node: 'haproxy01',
    origin: { kind: 'socket', role: 'operator', path: '/agent.sock' },
    clock: new FakeClock(),
    notices: { refused: () => undefined, failed: () => undefined },
    audit: NO_AUDIT,
  });
  // grpc-js's type of a handler names no arguments.
  const call = handlers['status'] as unknown as (call: unknown, reply: () => void) => void;
  await new Promise<void>((resolve) => {
    call({ request: {} }, () => (order.push('encoded'), resolve()));
  });
  t.deepEqual(order, ['others', 'encoded']);
});

test('a lane takes one call after the other and goes round among the callers', async (t) => {
  const lane = lanes();
  const order: string[] = [];
  const take = async (caller: string): Promise<string> => {
    try {
      const done = await lane.take('inspection', caller);
      order.push(caller);
      await Promise.resolve();
      done();
      return 'done';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };
  const all = ['eve', 'eve', 'eve', 'eve', 'eve', 'anna', 'anna', 'bob'].map(take);
  t.deepEqual(await Promise.all(all), [
    'done',
    'done',
    'done',
    'done',
    '4 of this caller wait already',
    'done',
    'done',
    'done',
  ]);
  t.deepEqual(order, ['eve', 'anna', 'bob', 'eve', 'anna', 'eve', 'eve']);
});

test('calls above the rate are refused and counted until time has passed', async (t) => {
  const clock = new FakeClock();
  const counted: string[] = [];
  const share = { atOnce: 9, perSecond: 2, burst: 3 };
  const limits = callLimits(
    clock,
    (_origin, _call, what, { detail }) => counted.push(`${what} ${detail.code}`),
    {
      operator: share,
      socket: share,
      peer: share,
    },
  );
  const [, handlers] = limits.guarded(
    { setServers: HealthService.check },
    {
      setServers: (_call: unknown, reply: (error: null, value: unknown) => void) => reply(null, {}),
    },
    { kind: 'socket', role: 'viewer', path: '/agent.sock' },
  );
  // grpc-js's type of a handler names no arguments.
  const call = handlers['setServers'] as unknown as (
    call: unknown,
    reply: (error: { readonly details: string } | null) => void,
  ) => void;
  const ask = (): string => {
    let said = 'nothing';
    call({ request: {} }, (error) => (said = error?.details ?? 'answered'));
    return said;
  };
  const first = [ask(), ask(), ask(), ask()];
  await clock.advance(500);
  t.deepEqual(
    [first, [ask(), ask()], counted],
    [
      ['answered', 'answered', 'answered', 'servers was not taken: more than 2 calls a second'],
      ['answered', 'servers was not taken: more than 2 calls a second'],
      ['servers too_many', 'servers too_many'],
    ],
  );
});
