import test from 'ava';
import type { Deadline, ServersAct } from '../../agent/core/acts.ts';
import { ActFailure, type ActResult, type Progress } from '../../agent/core/results.ts';
import type { ServerReading } from '../../agent/core/answers.ts';
import { mergeIntents, type Intents } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { setServers } from '../../agent/verbs/servers.ts';
import { setWeights } from '../../agent/verbs/weights.ts';
import { serverReading } from '../core/builders.ts';
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
  totals = [0, 0];
  away = false;
  /** A node's HAProxy that cannot be asked. */
  silent: number | null = null;
  refusal = '';
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
        return serverReading({ name, admin, status, ...busy });
      }),
      ...this.backups,
    ];
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
          if (this.silent === at) return Promise.reject(new Error(`${node} is silent`));
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
            applied: [...this.intents.values()].map(({ key, stamp }) => ({
              key,
              stamp,
              problem: key.startsWith('weight/') ? this.refusal : '',
            })),
          }),
          clockOffMs: null,
          oneWay: null,
          doubleSinceMs: null,
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
