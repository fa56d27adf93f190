import { performance } from 'node:perf_hooks';
import { once } from 'node:events';
import test from 'ava';
import { PeerService } from '../../proto/gen/services.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { type SwapPrepare } from '../../agent/core/certs/swap-messages.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { LinkHandlers } from '../../agent/rpc/links.ts';
import { peerCalls, type Channel } from '../../agent/rpc/peer-calls.ts';
import { createOutbox } from '../../agent/rpc/outbox.ts';
import { serverReading } from '../core/builders.ts';
import { clientOf, createWorld, helloOf, serveWorld, testClock } from './world.ts';
import { link, heartbeat, report, intent } from './link-world.ts';

const PREPARE: SwapPrepare = {
  swapId: 's',
  bundles: [{ path: null, pem: 'PEM' }],
  dryRun: false,
  acceptRisks: [],
  coordinator: 'haproxy02',
  members: ['haproxy02', 'haproxy01'],
  stamp: { wallMs: 1, count: 2, node: 'haproxy02' },
  actor: 'anna',
  reason: 'renewed',
};

test('a link opens with a hello, carries messages in order, and ends with a goodbye', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const { links, connected } = await link(t, world, [server.address]);
  t.false(links.send('haproxy01', heartbeat(0)), 'nothing is sent before the link stands');
  await connected();
  const messages: GossipMessage[] = [
    { kind: 'intents', intents: [intent] },
    { kind: 'want-intents' },
    { kind: 'want-report', node: 'haproxy01' },
    { kind: 'goodbye', reason: 'restart' },
  ];
  for (const message of messages) t.true(links.send('haproxy01', message));
  await links.close();
  await server.heard.until(({ kind }) => kind === 'closed');
  t.deepEqual(server.heard.items, [
    { kind: 'opened', text: 'haproxy02' },
    ...messages.map((message) => ({ kind: 'message' as const, node: 'haproxy02', message })),
    { kind: 'closed', text: 'haproxy02 ended' },
  ]);
  t.false(links.send('haproxy01', heartbeat(1)));
});

test('a node that says it is another, of another pair or two versions away is turned away', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const refusal = async (hello: LinkHandlers['hello']) => {
    const { links, said } = await link(t, world, [server.address], { hello });
    const { what, cause } = await said.until(() => true);
    await links.close();
    return `${what}: ${cause.replace(server.address, 'AT')}`;
  };
  t.deepEqual(
    [
      await refusal(() => helloOf('haproxy03')),
      await refusal(() => ({ ...helloOf('haproxy02'), pair: 'mail' })),
      await refusal(() => helloOf('haproxy02', 3)),
    ],
    [
      'rejected: AT: the agent says it is haproxy03, its certificate says haproxy02',
      'rejected: AT: haproxy02 belongs to the pair mail, not to web',
      'rejected: AT: haproxy02 speaks version 3 of the protocol and haproxy01 version 1; they must be at most one apart: upgrade haproxy01 first',
    ],
  );
  t.deepEqual(
    server.heard.items.map(({ kind }) => kind).filter((kind) => kind !== 'refused'),
    [],
  );
});

test('a report of a node nobody configured is dropped and the stream goes on', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const { links, connected } = await link(t, world, [server.address]);
  await connected();
  links.send('haproxy01', report('haproxy09', 1));
  links.send('haproxy01', { kind: 'intents', intents: [{ ...intent, value: '' }] });
  links.send('haproxy01', report('haproxy01', 7));
  await server.heard.until(({ kind }) => kind === 'message');
  t.deepEqual(
    server.heard.items.map((one) =>
      one.kind === 'message' && one.message.kind === 'report' ? one.message.report.sequence : one,
    ),
    [
      { kind: 'opened', text: 'haproxy02' },
      { kind: 'refused', text: 'gossip: report.node: haproxy09 is not configured here' },
      { kind: 'refused', text: 'gossip: intents[0].value: missing' },
      7,
    ],
  );
});

test('bytes that are no message end their stream and nothing else', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const { links, connected } = await link(t, world, [server.address]);
  await connected();
  const issued = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  const client = clientOf(t, server.address, world.ca.certPem, issued);
  const raw = (bytes: Buffer) => bytes;
  const stream = client.makeBidiStreamRequest(PeerService.gossip.path, raw, raw);
  const failed = once(stream, 'error');
  stream.on('data', () => undefined);
  stream.write(Buffer.from('ffffffff', 'hex'));
  t.regex(String((await failed)[0]), /Error deserializing request/);
  links.send('haproxy01', heartbeat(9));
  const heard = await server.heard.until(({ kind }) => kind !== 'opened');
  t.deepEqual(heard, { kind: 'message', node: 'haproxy02', message: heartbeat(9) });
});

test('calls to a peer bring back its answer or its own failure', async (t) => {
  const world = await createWorld(t);
  const certificate = {
    name: 'www',
    path: '/p.pem',
    fingerprintBefore: 'a',
    fingerprint: 'b',
    notAfter: '2027-01-01T00:00:00Z',
    names: ['www'],
    warnings: [],
    sha256: 'c',
  };
  const reading = { node: 'haproxy01', certificates: [certificate] };
  const asked: unknown[] = [];
  const detail = { code: 'transaction_open', message: 'another transaction is open', cause: 'x' };
  const server = await serveWorld(t, world, {
    storeIntents(node, intents) {
      asked.push([node, intents]);
      return Promise.resolve([intent]);
    },
    member: {
      findServers: (instance, backend) =>
        Promise.resolve([serverReading({ name: `${instance}:${backend}`, total: 2 ** 40 })]),
      shutSessions(instance, backend, server) {
        asked.push([instance, backend, server]);
        return Promise.resolve();
      },
      checkChallenge: (token) =>
        token === ''
          ? Promise.resolve(['[::1]:7661'])
          : Promise.reject(new ActFailure('failed', detail)),
      findChallenge: (token) => Promise.resolve(`${token}.x`),
      swapPrepare: (swap) => {
        asked.push(swap);
        return Promise.resolve(reading);
      },
      swapCommit: () => Promise.reject(new ActFailure('conflict', detail)),
      swapAbort: () => Promise.resolve({ ...reading, node: 'haproxy05' }),
    },
  });
  const { links, connected } = await link(t, world, [server.address]);
  await connected();
  const calls = links.peerCalls('haproxy01');
  t.deepEqual(await calls.storeIntents([intent]), { newer: [intent] });
  t.deepEqual(await calls.findServers('i', 'web'), [
    serverReading({ name: 'i:web', total: 2 ** 40 }),
  ]);
  await calls.shutSessions('i', 'web', 's1');
  t.deepEqual(await calls.checkChallenge(''), ['[::1]:7661']);
  t.is(await calls.findChallenge('a'), 'a.x');
  t.deepEqual(await calls.swapPrepare(PREPARE), reading);
  t.deepEqual(asked, [['haproxy02', [intent]], ['i', 'web', 's1'], PREPARE]);
  const failure = async (call: Promise<unknown>) => {
    const error = await t.throwsAsync(call, { instanceOf: ActFailure });
    return [error.outcome, error.detail.code, error.detail.message];
  };
  t.deepEqual(
    [
      await failure(calls.checkChallenge('a')),
      await failure(calls.swapCommit('s')),
      await failure(calls.swapAbort('s')),
      await failure(calls.swapFinish('')),
      await failure(calls.shutSessions('', '', 's1')),
    ],
    [
      ['failed', 'transaction_open', 'another transaction is open'],
      ['conflict', 'transaction_open', 'another transaction is open'],
      ['result-unknown', 'bad_reply', 'swap abort on haproxy01: node: "haproxy05" answered'],
      ['usage', 'bad_request', 'swap finish: swap_id: missing'],
      ['usage', 'bad_request', 'shut sessions: backend: missing'],
    ],
  );
  await links.close();
  t.deepEqual(await failure(calls.storeIntents([])), [
    'unreachable',
    'peer_unreachable',
    'haproxy01 cannot be reached',
  ]);
});

test('each call to a peer ends within its own time: a change is then unknown, a reading unreachable', async (t) => {
  const world = await createWorld(t);
  const never = () => new Promise<never>(() => undefined);
  const server = await serveWorld(t, world, {
    storeIntents: never,
    member: {
      findServers: never,
      shutSessions: never,
      show: never,
      checkChallenge: never,
      findChallenge: never,
      history: never,
      swapPrepare: never,
      swapCommit: never,
      swapAbort: never,
      swapFinish: never,
      swapState: never,
      fetchBundle: never,
      inspectCertificates: never,
      inspect: never,
    },
  });
  const issued = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  const client = clientOf(t, server.address, world.ca.certPem, issued);
  const within: number[] = [];
  const hurried: Channel = {
    makeUnaryRequest(path, write, read, request, { deadline }, answered) {
      within.push(Math.ceil((deadline - Date.now()) / 1000) * 1000);
      client.makeUnaryRequest(path, write, read, request, { deadline: Date.now() + 50 }, answered);
    },
  };
  const peer = peerCalls('haproxy01', () => hurried, testClock);
  const calls = [
    peer.storeIntents([intent]),
    peer.shutSessions('', 'web', 's1'),
    peer.swapPrepare(PREPARE),
    peer.swapCommit('s'),
    peer.swapAbort('s'),
    peer.swapFinish('s'),
    peer.findServers('', 'web'),
    peer.show('show info'),
    peer.checkChallenge(''),
    peer.findChallenge('a'),
    peer.history(),
    peer.swapState('s'),
    peer.fetchBundle('www', 'c'),
    peer.inspectCertificates(true),
    peer.inspect(),
  ];
  const ended = await Promise.all(
    calls.map(async (call, at) => {
      const { outcome, message } = await t.throwsAsync(call, { instanceOf: ActFailure });
      return [outcome, message, within[at]];
    }),
  );
  t.deepEqual(ended, [
    ['result-unknown', 'store intents on haproxy01: no answer', 2000],
    ['result-unknown', 'shut sessions on haproxy01: no answer', 2000],
    ['result-unknown', 'swap prepare on haproxy01: no answer', 10_000],
    ['result-unknown', 'swap commit on haproxy01: no answer', 10_000],
    ['result-unknown', 'swap abort on haproxy01: no answer', 10_000],
    ['result-unknown', 'swap finish on haproxy01: no answer', 10_000],
    ['unreachable', 'find servers on haproxy01: no answer', 2000],
    ['unreachable', 'show on haproxy01: no answer', 9000],
    ['unreachable', 'check challenge on haproxy01: no answer', 4000],
    ['unreachable', 'find challenge on haproxy01: no answer', 2000],
    ['unreachable', 'history on haproxy01: no answer', 2000],
    ['unreachable', 'swap state on haproxy01: no answer', 2000],
    ['unreachable', 'fetch bundle on haproxy01: no answer', 10_000],
    ['unreachable', 'inspect certificates on haproxy01: no answer', 10_000],
    ['unreachable', 'inspect on haproxy01: no answer', 12_000],
  ]);
});

test('while a message is in flight only the newest heartbeat, report of each node and part of the intents wait', (t) => {
  const written: unknown[] = [];
  let done: () => void = () => undefined;
  let nowMs = 0;
  let stalled = false;
  let alarm: (() => void) | null = null;
  const outbox = createOutbox({
    clock: {
      nowMs: () => nowMs,
      wallMs: () => 0,
      after(_ms, callback) {
        alarm = callback;
        return () => (alarm = null);
      },
    },
    stallMs: 5000,
    write(message, then) {
      written.push(
        message.kind === 'heartbeat'
          ? message.sequence
          : message.kind === 'report'
            ? [message.report.node, message.report.sequence, message.ageMs]
            : message.kind,
      );
      done = then;
    },
    stalled: () => (stalled = true),
  });
  outbox.push(heartbeat(1));
  outbox.push(report('a', 1));
  outbox.push(heartbeat(2));
  outbox.push({ kind: 'want-intents' });
  outbox.push(report('b', 1));
  outbox.push({ kind: 'intents', intents: [] });
  outbox.push({ kind: 'intents', intents: [intent] });
  outbox.push({ kind: 'intents', intents: [] });
  nowMs = 30;
  outbox.push(heartbeat(3));
  outbox.push(report('a', 2));
  nowMs = 100;
  for (let i = 0; i < 7; i++) done();
  t.deepEqual(written, [1, ['a', 2, 70], 3, 'want-intents', ['b', 1, 100], 'intents', 'intents']);
  t.is(alarm, null);
  outbox.push(heartbeat(4));
  (alarm as (() => void) | null)?.();
  t.true(stalled);
  outbox.push(heartbeat(5));
  done();
  t.is(written.at(-1), 4, 'nothing is written after a stall');
});

test('a pushed report arrives within milliseconds over mutual TLS', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const { links, connected } = await link(t, world, [server.address]);
  await connected();
  const took: number[] = [];
  for (let sequence = 1; sequence <= 200; sequence++) {
    const start = performance.now();
    links.send('haproxy01', report('haproxy02', sequence));
    await server.heard.until(
      (one) =>
        one.kind === 'message' &&
        one.message.kind === 'report' &&
        one.message.report.sequence === sequence,
    );
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  const [median, p99] = [took[100] ?? Number.NaN, took[198] ?? Number.NaN];
  t.log(`one way, ms: median ${median.toFixed(2)}, p99 ${p99.toFixed(2)}`);
  t.true(median < 10);
});
