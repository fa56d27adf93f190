import test, { type ExecutionContext } from 'ava';
import type { ActHeader, ConfigPushAct } from '../../agent/core/acts.ts';
import type { Member } from '../../agent/core/member.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { recoverPushes } from '../../agent/upkeep/push-recovery.ts';
import { pushConfig } from '../../agent/verbs/config-push.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { FakeClock } from '../fake-clock.ts';
import { address, report } from '../reports.ts';
import { memberOf, pairOf } from '../scripted.ts';
import { messageOf, pushedNode } from './host.ts';

const HEADER: ActHeader = {
  requestId: 'r',
  actor: 'anna',
  reason: 'more room',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};
const act = (text: string, header: Partial<ActHeader> = {}): ConfigPushAct => ({
  header: { ...HEADER, ...header },
  message: messageOf(1, text),
  settleMs: 1000,
});

/** haproxy01 is MASTER and is asked; haproxy02 is BACKUP. `cut` says what of a node is lost on its way. */
function two(
  t: ExecutionContext,
  given: {
    readonly bad?: Readonly<Record<string, readonly string[]>>;
    readonly texts?: Readonly<Record<string, string>>;
    readonly cut?: (node: string, step: string) => 'before' | 'after' | null;
    readonly away?: readonly string[];
  } = {},
) {
  const clock = new FakeClock();
  const order: string[] = [];
  const names = ['haproxy01', 'haproxy02'];
  const running = new Map(names.map((node) => [node, new Set<string>()]));
  const nodes = names.map((node) =>
    pushedNode(t, {
      node,
      bad: [...(given.bad?.[node] ?? [])],
      ...(given.texts?.[node] === undefined ? {} : { text: given.texts[node] }),
    }),
  );
  const lost = (): ActFailure =>
    new ActFailure('result-unknown', { code: 'no_answer', message: 'no answer' });
  const members = names.map((node, at): Member => {
    const { push } = nodes[at] ?? pushedNode(t);
    const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
      const cut = given.cut?.(node, name) ?? null;
      if (cut === 'before') throw lost();
      order.push(`${name} ${node}`);
      const value = await run();
      if (cut === 'after') throw lost();
      return value;
    };
    return memberOf(node, {
      pushPrepare: (request) => step('prepare', () => push.prepare(request)),
      pushStep: (id, name) => step(name, async () => void (await push[name](id))),
      pushState: async (id, number) =>
        running.get(node)?.has(id) === true
          ? { phase: 'prepared', running: true }
          : { ...(await push.state(id, number)), running: false },
    });
  });
  const pair: Pair = pairOf(members, {
    clock,
    runningPushes: running.get('haproxy01') ?? new Set(),
    forgetPush: (id) => nodes[0]?.push.forget(id) ?? Promise.resolve(),
    view: () =>
      names.map((node, at) => ({
        node,
        peerClass: 'alive',
        fresh: given.away?.includes(node) !== true,
        heardAtMs: 0,
        report: report(node, {
          addresses: [address({ state: at === 0 ? 'MASTER' : 'BACKUP' })],
        }),
        clockOffMs: null,
        oneWay: null,
        doubleSinceMs: null,
      })),
  });
  /** What is not carried out any more comes to its end, on each node as often as it takes. */
  const recovered = async (): Promise<void> => {
    for (let round = 0; round < 3; round++)
      for (const [at, node] of names.entries()) {
        const recovery = recoverPushes({
          node,
          push: nodes[at]?.push ?? pushedNode(t).push,
          peers: members.filter((one) => one.node !== node),
          running: new Set(),
          clock,
          log: { info: () => undefined },
          problems: { raise: () => undefined, clear: () => undefined },
        });
        await recovery.again();
        recovery.stop();
      }
  };
  const texts = (): string[] =>
    nodes.map(({ host, state }) => `${host.text.trim()} ${state.running.trim()}`);
  const open = async (): Promise<unknown[]> =>
    (await Promise.all(nodes.map(({ push }) => push.open()))).map((one) => one?.phase ?? null);
  return { pair, order, texts, open, recovered, nodes };
}

test('the BACKUP first, then the MASTER, each checked before; kept on both', async (t) => {
  const { pair, order, texts, open } = two(t);
  const said: string[] = [];
  const result = await pushConfig(pair, act('new\n'), ({ step, text }) =>
    said.push(`${step} ${text}`),
  );
  t.like(result, { outcome: 'reached', changed: true, error: null });
  t.deepEqual(result.config, {
    number: 1,
    nodes: [
      { node: 'haproxy02', outcome: 'installed' },
      { node: 'haproxy01', outcome: 'installed' },
    ],
  });
  t.deepEqual(order.slice(2), [
    'install haproxy02',
    'install haproxy01',
    'keep haproxy01',
    'keep haproxy02',
  ]);
  t.deepEqual(said, [
    'checking HAProxy takes it on haproxy02, haproxy01',
    'installing haproxy02, reloaded and serving',
    'installing haproxy01, reloaded and serving',
  ]);
  t.deepEqual(texts(), ['new new', 'new new']);
  t.deepEqual(await open(), [null, null]);
});

test('one that the MASTER does not serve with is put back on it, then on the BACKUP', async (t) => {
  const { pair, order, texts, open } = two(t, { bad: { haproxy01: ['new\n'] } });
  const result = await pushConfig(pair, act('new\n'), () => undefined);
  t.like(result, {
    outcome: 'failed',
    changed: false,
    error: {
      code: 'not_served',
      message: 'not pushed: haproxy01 refused, every node has its old configuration',
      cause: 'haproxy01 does not serve',
    },
  });
  t.deepEqual(order.slice(2), [
    'install haproxy02',
    'install haproxy01',
    'back haproxy01',
    'back haproxy02',
  ]);
  t.deepEqual(texts(), ['old old', 'old old']);
  t.deepEqual(await open(), [null, null]);
});

test('one that the BACKUP does not serve with never comes to the MASTER', async (t) => {
  const { pair, order, texts } = two(t, { bad: { haproxy02: ['new\n'] } });
  t.like(await pushConfig(pair, act('new\n'), () => undefined), {
    outcome: 'failed',
    changed: false,
  });
  t.deepEqual(order.slice(2), ['install haproxy02', 'back haproxy02', 'back haproxy01']);
  t.deepEqual(texts(), ['old old', 'old old']);
});

test('already there is 0 and touches nothing; a dry run checks and leaves nothing', async (t) => {
  const there = two(t, { texts: { haproxy01: 'new\n', haproxy02: 'new\n' } });
  t.like(await pushConfig(there.pair, act('new\n'), () => undefined), {
    outcome: 'reached',
    changed: false,
    config: { nodes: [{ outcome: 'already' }, { outcome: 'already' }] },
  });
  t.deepEqual(await there.open(), [null, null]);
  const dry = two(t);
  t.like(await pushConfig(dry.pair, act('new\n', { dryRun: true }), () => undefined), {
    outcome: 'would-change',
    changed: false,
  });
  t.deepEqual(
    [dry.texts(), await dry.open()],
    [
      ['old old', 'old old'],
      [null, null],
    ],
  );
});

test('a node that is away: refused before anything is asked', async (t) => {
  const { pair, order } = two(t, { away: ['haproxy02'] });
  t.like(await t.throwsAsync(pushConfig(pair, act('new\n'), () => undefined)), {
    outcome: 'unreachable',
    message: 'not pushed: the agent on haproxy02 does not answer',
  });
  t.deepEqual(order, []);
});

test('two operators at once: the second is refused, and the first goes on', async (t) => {
  const { pair, nodes, texts } = two(t);
  await nodes[1]?.push.prepare({
    pushId: 'theirs',
    message: messageOf(1, 'theirs\n'),
    dryRun: false,
    acceptRisks: [],
    coordinator: 'haproxy02',
    members: ['haproxy01', 'haproxy02'],
    settleMs: 1000,
    actor: 'bea',
    reason: '',
  });
  t.like(await pushConfig(pair, act('new\n'), () => undefined), {
    outcome: 'conflict',
    error: { message: "bea's push of version 1 is open on haproxy02" },
  });
  await nodes[1]?.push.install('theirs');
  await nodes[1]?.push.keep('theirs');
  t.deepEqual(texts(), ['old old', 'theirs theirs']);
});

test('whatever answer is lost at whatever step, both end with one version and no journal', async (t) => {
  const rows: string[] = [];
  for (const node of ['haproxy01', 'haproxy02'])
    for (const step of ['prepare', 'install', 'keep'])
      for (const when of ['before', 'after'] as const) {
        let cut = true;
        const { pair, texts, open, recovered } = two(t, {
          cut: (one, name) => {
            // Cut off from then on, until it is over.
            if (!cut || one !== node) return null;
            return name === step ? when : name === 'back' ? 'before' : null;
          },
        });
        const { outcome } = await pushConfig(pair, act('new\n'), () => undefined);
        cut = false;
        await recovered();
        const [first, second = ''] = texts();
        t.is(first, second, `${node} ${step} ${when}`);
        t.deepEqual(await open(), [null, null], `${node} ${step} ${when}`);
        rows.push(`${step} ${node} ${when}: ${outcome}, ${second}`);
      }
  t.deepEqual(rows, [
    'prepare haproxy01 before: failed, old old',
    'prepare haproxy01 after: failed, old old',
    'install haproxy01 before: partial, new new',
    'install haproxy01 after: partial, new new',
    'keep haproxy01 before: reached, new new',
    'keep haproxy01 after: reached, new new',
    'prepare haproxy02 before: failed, old old',
    'prepare haproxy02 after: failed, old old',
    'install haproxy02 before: result-unknown, old old',
    'install haproxy02 after: result-unknown, old old',
    'keep haproxy02 before: reached, new new',
    'keep haproxy02 after: reached, new new',
  ]);
});
