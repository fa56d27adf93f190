import test from 'ava';
import { readCrls } from '../../agent/rpc/crl.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import { eventually } from '../record.ts';
import { createCa } from './certificates.ts';
import { link } from './link-world.ts';
import { createWorld, serveWorld, testClock } from './world.ts';

const OURS = ['proxyctl://web/node/haproxy02'];
const THEIRS = ['proxyctl://web/node/haproxy01'];

test('a CA is replaced in three steps while calls go on: none fails, and no link is interrupted', async (t) => {
  const world = await createWorld(t);
  const other = await createCa('web');
  const both = { ...other, certPem: `${world.ca.certPem}\n${other.certPem}` };
  const theirPaths = world.write('haproxy01', await world.ca.issue(THEIRS));
  const ourPaths = world.write('haproxy02', await world.ca.issue(OURS));
  const theirs = createTls(theirPaths, 'web', 'haproxy01', testClock);
  const ours = createTls(ourPaths, 'web', 'haproxy02', testClock);
  const member = { findServers: () => Promise.resolve([]) };
  const server = await serveWorld(t, world, { tls: theirs, member });
  const { links, said, connected } = await link(t, world, [server.address], { tls: ours });
  await connected();

  const ended = new AbortController();
  let done = 0;
  const failed: string[] = [];
  const load = Array.from({ length: 4 }, async () => {
    while (!ended.signal.aborted) {
      await links
        .peerCalls('haproxy01')
        .findServers('', '')
        .then(
          () => done++,
          (error: unknown) => failed.push(String(error)),
        );
    }
  });
  const opened = (): number => said.items.filter(({ what }) => what.startsWith('connected')).length;
  const renewed = async (reload: () => void): Promise<void> => {
    const [before, calls] = [opened(), done];
    reload();
    await said.until(() => opened() > before);
    await eventually(() => done >= calls + 20 || failed.length > 0);
  };
  const [theirNew, ourNew] = [await other.issue(THEIRS), await other.issue(OURS)];
  const keep = (name: string) => world.write(name, name === 'haproxy01' ? theirNew : ourNew, both);

  // Both CAs on both sides, then new certificates on both, then the old CA out on both.
  world.write('haproxy01', await world.ca.issue(THEIRS), both);
  theirs.reload();
  world.write('haproxy02', await world.ca.issue(OURS), both);
  await renewed(() => (ours.reload(), links.renew()));
  keep('haproxy02');
  await renewed(() => (ours.reload(), links.renew()));
  keep('haproxy01');
  theirs.reload();
  world.write('haproxy02', ourNew, other);
  await renewed(() => (ours.reload(), links.renew()));
  world.write('haproxy01', theirNew, other);
  const calls = done;
  theirs.reload();
  await eventually(() => done >= calls + 20 || failed.length > 0);
  ended.abort();
  await Promise.all(load);
  t.deepEqual(failed, []);
  t.deepEqual([...new Set(said.items.map(({ what }) => what))], ['connected haproxy01']);
  const gone = server.heard.items.filter(({ kind }) => kind === 'closed' || kind === 'refused');
  t.deepEqual(gone, []);
});

test('a link ends as soon as its peer is revoked, and says why', async (t) => {
  const world = await createWorld(t);
  const issued = await world.ca.issue(THEIRS);
  const server = await serveWorld(t, world, { tls: await world.tlsOf('haproxy01', issued) });
  const tls = await world.tlsOf('haproxy02');
  const { said, connected } = await link(t, world, [server.address], { tls });
  await connected();
  tls.revoke(readCrls(await world.ca.crl([issued], 1), tls.issuers()));
  const end = await said.until(({ what }) => what === 'rejected');
  t.is(end.cause, `${server.address}: its certificate was revoked`);
  const again = await said.until(
    ({ what, cause }) => what === 'tls' || cause.includes('haproxy01:'),
  );
  t.is(again.cause, `${server.address}: haproxy01: its certificate was revoked`);
});
