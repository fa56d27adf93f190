import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createServer as createTlsServer } from 'node:tls';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ActFailure } from '../../agent/core/acts.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Intent, NodeReport } from '../../agent/core/model.ts';
import { startLinks } from '../../agent/rpc/links.ts';
import type { LinksOptions } from '../../agent/rpc/links.ts';
import { createOutbox } from '../../agent/rpc/outbox.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { createCa } from './certificates.ts';
import type { Issued } from './certificates.ts';
import { createRecord, createWorld, helloOf, serveWorld, testClock } from './world.ts';
import type { World } from './world.ts';

type Said = { readonly what: string; readonly cause: string; readonly atMs: number };

/** Links of haproxy02 to haproxy01 at these addresses. */
async function link(
  t: ExecutionContext,
  world: World,
  address: readonly string[],
  more: Partial<LinksOptions> = {},
) {
  const said = createRecord<Said>();
  const add = (what: string, cause = '') => said.add({ what, cause, atMs: performance.now() });
  const links = startLinks({
    peers: [{ node: 'haproxy01', address }],
    tls: more.tls ?? (await world.tlsOf('haproxy02')),
    clock: testClock,
    random: () => 0,
    hello: () => helloOf('haproxy02'),
    onConnected: (node) => add(`connected ${node}`),
    onClosed: (_node, how, cause, tcp) => add(tcp ? how : `${how}, no TCP`, cause),
    onReply: (_node, message) => add(`reply ${message.kind}`),
    ...more,
  });
  t.teardown(() => links.close());
  return { links, said, connected: () => said.until(({ what }) => what.startsWith('connected')) };
}

/** A TCP listener that is no agent. */
async function listenRaw(t: ExecutionContext, accept: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`, sockets, server };
}

/** A relay in front of an address: what goes through it can be frozen, cut by FIN or cut by RST. */
async function relay(t: ExecutionContext, address: string) {
  const pairs: [Socket, Socket][] = [];
  let frozen = false;
  const raw = await listenRaw(t, (near) => {
    const far = connect(Number(address.split(':')[1]), '127.0.0.1');
    far.on('error', () => undefined);
    pairs.push([near, far]);
    if (frozen) return;
    near.pipe(far);
    far.pipe(near);
  });
  return {
    address: raw.address,
    freeze() {
      frozen = true;
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    thaw() {
      frozen = false;
    },
    reset: () => pairs.splice(0).forEach(([near, far]) => [near.resetAndDestroy(), far.destroy()]),
    end: () => pairs.splice(0).forEach(([near, far]) => [near.destroy(), far.destroy()]),
  };
}

/** A TLS listener with any certificate at all. */
async function tlsListener(t: ExecutionContext, issued: Issued, ca: string) {
  const { certPem: cert, keyPem: key } = issued;
  const server = createTlsServer({ cert: `${cert}\n${ca}`, key, ALPNProtocols: ['h2'] });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const bound = server.address();
  return { server, address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}` };
}

const heartbeat = (sequence: number): GossipMessage => ({
  ...{ kind: 'heartbeat', epoch: 1, sequence, intentsDigest: 'd', seen: [] },
});
const reportOf = (node: string, sequence: number): NodeReport => ({
  ...{ node, epoch: 1, sequence, protocol: 1, agentVersion: '0.1.0' },
  ...{ joined: true, leaving: false, preempt: false, demotion: 0, addresses: [], haproxy: [] },
  ...{ health: 'serving', healthSinceMs: 0, healthReason: '', problems: [], seen: [] },
  ...{ applied: [], icmp: 'none', carpEvents: 'polling', agentUpMs: 0, wallMs: 1 },
});
const report = (node: string, sequence: number): GossipMessage => ({
  ...{ kind: 'report', report: reportOf(node, sequence), ageMs: 0 },
});
const intent: Intent = {
  ...{ key: 'pause', value: 'on', deleted: false, actor: 'anna', reason: '', requestId: 'r' },
  ...{ stamp: { wallMs: 1, count: 0, node: 'haproxy02' }, untilWallMs: null },
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
  const refusal = async (hello: LinksOptions['hello']) => {
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

test('who answers must hold the certificate of the peer that was dialled', async (t) => {
  const world = await createWorld(t);
  const impostor = await world.ca.issue(['proxyctl://web/node/haproxy03']);
  const operator = await world.operator('anna', 'admin');
  const foreign = await createCa('foreign');
  const causes = [];
  for (const [issued, ca] of [
    [impostor, world.ca],
    [operator, world.ca],
    [await foreign.issue(['proxyctl://web/node/haproxy01']), foreign],
  ] as const) {
    const { server: raw, address } = await tlsListener(t, issued, ca.certPem);
    const { links, said } = await link(t, world, [address]);
    const { what, cause } = await said.until(() => true);
    causes.push([what, cause.replace(address, 'AT')]);
    await links.close();
    raw.close();
  }
  t.deepEqual(causes, [
    ['tls', 'AT: node haproxy03 answered instead of node haproxy01'],
    ['tls', 'AT: admin anna answered instead of node haproxy01'],
    ['tls', 'AT: self-signed certificate in certificate chain'],
  ]);
});

test('the server refuses an expired or unconfigured node, and the link says so', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const stranger = await world.tlsOf('haproxy09');
  const first = await link(t, world, [server.address], {
    tls: stranger,
    hello: () => helloOf('haproxy09'),
  });
  const rejected = await first.said.until(() => true);
  t.deepEqual(
    [rejected.what, rejected.cause],
    ['rejected', `${server.address}: haproxy09 is not configured as a peer here`],
  );

  // Its own check would refuse an expired file; the clock here says it is still good.
  const early = { ...systemClock, wallMs: () => Date.now() - 3 * 86_400_000 };
  const expired = await world.ca.issue(['proxyctl://web/node/haproxy02'], -1);
  const tls = createTls(world.write('late', expired), 'web', 'haproxy02', early);
  const second = await link(t, world, [server.address], { tls });
  const refused = await second.said.until(() => true);
  const maybe = 'closed after the handshake: our certificate may not be accepted there';
  t.deepEqual([refused.what, refused.cause], ['tls', `${server.address}: ${maybe}`]);
});

test('how a link ends tells a closed agent, a cut, silence and a refusal apart', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const timing = { dialMs: 1500, pingMs: 50, silenceMs: 500 };
  const between = await relay(t, server.address);
  const { said, links } = await link(t, world, [between.address], { timing });
  const next = async (act: () => unknown) => {
    const from = said.items.length;
    act();
    await said.until((one) => said.items.indexOf(one) >= from);
    const { what, cause } = said.items[from] ?? { what: '', cause: '' };
    return `${what}: ${cause.replace(between.address, 'AT').replace(/\d+ ms/, 'N ms')}`;
  };
  const again = () => next(() => undefined);
  t.is(await again(), 'connected haproxy01: ');
  t.is(await next(between.reset), 'reset: AT: connection reset');
  t.is(await again(), 'connected haproxy01: ');
  t.is(await next(between.end), 'ended: AT: connection closed');
  t.is(await again(), 'connected haproxy01: ');
  t.is(await next(between.freeze), 'timeout: AT: silent for N ms');
  t.is(await again(), 'timeout: AT: connects and does not answer within N ms');
  between.thaw();
  await next(() => undefined);
  t.is(said.items.at(-1)?.what, 'connected haproxy01');
  t.is(await next(() => void server.close(50)), 'ended: AT: closed by the agent');
  await links.close();

  const nobody = await listenRaw(t, () => undefined);
  nobody.server.close();
  await once(nobody.server, 'close');
  const refused = await link(t, world, [nobody.address]);
  t.is((await refused.said.until(() => true)).what, 'refused, no TCP');
});

test('a link comes back within a few retries when the agent restarts on its port', async (t) => {
  const world = await createWorld(t);
  const tls = await world.tlsOf('haproxy01');
  const first = await serveWorld(t, world, { tls });
  const { said, connected, links } = await link(t, world, [first.address]);
  await connected();
  await first.close(200);
  await said.until(({ what }) => what.startsWith('refused'));
  const from = said.items.length;
  const second = await serveWorld(t, world, { tls, listen: [first.address] });
  const upMs = performance.now();
  const back = await said.until(
    (one) => said.items.indexOf(one) >= from && one.what.startsWith('connected'),
  );
  t.true(back.atMs - upMs < 1500, `took ${back.atMs - upMs} ms`);
  t.true(links.send('haproxy01', heartbeat(5)));
  await second.heard.until(({ kind }) => kind === 'message');
});

test('every address is tried in turn, and the link stays with the one that answered', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const nobody = await listenRaw(t, () => undefined);
  nobody.server.close();
  const mute = await listenRaw(t, () => undefined);
  const timing = { dialMs: 200 };
  const { said } = await link(t, world, [nobody.address, mute.address, server.address], {
    timing,
  });
  await said.until(({ what }) => what.startsWith('connected'));
  t.deepEqual(
    said.items.map(({ what }) => what),
    ['connected haproxy01'],
    'an address in vain is not news while another answers',
  );
});

test('a newer stream of a node takes the place of an older one without a word of its end', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const between = await relay(t, server.address);
  const timing = { dialMs: 500, pingMs: 40, silenceMs: 150 };
  const { said } = await link(t, world, [between.address, server.address], { timing });
  await said.until(({ what }) => what.startsWith('connected'));
  between.freeze();
  await said.until((one) => said.items.indexOf(one) > 1 && one.what.startsWith('connected'));
  t.deepEqual(
    server.heard.items.map((one) => ('text' in one ? [one.kind, one.text] : one)),
    [
      ['opened', 'haproxy02'],
      ['opened', 'haproxy02'],
    ],
  );
});

test('calls to a peer bring back its answer or its own failure', async (t) => {
  const world = await createWorld(t);
  const reading = {
    ...{ node: 'haproxy01', path: '/p.pem', fingerprintBefore: 'a', fingerprint: 'b' },
    ...{ notAfter: '2027-01-01T00:00:00Z', names: ['www'], warnings: [] },
  };
  const asked: unknown[] = [];
  const detail = { code: 'transaction_open', message: 'another transaction is open', cause: 'x' };
  const server = await serveWorld(t, world, {
    peer: {
      storeIntents(node, intents) {
        asked.push([node, intents]);
        return Promise.resolve({ newer: [intent] });
      },
      findServers: (instance, backend) =>
        Promise.resolve([
          { name: `${instance}:${backend}`, status: 'UP', admin: 'drain', sessions: 2 },
        ]),
      swapPrepare: (node, swap) => {
        asked.push([node, swap]);
        return Promise.resolve(reading);
      },
      swapCommit: () => Promise.reject(new ActFailure('conflict', detail)),
      swapAbort: () => Promise.resolve({ ...reading, node: 'haproxy05' }),
      swapFinish: () => new Promise(() => undefined),
    },
  });
  const { links, connected } = await link(t, world, [server.address]);
  await connected();
  const calls = links.peerCalls('haproxy01');
  const swap = { swapId: 's', path: null, pem: 'PEM', dryRun: false, acceptRisks: [] } as const;
  t.deepEqual(await calls.storeIntents([intent], 1000), { newer: [intent] });
  t.deepEqual(await calls.findServers('i', 'web', 1000), [
    { name: 'i:web', status: 'UP', admin: 'drain', sessions: 2 },
  ]);
  t.deepEqual(await calls.swapPrepare(swap, 1000), reading);
  t.deepEqual(asked, [
    ['haproxy02', [intent]],
    ['haproxy02', swap],
  ]);
  const failure = async (call: Promise<unknown>) => {
    const error = await t.throwsAsync(call, { instanceOf: ActFailure });
    return [error.outcome, error.detail.code, error.detail.message];
  };
  t.deepEqual(
    [
      await failure(calls.swapCommit('s', 1000)),
      await failure(calls.swapAbort('s', 1000)),
      await failure(calls.swapFinish('s', 60)),
      await failure(calls.swapFinish('', 1000)),
      await failure(calls.findServers('', '', 1000)),
    ],
    [
      ['conflict', 'transaction_open', 'another transaction is open'],
      ['result-unknown', 'bad_reply', 'swap abort on haproxy01: node: "haproxy05" answered'],
      ['result-unknown', 'no_answer', 'swap finish on haproxy01: no answer'],
      ['usage', 'bad_request', 'swap finish: swap_id: missing'],
      ['usage', 'bad_request', 'find servers: backend: missing'],
    ],
  );
  await links.close();
  t.deepEqual(await failure(calls.storeIntents([], 1000)), [
    'unreachable',
    'peer_unreachable',
    'haproxy01 cannot be reached',
  ]);
});

test('while a message is in flight only the newest heartbeat and report of each node wait', (t) => {
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

test('a peer that takes nothing is given up after the stall time', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const between = await relay(t, server.address);
  const timing = { stallMs: 200, silenceMs: 60_000 };
  const { links, said, connected } = await link(t, world, [between.address], { timing });
  await connected();
  between.freeze();
  const reason = 'x'.repeat(1 << 20);
  for (let i = 0; i < 16; i++) links.send('haproxy01', { kind: 'goodbye', reason });
  const { what, cause } = await said.until(({ what }) => !what.startsWith('connected'));
  t.deepEqual(
    [what, cause],
    ['timeout', `${between.address}: took nothing for 200 ms though connected`],
  );
});

test('an agent killed and an agent frozen look as they should from its peer', async (t) => {
  const world = await createWorld(t);
  const issued = await world.ca.issue(['proxyctl://web/node/haproxy01']);
  const paths = world.write('child', issued);
  const child = spawn(
    process.execPath,
    [new URL('child.js', import.meta.url).pathname, JSON.stringify(paths), world.folder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const address = line.toString().trim();
  const timing = { dialMs: 1000, pingMs: 50, silenceMs: 500 };
  const { said, connected } = await link(t, world, [address], { timing });
  await connected();
  child.kill('SIGSTOP');
  await said.until(({ what }) => what === 'timeout');
  const frozen = said.items.find(({ cause }) => cause.includes('connects'));
  t.is((frozen ?? (await said.until(({ cause }) => cause.includes('connects')))).what, 'timeout');
  child.kill('SIGCONT');
  const from = said.items.length;
  await said.until((one) => said.items.indexOf(one) >= from && one.what.startsWith('connected'));
  const killedMs = performance.now();
  const dead = said.items.length;
  child.kill('SIGKILL');
  await said.until((one) => said.items.indexOf(one) >= dead);
  const end = said.items[dead];
  t.true(end?.what === 'ended' || end?.what === 'reset', end?.what);
  t.true((end?.atMs ?? 0) - killedMs < 200, 'at once');
  await said.until(({ what }) => what === 'refused, no TCP');
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
