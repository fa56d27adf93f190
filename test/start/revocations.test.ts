import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { problems as openProblems } from '../../agent/problems.ts';
import { watchOwnCertificate } from '../../agent/start/own-certificate.ts';
import { openRevocations } from '../../agent/start/revocations.ts';
import { tellRoot } from '../../agent/start/tell-root.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';
import { createCa } from '../rpc/certificates.ts';
import { createWorld, serveWorld } from '../rpc/world.ts';
import { link } from '../rpc/link-world.ts';

async function opened(t: ExecutionContext) {
  const world = await createWorld(t);
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-revoked-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const tls = await world.tlsOf('haproxy01');
  const problems = openProblems(new FakeClock(), () => undefined);
  const inForce: string[] = [];
  const open = () =>
    openRevocations({ folder, tls, problems, inForce: (lists) => inForce.push(lists) });
  return { world, tls, problems, inForce, open, file: join(folder, 'revoked.pem') };
}

const codeOf = async (asked: Promise<unknown>): Promise<string> => {
  try {
    return JSON.stringify(await asked);
  } catch (error) {
    return error instanceof ActFailure ? error.detail.code : String(error);
  }
};

test('a list is on disk once it is acknowledged, and in force again after a start', async (t) => {
  const { world, tls, open, file } = await opened(t);
  const anna = await world.operator('anna', 'admin');
  const list = await world.ca.crl([anna], 5);
  const first = await open();
  t.is(first.text(), '');
  t.is(await codeOf(first.store(list)), 'true');
  t.is(readFileSync(file, 'utf8'), list);
  t.is(await codeOf(first.store(list)), 'false');
  tls.revoke([]);
  t.is((await open()).text(), list);
});

test('whoever else goes by the lists hears of them at a start, and when they are new', async (t) => {
  const { world, inForce, open } = await opened(t);
  const [one, two] = [await world.ca.crl([], 5), await world.ca.crl([], 6)];
  const revocations = await open();
  await revocations.store(one);
  await revocations.store(one);
  await revocations.store(two);
  await open();
  t.deepEqual(inForce, [one, two, two]);
});

test('a list that root could not keep is a problem until it has one', async (t) => {
  const problems = openProblems(new FakeClock(), () => undefined);
  const told: string[] = [];
  let full = true;
  const root = {
    refuses: '',
    revocations(lists: string): Promise<void> {
      told.push(lists);
      return full ? Promise.reject(new Error('no room')) : Promise.resolve();
    },
  };
  const seen = () => problems.list().map(({ subject, cause }) => `${subject}: ${cause}`);
  tellRoot(root, problems)('');
  tellRoot({ ...root, refuses: 'not here' }, problems)('list');
  t.deepEqual(told, []);
  tellRoot(root, problems)('list');
  await eventually(() => seen().length > 0);
  t.deepEqual(seen(), [
    'revoked-root: root does not know whose signatures are no longer good: no room',
  ]);
  full = false;
  tellRoot(root, problems)('list');
  await eventually(() => seen().length === 0);
  t.deepEqual(told, ['list', 'list']);
});

test('an older list, a foreign one, and another with the same number change nothing', async (t) => {
  const { world, open, file } = await opened(t);
  const anna = await world.operator('anna', 'admin');
  const list = await world.ca.crl([anna], 5);
  const revocations = await open();
  await revocations.store(list);
  t.deepEqual(
    [
      await codeOf(revocations.store(await world.ca.crl([], 4))),
      await codeOf(revocations.store(await world.ca.crl([], 5))),
      await codeOf(revocations.store(await (await createCa('web')).crl([], 9))),
      await codeOf(revocations.store('nonsense')),
    ],
    ['older_list', 'older_list', 'list_not_trusted', 'list_not_trusted'],
  );
  t.is(readFileSync(file, 'utf8'), list);
});

test('a damaged file is a problem and no reason not to start, and the next list mends it', async (t) => {
  const { world, problems, open, file } = await opened(t);
  writeFileSync(file, 'nonsense');
  const revocations = await open();
  t.deepEqual(
    problems.list().map(({ subject, cause }) => [subject, cause]),
    [['revoked', `${file}: there is no PEM revocation list in it`]],
  );
  await revocations.store(await world.ca.crl([], 1));
  t.deepEqual(problems.list(), []);
});

test('a peer brings the list to another node over the link', async (t) => {
  const { world, tls, open } = await opened(t);
  const revocations = await open();
  const member = { storeRevocations: (list: string) => revocations.store(list) };
  const server = await serveWorld(t, world, { tls, member });
  const { links, connected } = await link(t, world, [server.address]);
  await connected();
  const list = await world.ca.crl([], 3);
  t.is(await codeOf(links.peerCalls('haproxy01').storeRevocations(list)), 'true');
  t.is(revocations.text(), list);
});

test("this node's certificate is an alert 30 days before its end, or when it was revoked", (t) => {
  const DAY_MS = 86_400_000;
  const clock = new FakeClock();
  const from = clock.wallMs();
  const problems = openProblems(clock, () => undefined);
  const says = (days: number, why: 'revoked' | null = null): string[] => {
    const objection = why === null ? null : { why, text: 'its certificate was revoked' };
    const own = () => ({
      notBeforeWallMs: from - 300 * DAY_MS,
      notAfterWallMs: from + days * DAY_MS,
      objection,
    });
    watchOwnCertificate({ own }, clock, problems).stop();
    return problems.list().map(({ cause }) => cause);
  };
  const day = (days: number) => new Date(from + days * DAY_MS).toISOString().slice(0, 10);
  t.deepEqual(
    [says(31), says(29), says(-1), says(300, 'revoked'), says(300)],
    [
      [],
      [`this node's certificate ends on ${day(29)}`],
      [`this node's certificate ended on ${day(-1)}`],
      ['of this node: its certificate was revoked'],
      [],
    ],
  );
});
