import test from 'ava';
import type { Deadline, ServersAct } from '../../agent/core/acts.ts';
import { ActFailure, type ActResult, type Progress } from '../../agent/core/results.ts';
import type { ServerReading } from '../../agent/core/answers.ts';
import { mergeIntents, type Intents } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { setServers } from '../../agent/verbs/servers.ts';
import { setWeights } from '../../agent/verbs/weights.ts';
import { intent, serverReading } from '../core/builders.ts';
import { report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

/** What the HAProxys of two nodes would say: both take every wish at once unless told otherwise. */
class Nodes {
  readonly clock = new FakeClock();
  intents: Intents = new Map();
  readonly said: Progress[] = [];
  readonly shut: string[] = [];
  /** Sessions of web1 on each node, and how many it has had. */
  sessions = [0, 0];
  /** Older processes of HAProxy on each node that cannot be asked. */
  uncounted = [0, 0];
  totals = [0, 0];
  away = false;
  /** A node's HAProxy that cannot be asked. */
  silent: number | null = null;
  /** None of them can. */
  deaf = false;
  refusal = '';
  /** Servers that HAProxy has not, by node; the backend is OLD or WEB. */
  gone: readonly (readonly string[])[] = [[], []];
  /** A server that is ready is down for so long, ms. */
  downMs = 0;
  /** Called at each count of the first node. */
  onCount = (): void => undefined;
  readonly backups: ServerReading[] = [];

  readonly #state = (name: string): string => {
    const intent = this.intents.get(`server//WEB/${name}`);
    return intent === undefined || intent.deleted ? 'ready' : intent.value;
  };

  servers(at: number): ServerReading[] {
    return [
      ...['web1', 'web2'].map((name) => {
        const admin = this.#state(name) as ServerReading['admin'];
        const down = this.clock.nowMs() < this.downMs;
        const status = admin === 'ready' ? (down ? 'DOWN' : 'UP') : admin.toUpperCase();
        const busy =
          name === 'web1' ? { sessions: this.sessions[at] ?? 0, total: this.totals[at] ?? 0 } : {};
        const uncounted = this.uncounted[at] ?? 0;
        return serverReading({ name, admin, status, uncounted, ...busy });
      }),
      ...this.backups,
    ].filter(({ name }) => this.gone[at]?.includes(name) !== true);
  }

  pair(): Pair {
    const member = (node: string, at: number) =>
      memberOf(node, {
        storeIntents: (intents) => {
          const merged = mergeIntents(this.intents, intents, this.clock.wallMs());
          this.intents = merged.intents;
          return Promise.resolve({ newer: [] });
        },
        findServers: (_instance, backend) => {
          if (at === 0) this.onCount();
          if (this.silent === at || this.deaf)
            return Promise.reject(new Error(`${node} is silent`));
          if (backend === 'WEB') return Promise.resolve(this.servers(at));
          const detail = { code: 'no_such_backend', message: `HAProxy has no backend ${backend}` };
          return Promise.reject(new ActFailure('not-found', detail));
        },
        shutSessions: (_instance, backend, server) => {
          this.shut.push(`${node} ${backend}/${server}`);
          this.sessions = [0, 0];
          return Promise.resolve();
        },
      });
    const names = ['a', 'b'];
    return pairOf(names.map(member), {
      clock: this.clock,
      view: () =>
        names.map((node) => ({
          node,
          peerClass: 'alive',
          fresh: node === 'a' || !this.away,
          heardAtMs: 0,
          report: report(node, {
            // One whose HAProxy cannot be asked has told it nothing.
            applied: [...this.intents.values()].flatMap(({ key, stamp }) =>
              this.silent !== null && names[this.silent] === node
                ? []
                : [{ key, stamp, problem: key.startsWith('weight/') ? this.refusal : '' }],
            ),
          }),
          clockOffMs: null,
        })),
      intents: () => this.intents,
    });
  }

  /** Runs the verb while time passes; its result. */
  async run(act: (pair: Pair, report: (progress: Progress) => void) => Promise<ActResult>) {
    const running = act(this.pair(), (progress) => this.said.push(progress));
    const results: ActResult[] = [];
    const ended = running.then((value) => {
      results.push(value);
      return value;
    });
    ended.catch(() => undefined);
    for (let step = 0; step < 200 && results.length === 0; step++) await this.clock.advance(100);
    return ended;
  }

  readonly set = (
    state: ServersAct['state'],
    wait: Deadline | null = null,
    more: Partial<ServersAct['header']> = {},
    targets = ['WEB/web1'],
  ): Promise<ActResult> =>
    this.run((pair, report) =>
      setServers(
        pair,
        { header: { ...HEADER, ...more }, targets, state, untilMs: null, wait },
        report,
      ),
    );

  readonly weigh = (target: string, weight: string | null): Promise<ActResult> =>
    this.run((pair, report) =>
      setWeights(pair, { header: HEADER, targets: [target], weight, untilMs: null }, report),
    );
}

const HEADER: ServersAct['header'] = {
  requestId: 'r',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: 2000,
  seen: null,
};

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

/** `before>after` of each row by server and node. */
const states = ({ servers }: ActResult): string[] =>
  servers.map(({ server, node, before, after }) => `${server}@${node} ${before}>${after}`);

test('ready of a server that is gone ends every wish of it, and said twice it is already so', async (t) => {
  const nodes = new Nodes();
  await nodes.set('drain');
  await nodes.weigh('WEB/web1', '50%');
  nodes.gone = [['web1'], ['web1']];
  const dry = await nodes.set('ready', null, { dryRun: true });
  t.is(dry.outcome, 'would-change');
  nodes.said.length = 0;
  const { outcome, changed, error } = await nodes.set('ready');
  t.deepEqual([outcome, changed, error], ['reached', true, null]);
  t.deepEqual(
    [...nodes.intents.values()].map(({ key, deleted }) => [key, deleted]),
    [
      ['server//WEB/web1', true],
      ['weight//WEB/web1', true],
    ],
  );
  t.true(
    nodes.said.some(
      ({ step, text }) =>
        step === 'warning' &&
        text === 'WEB/web1: no such server on any node; what was wished of it is forgotten',
    ),
  );
  const again = await nodes.set('ready');
  t.deepEqual([again.outcome, again.changed], ['reached', false]);
});

test('weight reset of a server that is gone ends its weight and nothing else', async (t) => {
  const nodes = new Nodes();
  await nodes.set('drain');
  await nodes.weigh('WEB/web1', '50%');
  nodes.gone = [['web1'], ['web1']];
  const { outcome } = await nodes.weigh('WEB/web1', null);
  t.is(outcome, 'reached');
  t.deepEqual(
    [...nodes.intents.values()].map(({ key, deleted }) => [key, deleted]),
    [
      ['server//WEB/web1', false],
      ['weight//WEB/web1', true],
    ],
  );
});

test('a name of which nothing was ever wished is unknown all the same', async (t) => {
  const nodes = new Nodes();
  const names = ['WEB/web9', 'OLD/web1', 'OLD'];
  const codes = await Promise.all(
    names.map(async (name) => {
      const ready = nodes.set('ready', null, {}, [name]);
      return (await t.throwsAsync(ready, { instanceOf: ActFailure })).detail.code;
    }),
  );
  t.deepEqual(codes, ['no_such_server', 'no_such_backend', 'no_such_backend']);
});

test('ready of a backend goes on with the rest where a server is gone, here or on one node', async (t) => {
  const nodes = new Nodes();
  nodes.backups.push(serverReading({ name: 'web3' }));
  await nodes.set('drain', null, {}, ['WEB/web1', 'WEB/web2']);
  nodes.gone = [['web1'], ['web1', 'web2']];
  const done = await nodes.set('ready', null, {}, ['WEB']);
  t.deepEqual([done.outcome, done.error], ['reached', null]);
  t.deepEqual(states(done).slice(0, 2), ['web2@a drain>ready', 'web2@b >']);
  t.deepEqual(
    [...nodes.intents.values()].map(({ deleted }) => deleted),
    [true, true],
  );
  const strict = nodes.set('drain', null, {}, ['WEB/web2']);
  const { message } = await t.throwsAsync(strict, { instanceOf: ActFailure });
  t.is(message, 'no server WEB/web2 on b');
});

test('ready of a backend that is gone ends what was wished in it', async (t) => {
  const nodes = new Nodes();
  nodes.intents = new Map([['server//OLD/web1', intent('server//OLD/web1', 'maint')]]);
  const { outcome } = await nodes.set('ready', null, {}, ['OLD']);
  t.is(outcome, 'reached');
  t.is(nodes.intents.get('server//OLD/web1')?.deleted, true);
});

test("the peer's HAProxy cannot be asked: done on the other at once, partial, and stored on both", async (t) => {
  const nodes = new Nodes();
  nodes.silent = 1;
  const startedMs = nodes.clock.nowMs();
  for (const [state, wait] of [
    ['drain', 'leave'],
    ['maint', null],
    ['ready', null],
  ] as const) {
    const done = await nodes.set(state, wait);
    t.deepEqual(
      [done.outcome, done.changed, done.nodes.map(({ node, ok }) => [node, ok])],
      [
        'partial',
        true,
        [
          ['a', true],
          ['b', false],
        ],
      ],
      state,
    );
    t.is(done.error?.message, 'b is silent');
    t.regex(done.error?.remediation ?? '', /^on b: service haproxy status; it catches up/);
    t.deepEqual(states(done).at(-1)?.split('>')[1], state);
  }
  const weighed = await nodes.weigh('WEB/web1', '7');
  t.deepEqual([weighed.outcome, weighed.error?.code], ['partial', 'failed']);
  t.true(nodes.clock.nowMs() - startedMs < 3000, 'nobody waits for it');
  // Where none can be asked nothing is promised.
  nodes.deaf = true;
  const nothing = nodes.set('drain');
  t.is((await t.throwsAsync(nothing, { instanceOf: ActFailure })).outcome, 'failed');
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
