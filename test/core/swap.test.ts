import test from 'ava';
import {
  afterAnswers,
  beginSwap,
  nextOrder,
  resolveSwap,
  SWAP_WAIT_MS,
  type SwapAnswer,
  type SwapPhase,
  type SwapWord,
} from '../../agent/core/certs/swap.ts';

/** Runs the machine with these answers a round; orders and how it ended. */
function played(rounds: readonly (readonly SwapAnswer['kind'][])[]) {
  let state = beginSwap(['backup', 'master']);
  const orders: string[] = [];
  for (const kinds of rounds) {
    const order = nextOrder(state);
    if (order === null) throw new Error('it has ended');
    orders.push(`${order.step} ${order.nodes.join('+')}`);
    state = afterAnswers(
      state,
      order.nodes.map((node, at) => ({ node, kind: kinds[at] ?? 'done' })),
    );
  }
  return [orders.join(', '), nextOrder(state) === null ? state.end : 'goes on', state.broken];
}

test('the BACKUP commits first; a refusal rolls all back, a loss after the decision does not', (t) => {
  const [prepare, first, second] = ['prepare backup+master', 'commit backup', 'commit master'];
  const abort = 'abort backup+master';
  t.deepEqual(
    [
      played([[], [], [], []]),
      played([['done', 'refused'], []]),
      played([['lost'], ['lost']]),
      played([[], ['refused'], []]),
      played([[], ['lost'], []]),
      played([[], [], ['refused'], []]),
      played([[], [], ['refused'], ['lost']]),
      played([[], [], ['lost'], []]),
    ],
    [
      [`${prepare}, ${first}, ${second}, finish backup+master`, 'swapped', null],
      [`${prepare}, ${abort}`, 'refused', 'master'],
      // Nobody was told to commit: what is lost there has changed nothing.
      [`${prepare}, ${abort}`, 'refused', 'backup'],
      [`${prepare}, ${first}, ${abort}`, 'refused', 'backup'],
      [`${prepare}, ${first}, ${abort}`, 'refused', 'backup'],
      [`${prepare}, ${first}, ${second}, ${abort}`, 'rolled-back', 'master'],
      [`${prepare}, ${first}, ${second}, ${abort}`, 'stuck', 'master'],
      [`${prepare}, ${first}, ${second}, finish backup`, 'stands', 'master'],
    ],
  );
});

test('a swap that is open aborts before the first verification and completes after it', (t) => {
  type Row = readonly [SwapPhase, boolean, SwapWord | 'silent' | 'running', number, string];
  const early = 0;
  const late = SWAP_WAIT_MS;
  // Phase here, coordinator here, what the other one says, open for so long: what becomes of it.
  const rows: readonly Row[] = [
    ['prepared', true, 'prepared', early, 'abort'],
    ['prepared', false, 'prepared', early, 'abort'],
    ['prepared', true, 'silent', early, 'abort'],
    ['prepared', false, 'silent', early, 'abort'],
    ['prepared', false, 'running', late, 'wait'],
    ['prepared', true, 'committed', early, 'complete'],
    ['prepared', false, 'finished', early, 'complete'],
    ['prepared', false, 'aborted', early, 'abort'],
    ['committing', true, 'unknown', early, 'abort'],
    ['committing', true, 'committed', early, 'complete'],
    ['committing', false, 'aborting', early, 'abort'],
    ['committed', true, 'prepared', early, 'complete'],
    ['committed', true, 'silent', early, 'complete'],
    ['committed', false, 'unknown', early, 'complete'],
    ['committed', false, 'prepared', early, 'complete'],
    ['committed', false, 'committing', early, 'complete'],
    ['committed', false, 'running', late, 'wait'],
    ['committed', false, 'aborting', early, 'abort'],
    ['committed', false, 'aborted', late, 'abort'],
    ['committed', false, 'silent', early, 'wait'],
    ['committed', false, 'silent', late - 1, 'wait'],
    ['committed', false, 'silent', late, 'complete'],
    // The note of one that is not the coordinator says of itself only.
    ['committed', true, 'aborting', early, 'complete'],
    ['aborting', true, 'committed', late, 'abort'],
    ['aborting', false, 'silent', late, 'abort'],
    ['aborted', true, 'committed', late, 'abort'],
  ];
  t.deepEqual(
    rows.map(([phase, coordinator, says, openMs]) => {
      const standing =
        says === 'silent'
          ? null
          : says === 'running'
            ? { phase: 'prepared' as const, running: true }
            : { phase: says, running: false };
      const others = [{ node: 'other', coordinator: !coordinator, standing }];
      const { act } = resolveSwap({ phase, coordinator, others, openMs });
      return [phase, coordinator, says, openMs, act];
    }),
    rows,
  );
});

const others = (...list: readonly (readonly [string, boolean, SwapWord | null, boolean?])[]) =>
  list.map(([node, coordinator, phase, running = false]) => ({
    node,
    coordinator,
    standing: phase === null ? null : { phase, running },
  }));

test('what becomes of an open swap is said with the node that decides it', (t) => {
  const of = (phase: SwapPhase, list: ReturnType<typeof others>, openMs = 0) => {
    const { act, because } = resolveSwap({ phase, coordinator: false, others: list, openMs });
    return `${act}: ${because}`;
  };
  const two = (word: SwapWord | null, coordinator = true, running = false) =>
    others(['n2', false, 'prepared'], ['n3', coordinator, word, running]);
  t.is(of('committed', two('committing', true, true)), 'wait: n3 carries it out');
  t.is(of('aborting', two('finished')), 'abort: it was taken back');
  t.is(of('committed', two('aborted')), 'abort: n3 took it back');
  t.is(of('committed', two('aborted', false)), 'complete: it was verified here');
  t.is(of('prepared', two('committed')), 'complete: n3 has it');
  t.is(of('prepared', two('finished')), 'complete: n3 has it');
  t.is(of('committing', two('unknown')), 'abort: no node had verified it');
  t.is(
    of('committed', two(null), SWAP_WAIT_MS - 1),
    'wait: n3, which carried it out, does not answer',
  );
  t.is(of('committed', two(null), SWAP_WAIT_MS), 'complete: it was verified here');
  t.is(of('committed', two(null, false)), 'complete: it was verified here', 'no coordinator');
  t.is(of('committed', []), 'complete: it was verified here');
});

test('three nodes: one after the other commits, and only those that have it finish', (t) => {
  const answer = (node: string, kind: SwapAnswer['kind'] = 'done') => ({ node, kind });
  const order = ['n1', 'n2', 'n3'];
  const begun = beginSwap(order);
  t.deepEqual(begun, {
    order,
    begun: false,
    stage: 'prepare',
    done: [],
    lost: [],
    broken: null,
    end: null,
  });
  const prepared = afterAnswers(
    begun,
    order.map((node) => answer(node)),
  );
  t.deepEqual(prepared, { ...begun, begun: true, stage: 'commit' });
  const one = afterAnswers(prepared, [answer('n1')]);
  t.deepEqual(one, { ...prepared, done: ['n1'] });
  t.deepEqual(nextOrder(one), { step: 'commit', nodes: ['n2'] });
  const lost = afterAnswers(one, [answer('n2', 'lost')]);
  t.deepEqual(lost, { ...one, stage: 'finish', broken: 'n2', lost: ['n2'] });
  t.deepEqual(nextOrder(lost), { step: 'finish', nodes: ['n1'] });
  t.deepEqual(afterAnswers(lost, []), { ...lost, stage: 'end', end: 'stands' });
  const refused = afterAnswers(one, [answer('n2', 'refused')]);
  t.deepEqual(refused, { ...one, stage: 'abort', broken: 'n2' });
  t.deepEqual(nextOrder(refused), { step: 'abort', nodes: order });
  const stuck = afterAnswers(refused, [answer('n1'), answer('n3', 'lost')]);
  t.deepEqual(stuck, { ...refused, stage: 'end', lost: ['n3'], end: 'stuck' });
  t.is(nextOrder(stuck), null);
  t.is(afterAnswers(stuck, [answer('n1', 'lost')]), stuck);
});
