import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import test from 'ava';
import { createTls } from '../../agent/rpc/tls.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { createCa } from './certificates.ts';
import { createWorld, helloOf, serveWorld } from './world.ts';
import { link, listenRaw, relay, tlsListener, heartbeat } from './link-world.ts';

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

test('a link that waits for its next try dials at once when the peer is heard of', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const port = await relay(t, server.address);
  let waits = 0;
  // A clock under which the first retry (50 ms) never comes.
  const clock = {
    ...systemClock,
    after(ms: number, callback: () => void) {
      if (ms !== 50) return systemClock.after(ms, callback);
      waits++;
      return () => undefined;
    },
  };
  const { links, said, connected } = await link(t, world, [port.address], { clock });
  await connected();
  port.end();
  await said.until(({ what }) => what.startsWith('ended') || what.startsWith('reset'));
  const from = said.items.length;
  links.hurry('haproxy01');
  await said.until((one) => said.items.indexOf(one) >= from && one.what.startsWith('connected'));
  // Connected, or no peer of ours: nothing to hurry.
  links.hurry('haproxy01');
  links.hurry('haproxy09');
  t.deepEqual([waits, said.items.length], [1, from + 1]);
});

test('every address is tried in turn, and the link stays with the one that answered', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world, { listen: ['[::1]:0'] });
  const nobody = await listenRaw(t, () => undefined);
  nobody.server.close();
  // It reads, so that it sees the end, and says nothing.
  const mute = await listenRaw(t, (socket) => socket.resume());
  const timing = { dialMs: 1500 };
  const { said } = await link(t, world, [nobody.address, mute.address, server.address], {
    timing,
  });
  await said.until(({ what }) => what.startsWith('connected'));
  t.deepEqual(
    said.items.map(({ what }) => what),
    ['connected haproxy01'],
    'an address in vain is not news while another answers',
  );
  const [left] = mute.sockets;
  if (left?.closed === false) await once(left, 'close');
  t.true(left?.closed, 'the connection to the mute one is not left behind');
});

test('a newer stream of a node takes the place of an older one without a word of its end', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const between = await relay(t, server.address);
  const timing = { dialMs: 3000, pingMs: 40, silenceMs: 1000 };
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
