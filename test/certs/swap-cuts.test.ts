import test from 'ava';
import { describe } from '../../agent/certs/describe.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { pushCertificate } from '../../agent/verbs/push.ts';
import { bundle, issue } from './bundles.ts';
import { cutEverywhere, header, KINDS, pushedWith } from './cuts.ts';
import { reload } from './swap-host.ts';
import { SwapWorld, type Cut } from './swap-world.ts';

const PATHS = ['/a', '/b'];
const pems = async (): Promise<ReadonlyMap<string, string>> =>
  new Map(
    await Promise.all(
      PATHS.map(async (path): Promise<[string, string]> => {
        const name = `${path.slice(1)}.test`;
        return [path, bundle(await issue({ subject: `CN=${name}`, names: [name] }))];
      }),
    ),
  );
const before = await pems();
const after = await pems();
const sha1 = (text: string | undefined): string => describe(text ?? '')?.sha1 ?? 'none';
const OLD = PATHS.map((path) => sha1(before.get(path)));
const NEW = PATHS.map((path) => sha1(after.get(path)));
/** Pushes both bundles from n1. */
const pushed = (world: SwapWorld, cut: Cut | null): Promise<ActResult | null> =>
  pushedWith(
    world,
    cut,
    PATHS.map((path) => ({ path, pem: after.get(path) ?? '' })),
  );

const everywhere = (world: SwapWorld) =>
  world.hosts.map(({ node, disk, beside, memory, transaction, journals }) => ({
    memory: PATHS.map((path) => sha1(memory.get(path))),
    disk: PATHS.map((path) => sha1(disk.get(path))),
    transaction,
    beside: [...beside.keys()],
    journals: [...journals.keys()],
    problems: world.problems.get(node)?.list() ?? [],
  }));

const all = (fingerprints: readonly string[]) =>
  ['n1', 'n2'].map(() => ({
    memory: fingerprints,
    disk: fingerprints,
    transaction: null,
    beside: [],
    journals: [],
    problems: [],
  }));

test('uncut, both nodes end on the new certificates, decided and with nothing left open', async (t) => {
  const world = new SwapWorld(before);
  const result = await pushed(world, null);
  t.like(result, { outcome: 'reached', changed: true });
  t.deepEqual(everywhere(world), all(NEW));
  const decided = PATHS.map((path) => describe(after.get(path) ?? '')?.sha256);
  t.deepEqual(
    world.hosts.map(({ intents }) => [...intents.values()].map(({ value }) => value)),
    [decided, decided],
  );
});

for (const kind of KINDS)
  test(`${kind} at every step of either node: both end on the same certificates`, async (t) => {
    const world = (): SwapWorld => new SwapWorld(before);
    const trial = { world, push: pushed, everywhere, old: all(OLD), new: all(NEW) };
    const { wrong, ends } = await cutEverywhere(trial, kind);
    t.deepEqual(wrong.slice(0, 2), [], `${wrong.length} cuts`);
    // Cuts before the decision and after it were both among them.
    t.true(ends.old > 5 && ends.new > 5, JSON.stringify(ends));
    t.log(JSON.stringify(ends));
  });

const isAll = (found: unknown, fingerprints: readonly string[]): boolean =>
  JSON.stringify(found) === JSON.stringify(all(fingerprints));

test('a node that was away, and one whose HAProxy was reloaded with an old file, come to the decided version', async (t) => {
  const world = new SwapWorld(before);
  const second = world.host('n2');
  second.agentDead = true;
  const risky = { ...header, acceptRisks: ['peer-unknown' as const] };
  const bundles = PATHS.map((path) => ({ path, pem: after.get(path) ?? '' }));
  const result = await pushCertificate(world.pair('n1'), { header: risky, bundles }, () => {});
  t.is(result.outcome, 'partial');
  t.deepEqual(
    everywhere(world).map(({ memory }) => memory),
    [NEW, OLD],
  );
  await world.heal();
  t.deepEqual(everywhere(world), all(NEW));

  for (const [path, pem] of before) second.disk.set(path, pem);
  reload(second);
  await world.heal();
  t.deepEqual(everywhere(world), all(NEW));
});

test('a file that is newer than the decided version is left, and said', async (t) => {
  const world = new SwapWorld(before);
  await pushed(world, null);
  const second = world.host('n2');
  const names = ['a.test'];
  const byHand = bundle(
    await issue({ subject: 'CN=a.test', names, notBefore: '2026-03-01T00:00:00Z' }),
  );
  second.disk.set('/a', byHand);
  reload(second);
  await world.heal();
  t.deepEqual(
    everywhere(world).map(({ memory, disk, problems }) => ({
      memory: memory[0],
      disk: disk[0],
      problems: problems.map(({ subject, cause }) => `${subject}: ${cause}`),
    })),
    [
      { memory: NEW[0], disk: NEW[0], problems: [] },
      {
        memory: sha1(byHand),
        disk: sha1(byHand),
        problems: [
          'certificate /a: the file is newer than the decided version: somebody installed it by hand',
        ],
      },
    ],
  );
});

test('a bundle too large for the runtime API goes by file and reload, and by file and reload back', async (t) => {
  const many = Array.from({ length: 900 }, (_, at) => `name-${at}.a.test`);
  const names = ['a.test', ...many];
  const large = bundle(await issue({ subject: 'CN=a.test', names }));
  t.true(large.length > 16_000, `${large.length} bytes`);
  const push = async (world: SwapWorld, cut: Cut | null) => {
    void world.cut(cut);
    const bundles = [{ path: '/a', pem: large }];
    return pushCertificate(world.pair('n1'), { header, bundles }, () => {});
  };
  const fingerprints = (world: SwapWorld) =>
    world.hosts.map(({ disk, memory, done }) => [
      sha1(disk.get('/a')),
      sha1(memory.get('/a')),
      done.filter((step) => step === 'stage' || step === 'reload'),
    ]);
  const good = new SwapWorld(before);
  t.is((await push(good, null)).outcome, 'reached');
  const there = [sha1(large), sha1(large), ['reload']];
  t.deepEqual(fingerprints(good), [there, there]);

  // The second node's disk is full before it begins its commit: the first, which has it, goes back
  // the same way.
  const steps = good.host('n2').done;
  const bad = new SwapWorld(before);
  const at = steps.lastIndexOf('rename') - 2;
  const refused = await push(bad, { node: 'n2', at, kind: 'disk-full' });
  t.is(refused.outcome, 'failed');
  t.is(bad.host('n1').done.filter((step) => step === 'reload').length, 2);
  t.deepEqual(
    bad.hosts.map(({ disk, memory }) => [sha1(disk.get('/a')), sha1(memory.get('/a'))]),
    [
      [OLD[0], OLD[0]],
      [OLD[0], OLD[0]],
    ],
  );
});

test('nodes of different layouts: the key keeps its own file, and a cut after any step ends as one', async (t) => {
  const layout = (world: SwapWorld) => [...world.host('n2').disk];
  const [OLD_FILES, NEW_FILES] = [before, after].map((pems) => layout(new SwapWorld(pems, ['n2'])));
  const plain = new SwapWorld(before, ['n2']);
  t.is((await pushed(plain, null))?.outcome, 'reached');
  t.deepEqual(everywhere(plain), all(NEW));
  t.deepEqual(layout(plain).sort(), NEW_FILES?.sort());
  const wrong: unknown[] = [];
  const ends = { new: 0, old: 0 };
  for (const kind of ['agent-killed', 'disk-full', 'peer-lost'] as const)
    for (let at = 0; at < plain.host('n2').steps; at++) {
      const world = new SwapWorld(before, ['n2']);
      await pushed(world, { node: 'n2', at, kind });
      const where = `${kind} after ${world.host('n2').done[at] ?? ''} (${at})`;
      await world.heal();
      const end = isAll(everywhere(world), NEW) ? 'new' : 'old';
      ends[end]++;
      const files = end === 'new' ? NEW_FILES : OLD_FILES;
      const good = end === 'new' || isAll(everywhere(world), OLD);
      if (!good || JSON.stringify(layout(world).sort()) !== JSON.stringify(files?.sort()))
        wrong.push({ where, end, found: everywhere(world), files: layout(world) });
    }
  t.deepEqual(wrong.slice(0, 1), [], `${wrong.length} cuts`);
  t.true(ends.old > 5 && ends.new > 5, JSON.stringify(ends));
});

test('a node whose key has a file of its own catches up from one that has one file', async (t) => {
  const world = new SwapWorld(before, ['n2']);
  const second = world.host('n2');
  second.agentDead = true;
  const risky = { ...header, acceptRisks: ['peer-unknown' as const] };
  const bundles = PATHS.map((path) => ({ path, pem: after.get(path) ?? '' }));
  await pushCertificate(world.pair('n1'), { header: risky, bundles }, () => {});
  await world.heal();
  t.deepEqual(everywhere(world), all(NEW));
  t.deepEqual([...second.disk].sort(), [...new SwapWorld(after, ['n2']).host('n2').disk].sort());
  const inspected = await world.member('n1', 'n2').inspectCertificates(false);
  t.deepEqual(
    inspected.map(({ path, disk, sha256, problem }) => [path, disk, sha256, problem]),
    PATHS.map((path, at) => [path, NEW[at], describe(after.get(path) ?? '')?.sha256, '']),
  );
});
