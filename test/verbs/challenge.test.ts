import test from 'ava';
import type { ChallengeAct } from '../../agent/core/acts.ts';
import { ActFailure, type ActResult } from '../../agent/core/results.ts';
import { challengeKey } from '../../agent/core/certs/challenge.ts';
import { mergeIntents, type Intents } from '../../agent/core/intents.ts';
import type { Intent, NodeView } from '../../agent/core/model.ts';
import { setChallenge } from '../../agent/verbs/challenge.ts';
import type { Pair } from '../../agent/verbs/pair.ts';
import { KEY_AUTH, TOKEN } from '../acme/tokens.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const TTL_MS = 3_600_000;
const NODES = ['haproxy01', 'haproxy02'];

/** A pair whose members keep intents of their own; `wrong` says why a node's responder fails for a token. */
function world(wrong: (node: string, token: string) => ActFailure | null, away: string[] = []) {
  const clock = new FakeClock();
  const stores = new Map<string, Intents>(NODES.map((node) => [node, new Map()]));
  const checked: string[] = [];
  const member = (node: string) =>
    memberOf(node, {
      storeIntents(intents) {
        const merge = mergeIntents(stores.get(node) ?? new Map(), intents, clock.wallMs());
        stores.set(node, merge.intents);
        return Promise.resolve({ newer: merge.newer });
      },
      checkChallenge(token) {
        checked.push(`${node} ${token === TOKEN ? 'TOKEN' : token}`);
        const failure = wrong(node, token);
        return failure === null ? Promise.resolve(['[::1]:7661']) : Promise.reject(failure);
      },
    });
  const view = (): NodeView[] =>
    NODES.map((node) => ({
      node,
      peerClass: 'alive',
      fresh: !away.includes(node),
      heardAtMs: clock.nowMs(),
      report: null,
      clockOffMs: null,
      oneWay: null,
      doubleSinceMs: null,
    }));
  const intents = (): Intents => stores.get('haproxy01') ?? new Map();
  const pair = pairOf(NODES.map(member), { clock, view, intents });
  const stored = (): (Partial<Intent> | null)[] =>
    NODES.map((node) => {
      const intent = stores.get(node)?.get(challengeKey(TOKEN));
      return intent === undefined ? null : { value: intent.value, deleted: intent.deleted };
    });
  return { pair, clock, checked, stored };
}

const act = (more: Partial<ChallengeAct> = {}, dryRun = false): ChallengeAct => ({
  header: {
    requestId: 'r1',
    actor: 'anna',
    reason: '',
    acceptRisks: [],
    dryRun,
    timeoutMs: null,
    seen: null,
  },
  token: TOKEN,
  keyAuthorization: KEY_AUTH,
  domain: 'www.example.net',
  ...more,
});

const set = ({ pair }: { readonly pair: Pair }, one: ChallengeAct): Promise<ActResult> =>
  setChallenge(pair, one, TTL_MS, () => undefined);
const fine = (): null => null;
const brief = ({ outcome, changed, nodes }: ActResult) => [
  outcome,
  changed,
  nodes.map(({ ok }) => ok),
];
const on = { value: KEY_AUTH, deleted: false };
const off = { value: '', deleted: true };

test('presented on every node, asked before and after; again it is already so', async (t) => {
  const one = world(fine);
  t.deepEqual(brief(await set(one, act())), ['reached', true, [true, true]]);
  t.deepEqual(one.stored(), [on, on]);
  t.deepEqual(one.checked, ['haproxy01 ', 'haproxy02 ', 'haproxy01 TOKEN', 'haproxy02 TOKEN']);
  const intent = one.pair.intents().get(challengeKey(TOKEN));
  t.like(intent, { reason: 'www.example.net', untilWallMs: one.clock.wallMs() + TTL_MS });
  t.deepEqual(brief(await set(one, act())), ['reached', false, [true, true]]);
  t.deepEqual(one.checked.slice(4), ['haproxy01 TOKEN', 'haproxy02 TOKEN']);
});

test('presenting again in the second half of its time gives it a new hour', async (t) => {
  const one = world(fine);
  await set(one, act());
  await one.clock.advance(TTL_MS / 2);
  t.deepEqual(brief(await set(one, act())), ['reached', true, [true, true]]);
  const intent = one.pair.intents().get(challengeKey(TOKEN));
  t.is(intent?.untilWallMs, one.clock.wallMs() + TTL_MS);
});

test('a responder that is wrong: nothing is stored, or what was stored is taken back', async (t) => {
  const detail = { code: 'responder_wrong', message: 'the ACME responder on haproxy02 is wrong' };
  const failure = new ActFailure('failed', detail);
  const said = { message: 'not presented: the ACME responder on haproxy02 is wrong' };
  const before = world((node) => (node === 'haproxy02' ? failure : null));
  await t.throwsAsync(set(before, act()), { instanceOf: ActFailure, ...said });
  t.deepEqual(before.stored(), [null, null]);
  const after = world((node, token) => (node === 'haproxy02' && token !== '' ? failure : null));
  await t.throwsAsync(set(after, act()), { instanceOf: ActFailure, ...said });
  t.deepEqual(after.stored(), [off, off]);
});

test('a node that is away is a row of its own: partial; it is not asked', async (t) => {
  const one = world(fine, ['haproxy02']);
  t.deepEqual(brief(await set(one, act())), ['partial', true, [true, false]]);
  t.deepEqual(brief(await set(one, act())), ['partial', false, [true, false]]);
  t.deepEqual(brief(await set(one, act({ keyAuthorization: null }))), [
    'partial',
    true,
    [true, false],
  ]);
  t.deepEqual(
    [one.checked.filter((text) => text.startsWith('haproxy02')), one.stored()],
    [[], [off, null]],
  );
});

test('cleanup takes it back everywhere; what is gone is already gone; a dry run changes nothing', async (t) => {
  const one = world(fine);
  const cleanup = act({ keyAuthorization: null });
  t.deepEqual(brief(await set(one, act({}, true))), ['would-change', false, []]);
  t.deepEqual(one.stored(), [null, null]);
  t.deepEqual(brief(await set(one, cleanup)), ['reached', false, [true, true]]);
  await set(one, act());
  t.deepEqual(brief(await set(one, act({ keyAuthorization: null }, true))), [
    'would-change',
    false,
    [],
  ]);
  t.deepEqual(one.stored(), [on, on]);
  t.deepEqual(brief(await set(one, cleanup)), ['reached', true, [true, true]]);
  t.deepEqual(one.stored(), [off, off]);
});
