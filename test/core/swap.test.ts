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
      [`${prepare}, ${abort}`, 'stuck', 'backup'],
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
