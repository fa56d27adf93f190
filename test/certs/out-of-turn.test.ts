import test from 'ava';
import { nodeSwap } from '../../agent/certs/swap.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { bundle, issue } from './bundles.ts';
import { prepareOf } from './real-host.ts';
import { partsOf } from './swap-host.ts';
import { SwapWorld } from './swap-world.ts';

const made = async (name: string): Promise<string> =>
  bundle(await issue({ subject: `CN=${name}`, names: [`${name}.test`] }));

/** A host in memory with two certificates, and two swaps of them. */
async function host() {
  const [a, b] = [await made('a'), await made('b')];
  const world = new SwapWorld(
    new Map([
      ['/a', a],
      ['/b', b],
    ]),
  );
  const one = world.host('n1');
  const swap = nodeSwap(partsOf(one, () => undefined));
  const first = prepareOf('s1', [
    { path: '/a', pem: await made('a') },
    { path: '/b', pem: await made('b') },
  ]);
  const other = prepareOf('s2', [{ path: '/a', pem: await made('a') }]);
  return { one, swap, first, other };
}
async function refused(run: Promise<unknown>) {
  try {
    await run;
  } catch (error) {
    if (error instanceof ActFailure)
      return [error.detail.code, error.detail.message, error.detail.cause];
    throw error;
  }
  return 'done';
}

test('a second swap is refused while one is open, and the same id for another bundle', async (t) => {
  const { swap, first, other } = await host();
  await swap.prepare(first);
  t.deepEqual(await refused(swap.prepare(other)), [
    'swap_open',
    'swap s1 of /a and 1 more is open on n1',
    'it is prepared',
  ]);
  t.deepEqual(await refused(swap.prepare({ ...other, swapId: 's1' })), [
    'swap_id_used',
    'swap s1 on n1 is about another bundle',
    'it replaces /a and 1 more',
  ]);
  const [one] = first.bundles;
  const mixed = [one, { ...other.bundles[0], path: '/b' }] as typeof first.bundles;
  t.is((await refused(swap.prepare({ ...first, bundles: mixed })))[0], 'swap_id_used');
  t.is(await refused(swap.prepare(first)), 'done', 'said twice it is the same');
});

test('a step out of turn is refused with the phase, and one of an unknown swap is told as such', async (t) => {
  const { swap, first } = await host();
  t.deepEqual(await refused(swap.commit('s1')), [
    'swap_unknown',
    'no swap s1 is open on n1',
    'it was not prepared here, or has been taken back',
  ]);
  t.deepEqual(
    [await swap.abort('s1'), await swap.finish('s1'), await swap.complete('s1')],
    [null, null, null],
  );
  t.deepEqual(await swap.state('s1'), { phase: 'unknown' });
  await swap.prepare(first);
  t.deepEqual(await refused(swap.finish('s1')), [
    'swap_phase',
    'finish swap s1 on n1: it is prepared',
    'it replaces /a and 1 more',
  ]);
  await swap.commit('s1');
  t.deepEqual(await swap.state('s1'), { phase: 'committed' });
  t.is((await refused(swap.prepare(first)))[0], 'swap_phase');
  t.is(await swap.tidy(), false);
  await swap.finish('s1');
  t.deepEqual(await swap.state('s1'), { phase: 'finished' });
  t.is(await swap.tidy(), true);
});

test('taken back, what is served and on disk is what was before, and nothing completes it', async (t) => {
  const { one, swap, first } = await host();
  const before = new Map(one.disk);
  // The note of the coordinator stays until every other member has confirmed it.
  const { certificates } = await swap.prepare({ ...first, members: ['n1', 'n2'] });
  await swap.commit('s1');
  t.notDeepEqual(one.disk, before);
  const back = await swap.abort('s1');
  t.deepEqual([one.disk, one.memory], [before, before]);
  t.deepEqual(
    back?.certificates.map(({ path, fingerprint }) => [path, fingerprint]),
    certificates.map(({ path, fingerprintBefore }) => [path, fingerprintBefore]),
  );
  t.deepEqual(await swap.state('s1'), { phase: 'aborted' });
  t.is((await refused(swap.complete('s1')))[0], 'swap_phase');
  t.is((await refused(swap.commit('s1')))[0], 'swap_phase');
  await swap.forget('s1');
  t.deepEqual(await swap.state('s1'), { phase: 'unknown' });
});

test('what touched nothing is not kept; a swap with anything new is', async (t) => {
  const { one, swap, first } = await host();
  const same = [...one.disk].map(([path, pem]) => ({ path, pem }));
  const through = async (request: typeof first) => {
    await swap.prepare(request);
    await swap.complete(request.swapId);
    return (await swap.kept()).map(({ swapId }) => swapId);
  };
  t.deepEqual(await through({ ...first, swapId: 's0', bundles: same }), []);
  const half = [same[0], first.bundles[1]] as typeof first.bundles;
  t.deepEqual(await through({ ...first, bundles: half }), ['s1']);
});

test('a dry run stages nothing that stays, and says where files cannot be written', async (t) => {
  const { one, swap, first } = await host();
  await swap.prepare({ ...first, dryRun: true });
  t.deepEqual([one.beside.size, one.journals.size], [0, 0]);
  t.true(one.done.includes('stageFile'));
  one.diskFull = true;
  t.not(await refused(swap.prepare({ ...first, dryRun: true })), 'done');
});

test('what can neither be made nor put back is told with both causes, and may be said again', async (t) => {
  const { one, swap, first } = await host();
  await swap.prepare(first);
  one.haproxyUp = false;
  const error = await t.throwsAsync(swap.commit('s1'), { instanceOf: ActFailure });
  const { code, message, cause, retryable } = error.detail;
  t.deepEqual([code, cause, retryable], ['not_put_back', '', true]);
  t.regex(message, /^swap \/a and 1 more on n1: .*; put \/a and 1 more back on n1: /);
});
