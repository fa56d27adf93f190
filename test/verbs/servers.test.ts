import { NO_OLDER } from '../../agent/haproxy/older-sessions.ts';
import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import type { Intent } from '../../agent/core/model.ts';
import { setWeights } from '../../agent/verbs/weights.ts';
import { serverReading } from '../core/builders.ts';
import { Nodes, HEADER } from './nodes.ts';

test('it waits until three counts in a row find no session and none that came and went', async (t) => {
  const nodes = new Nodes();
  nodes.sessions = [2, 1];
  let counts = 0;
  nodes.onCount = () => {
    counts++;
    if (counts === 3) nodes.sessions = [0, 1];
    if (counts === 4) nodes.sessions = [0, 0];
    // One came and went unseen between two counts: only the total tells.
    if (counts === 6) nodes.totals = [1, 0];
  };
  const { outcome, changed, servers } = await nodes.set('drain', 'leave');
  t.deepEqual(
    [outcome, changed, servers.map(({ after }) => after)],
    ['reached', true, ['drain', 'drain']],
  );
  t.deepEqual(
    nodes.said.filter(({ step }) => step === 'draining').map(({ text, part }) => [text, part]),
    [
      ['3 sessions left: WEB/web1 2 on a, 1 on b', { done: 0, of: 3 }],
      ['1 session left: WEB/web1 1 on b', { done: 2, of: 3 }],
      ['0 sessions left', { done: 3, of: 3 }],
    ],
  );
  // One before, the counts up to three quiet ones after the sixth, one afterwards.
  t.is(counts, 10);
});

test('sessions that stay: leave, maint, kill and fail at the deadline', async (t) => {
  const seen: unknown[] = [];
  for (const wait of ['leave', 'maint', 'kill', 'fail'] as const) {
    const nodes = new Nodes();
    nodes.sessions = [2, 0];
    const { outcome, changed, error, nodes: rows } = await nodes.set('drain', wait);
    const stored = nodes.intents.get('server//WEB/web1');
    seen.push([wait, outcome, changed, error?.code ?? '', stored?.value, nodes.shut.length]);
    t.deepEqual(
      rows.map(({ node, ok }) => [node, ok]),
      [
        ['a', wait === 'kill' || wait === 'fail'],
        ['b', true],
      ],
    );
  }
  t.deepEqual(seen, [
    ['leave', 'partial', true, 'sessions_left', 'drain', 0],
    ['maint', 'partial', true, 'sessions_left', 'maint', 0],
    ['kill', 'reached', true, '', 'maint', 2],
    ['fail', 'failed', false, 'sessions_left', '', 0],
  ]);
});

test('--then fail puts back what was wished before, not ready', async (t) => {
  const nodes = new Nodes();
  await nodes.set('drain');
  nodes.sessions = [1, 0];
  const { outcome } = await nodes.set('maint', 'fail');
  t.deepEqual([outcome, nodes.intents.get('server//WEB/web1')?.value], ['failed', 'drain']);
});

test('already drained and still busy: it waits all the same, and fail leaves what was not its own', async (t) => {
  const nodes = new Nodes();
  await nodes.set('drain');
  nodes.sessions = [1, 0];
  const left = await nodes.set('drain', 'fail');
  t.deepEqual([left.outcome, left.changed], ['failed', false]);
  t.is(nodes.intents.get('server//WEB/web1')?.value, 'drain');
  nodes.sessions = [0, 0];
  const done = await nodes.set('drain', 'fail');
  t.deepEqual([done.outcome, done.changed], ['reached', false]);
});

test('clients that stick to a drained server are said, with what to do', async (t) => {
  const nodes = new Nodes();
  nodes.sessions = [1, 0];
  nodes.onCount = () => (nodes.totals = [(nodes.totals[0] ?? 0) + 2, 0]);
  const { error } = await nodes.set('drain', 'leave', { timeoutMs: 900 });
  t.regex(error?.cause ?? '', /^WEB\/web1 still gets clients that stick to it, \d+ since it was/);
  t.regex(error?.remediation ?? '', /proxyctl maint sends them elsewhere/);
});

test('a node that cannot be counted is not counted as idle', async (t) => {
  const nodes = new Nodes();
  let counts = 0;
  nodes.onCount = () => {
    if (++counts === 2) nodes.silent = 1;
    if (counts === 20) nodes.silent = null;
  };
  const { outcome } = await nodes.set('drain', 'leave', { timeoutMs: 10_000 });
  t.is(outcome, 'reached');
  t.true(counts > 20);
  t.true(nodes.said.some(({ text }) => text === '0 sessions left; b not counted'));
});

test('somebody wants it otherwise while it waits: a conflict that names them', async (t) => {
  const nodes = new Nodes();
  nodes.sessions = [1, 0];
  let counts = 0;
  nodes.onCount = () => {
    const mine = nodes.intents.get('server//WEB/web1');
    if (++counts !== 4 || mine === undefined) return;
    const stamp = { ...mine.stamp, count: mine.stamp.count + 1 };
    const theirs: Intent = { ...mine, value: '', deleted: true, actor: 'bert', stamp };
    nodes.intents = new Map([...nodes.intents, [theirs.key, theirs]]);
  };
  const { outcome, error } = await nodes.set('drain', 'kill');
  t.deepEqual([outcome, error?.message], ['conflict', 'bert changed it while this waited']);
  t.deepEqual(nodes.shut, []);
});

test('the other agent is away: the wait is for this node, and partial', async (t) => {
  const nodes = new Nodes();
  nodes.away = true;
  nodes.sessions = [0, 5];
  const { outcome, nodes: rows } = await nodes.set('drain', 'leave');
  t.is(outcome, 'partial');
  t.deepEqual(
    rows.map(({ node, ok, error }) => [node, ok, error?.code ?? '']),
    [
      ['a', true, ''],
      ['b', false, 'agent_unreachable'],
    ],
  );
});

test('ready ends when the servers are up, and is partial when their check does not pass in time', async (t) => {
  const nodes = new Nodes();
  await nodes.set('maint');
  nodes.downMs = nodes.clock.nowMs() + 900;
  t.is((await nodes.set('ready')).outcome, 'reached');
  t.true(nodes.clock.nowMs() >= nodes.downMs);
  await nodes.set('maint');
  nodes.downMs = Infinity;
  const { outcome, error } = await nodes.set('ready');
  t.deepEqual([outcome, error?.code], ['partial', 'check_not_passed']);
});

test('the last server counts backups, and several targets are one question', async (t) => {
  const nodes = new Nodes();
  const refused = async (): Promise<string> => {
    const both = nodes.set('drain', null, {}, ['WEB/web1', 'WEB/web2']);
    const { detail } = await t.throwsAsync(both, { instanceOf: ActFailure });
    return `${detail.code}: ${detail.message}`;
  };
  t.is(await refused(), 'last_server: WEB would have no server left on a');
  nodes.backups.push(serverReading({ name: 'spare', backup: true, status: 'DOWN' }));
  t.is(await refused(), 'last_server: WEB would have no server left on a');
  nodes.backups.splice(0, 1, serverReading({ name: 'spare', backup: true, weight: 0 }));
  t.is(await refused(), 'last_server: WEB would have no server left on a');
  nodes.backups.splice(0, 1, serverReading({ name: 'spare', backup: true }));
  t.is((await nodes.set('drain', null, {}, ['WEB/web1', 'WEB/web2'])).outcome, 'reached');
});

test('a share that rounds to 0 is said, and a dry run shows the weight that would come of it', async (t) => {
  const nodes = new Nodes();
  const said: string[] = [];
  const act = { header: HEADER, targets: ['WEB/web1'], weight: '50%', untilMs: null };
  const { servers } = await nodes.run((pair, report) =>
    setWeights(pair, { ...act, header: { ...HEADER, dryRun: true } }, (one) => {
      if (one.step === 'warning') said.push(one.text);
      report(one);
    }),
  );
  t.deepEqual(said, ['50% of so small a weight is 0: no new sessions for WEB/web1']);
  t.deepEqual(
    servers.map(({ node, before, after }) => [node, before, after]),
    [
      ['a', '1', '0'],
      ['b', '1', '0'],
    ],
  );
});

test('a weight HAProxy refuses is taken back on every node, with its words', async (t) => {
  const nodes = new Nodes();
  nodes.refusal =
    "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";
  const act = { header: HEADER, targets: ['WEB/web1'], weight: '1', untilMs: null };
  const running = nodes.run((pair, say) => setWeights(pair, { ...act, weight: '7' }, say));
  const { outcome, error } = await running;
  t.is(error?.code, 'weight_refused');
  t.is(error?.cause, nodes.refusal);
  t.is(nodes.intents.get('weight//WEB/web1')?.deleted, true);
  // The stand-in refuses the taking back as well: that is not nothing changed.
  t.is(outcome, 'partial');
});

test('an older process that cannot be asked is waited for until it has ended', async (t) => {
  const nodes = new Nodes();
  nodes.uncounted = [0, 1];
  let counts = 0;
  nodes.onCount = () => {
    if (++counts === 6) nodes.uncounted = [0, 0];
  };
  const { outcome } = await nodes.set('drain', 'leave');
  t.is(outcome, 'reached');
  // Five with it there, three quiet ones, one afterwards.
  t.is(counts, 9);
  t.deepEqual(
    nodes.said.filter(({ step }) => step === 'draining').map(({ text }) => text),
    ['0 sessions left; 1 older HAProxy process on b not counted', '0 sessions left'],
  );
});

test('one that does not end is said, and is no session that is left: leave, kill and fail', async (t) => {
  const seen: unknown[] = [];
  for (const wait of ['leave', 'kill', 'fail'] as const) {
    const nodes = new Nodes();
    nodes.uncounted = [1, 0];
    const { outcome, error, nodes: rows } = await nodes.set('drain', wait);
    seen.push([wait, outcome, error?.code, rows.map(({ error: own }) => own?.code ?? '')]);
  }
  t.deepEqual(seen, [
    ['leave', 'partial', 'sessions_not_counted', ['sessions_not_counted', '']],
    ['kill', 'partial', 'sessions_not_counted', ['sessions_not_counted', '']],
    ['fail', 'failed', 'sessions_not_counted', ['', '']],
  ]);
});

test('a server that a reload took out while it is drained may have sessions in the process before', async (t) => {
  const nodes = new Nodes();
  let counts = 0;
  nodes.onCount = () => {
    counts++;
    if (counts === 3) {
      nodes.gone = [['web1'], ['web1']];
      nodes.older = [{ ...NO_OLDER, processes: 1, sessions: 2 }, NO_OLDER];
    }
    if (counts === 6) nodes.older = [NO_OLDER, NO_OLDER];
  };
  const { outcome } = await nodes.set('drain', 'leave');
  t.is(outcome, 'reached');
  t.true(counts >= 8, 'not while the process before has sessions');
  t.deepEqual(
    nodes.said.filter(({ step }) => step === 'draining').map(({ text }) => text),
    [
      '0 sessions left',
      '0 sessions left; 1 older HAProxy process on a not counted',
      '0 sessions left',
    ],
  );
});

test('where older processes cannot be looked for, no session is no proof', async (t) => {
  const nodes = new Nodes();
  nodes.hidden = ['', 'the process table cannot be used: no rights'];
  const { outcome, error, nodes: rows } = await nodes.set('drain', 'leave');
  t.deepEqual(
    [outcome, error?.code, error?.cause, rows.map(({ ok }) => ok)],
    [
      'partial',
      'sessions_not_counted',
      'the process table cannot be used: no rights',
      [true, false],
    ],
  );
});

test('a backend whose reload begins with a state file is said, for drain, ready and weight', async (t) => {
  const nodes = new Nodes();
  nodes.backups.push(serverReading({ name: 'web3', stateFile: true }));
  const warned = async (act: Promise<unknown>): Promise<string[]> => {
    nodes.said.length = 0;
    await act;
    return nodes.said.flatMap(({ step, text }) => (step === 'warning' ? [text] : []));
  };
  const text =
    'a reload begins with what a file says of WEB (load-server-state-from-file): where that is ' +
    'older the agents tell HAProxy again a moment later; save it before each reload';
  t.deepEqual(await warned(nodes.set('drain', null, {}, ['WEB/web3'])), [text]);
  t.deepEqual(await warned(nodes.set('ready', null, {}, ['WEB/web3'])), [text]);
  t.deepEqual(await warned(nodes.weigh('WEB/web3', '200%')), [text]);
  t.deepEqual(await warned(nodes.set('drain', null, {}, ['WEB/web2'])), []);
});

test('a server whose own agent decides is said before anything is promised', async (t) => {
  const nodes = new Nodes();
  nodes.backups.push(serverReading({ name: 'web3', agentChecked: true }));
  await nodes.set('drain', null, {}, ['WEB/web3', 'WEB/web1']);
  t.deepEqual(
    nodes.said.slice(0, 3).map(({ step, text }) => [step, text]),
    [
      ['checking', 'WEB/web3, WEB/web1 on a, b'],
      [
        'warning',
        'WEB/web3 has an agent-check: its agent may set state and weight again at any time',
      ],
      ['storing', 'drain on a, b'],
    ],
  );
});
