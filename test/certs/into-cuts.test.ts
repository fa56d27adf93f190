import test from 'ava';
import type { ActHeader } from '../../agent/core/acts.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { bundle, issue } from './bundles.ts';
import { cutEverywhere, KINDS, pushedWith } from './cuts.ts';
import { LIST, reload } from './swap-host.ts';
import { SwapWorld, type Cut } from './swap-world.ts';

const site = async (name: string): Promise<string> =>
  bundle(await issue({ subject: `CN=${name}`, names: [name] }));
const before = new Map([
  ['/a', await site('a.test')],
  ['/b', await site('b.test')],
]);
const fresh = await site('c.test');
const TEXT = '# ours\n/b\n/a\n';
const LINE = '/c c.test !x.c.test';
/** Pushes the new certificate from n1. */
const pushed = (
  world: SwapWorld,
  cut: Cut | null,
  more: Partial<ActHeader> = {},
): Promise<ActResult | null> => {
  const into = { list: LIST, filters: ['c.test', '!x.c.test'] };
  return pushedWith(world, cut, [{ path: '/c', pem: fresh, into }], more);
};

const world = (): SwapWorld => new SwapWorld(before, [], TEXT);

const everywhere = ({ hosts, problems }: SwapWorld) =>
  hosts.map(({ node, disk, beside, memory, lists, transaction, journals }) => ({
    disk: Object.fromEntries([...disk].sort()),
    memory: Object.fromEntries([...memory].sort()),
    listed: lists.get(LIST),
    transaction,
    beside: [...beside.keys()],
    journals: [...journals.keys()],
    problems: problems.get(node)?.list() ?? [],
  }));

const all = (more: Record<string, string>, list: string, listed: readonly string[]) =>
  ['n1', 'n2'].map(() => ({
    disk: { ...Object.fromEntries(before), ...more, [LIST]: list },
    memory: { ...Object.fromEntries(before), ...more },
    listed,
    transaction: null,
    beside: [],
    journals: [],
    problems: [],
  }));
const OLD = all({}, TEXT, ['/b', '/a']);
const NEW = all({ '/c': fresh }, `${TEXT}${LINE}\n`, ['/b', '/a', LINE]);
test('uncut, both nodes have the new certificate in memory, on disk and in the list', async (t) => {
  const plain = world();
  const result = await pushed(plain, null);
  t.like(result, { outcome: 'reached', changed: true });
  t.deepEqual(everywhere(plain), NEW as never);
  // What HAProxy loads at its next start.
  for (const host of plain.hosts) reload(host);
  t.deepEqual(everywhere(plain), NEW as never);
});

for (const kind of KINDS)
  test(`a new certificate, ${kind} at every step of either node: on both nodes or on none`, async (t) => {
    const trial = { world, push: pushed, everywhere, old: OLD, new: NEW };
    const { wrong, ends } = await cutEverywhere(trial, kind);
    t.deepEqual(wrong.slice(0, 1), [], `${wrong.length} cuts`);
    t.true(ends.old > 5 && ends.new > 5, JSON.stringify(ends));
    t.log(JSON.stringify(ends));
  });

test('with a node away nothing is added, whatever risk is accepted', async (t) => {
  const one = world();
  one.host('n2').agentDead = true;
  const error = await t.throwsAsync(pushed(one, null, { acceptRisks: ['peer-unknown'] }));
  t.like(error, {
    outcome: 'unreachable',
    detail: {
      code: 'agent_unreachable',
      cause: 'a node that is away could not be brought to a new certificate',
      remediation: 'on n2: service proxyagent status',
    },
  });
  t.deepEqual(everywhere(one), OLD as never);
});

test('a line that somebody else adds to the list meanwhile outlives the undo', async (t) => {
  const one = world();
  const swap = { swapId: 's1', pem: fresh };
  const n1 = one.member('n1', 'n1');
  await n1.swapPrepare({
    swapId: swap.swapId,
    bundles: [{ path: '/c', pem: swap.pem, into: { list: LIST, filters: [] } }],
    dryRun: false,
    acceptRisks: [],
    coordinator: 'n1',
    members: ['n1'],
    stamp: { wallMs: 1, count: 0, node: 'n1' },
    actor: 'anna',
    reason: '',
  });
  await n1.swapCommit(swap.swapId);
  const { disk, lists } = one.host('n1');
  disk.set(LIST, `${disk.get(LIST) ?? ''}/a other.test\n`);
  await n1.swapAbort(swap.swapId);
  t.deepEqual(
    [disk.get(LIST), disk.has('/c'), lists.get(LIST)],
    [`${TEXT}/a other.test\n`, false, ['/b', '/a']],
  );
});
