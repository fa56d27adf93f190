import test from 'ava';
import {
  afterPushAnswers,
  beginPush,
  nextPushOrder,
  type PushAnswer,
} from '../../agent/core/deploy/push.ts';

/** Runs the machine with these answers a round; orders, how it ended, who broke it, who is lost. */
function played(
  rounds: readonly (readonly PushAnswer['kind'][])[],
  nodes = ['backup', 'master'],
): string {
  let state = beginPush(nodes);
  const orders: string[] = [];
  for (const kinds of rounds) {
    const order = nextPushOrder(state);
    if (order === null) throw new Error('it has ended');
    orders.push(`${order.step} ${order.nodes.join('+')}`);
    state = afterPushAnswers(
      state,
      order.nodes.map((node, at) => ({ node, kind: kinds[at] ?? 'done' })),
    );
  }
  const end = nextPushOrder(state) === null ? state.end : 'goes on';
  return `${orders.join(', ')}: ${end}, ${state.broken}, lost ${state.lost.join('+')}`;
}

test('all check, the BACKUP changes first, and all is kept; a refusal takes all back, itself first', (t) => {
  t.deepEqual(
    [
      played([[], [], [], []]),
      played([['done', 'refused'], []]),
      played([['lost'], ['lost']]),
      played([[], ['refused'], [], []]),
      played([[], ['lost'], ['lost'], []]),
      played([[], [], ['refused'], [], []]),
      played([[], [], ['refused'], ['refused'], []]),
      played([[], [], ['refused'], [], ['lost']]),
      played([[], [], ['lost'], []]),
    ],
    [
      'prepare backup+master, install backup, install master, keep backup+master: pushed, null, lost ',
      'prepare backup+master, back backup+master: refused, master, lost ',
      'prepare backup+master, back backup+master: refused, backup, lost backup',
      'prepare backup+master, install backup, back backup, back master: rolled-back, backup, lost ',
      'prepare backup+master, install backup, back backup, back master: stuck, backup, lost backup',
      'prepare backup+master, install backup, install master, back master, back backup: rolled-back, master, lost ',
      'prepare backup+master, install backup, install master, back master, back backup: stuck, master, lost master',
      'prepare backup+master, install backup, install master, back master, back backup: stuck, master, lost backup',
      'prepare backup+master, install backup, install master, keep backup: stands, master, lost master',
    ],
  );
});

test('of three never two are on their way at once, there and back', (t) => {
  t.deepEqual(
    [
      played([[], [], [], ['refused'], [], [], []], ['a', 'b', 'c']),
      played([[], [], ['refused'], [], [], []], ['a', 'b', 'c']),
      played([[], [], ['lost'], []], ['a', 'b', 'c']),
    ],
    [
      'prepare a+b+c, install a, install b, install c, back c, back b, back a: rolled-back, c, lost ',
      'prepare a+b+c, install a, install b, back b, back a, back c: rolled-back, b, lost ',
      'prepare a+b+c, install a, install b, keep a: stands, b, lost b',
    ],
  );
});
